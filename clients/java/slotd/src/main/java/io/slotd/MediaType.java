package io.slotd;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** A content type in its parts: the name in small letters, and the parameters, quotes removed. */
record MediaType(String name, Map<String, String> parameters) {
  static MediaType parse(String contentType) {
    String[] pieces = contentType.split(";");
    Map<String, String> parameters = new HashMap<>();
    for (int i = 1; i < pieces.length; i++) {
      String[] pair = pieces[i].split("=", 2);
      String value = pair.length < 2 ? "" : pair[1].strip().replaceAll("^\"+|\"+$", "");
      parameters.put(pair[0].strip().toLowerCase(Locale.ROOT), value);
    }
    String name = pieces.length == 0 ? "" : pieces[0].strip().toLowerCase(Locale.ROOT);
    return new MediaType(name, parameters);
  }

  String parameter(String key, String otherwise) {
    return parameters.getOrDefault(key, otherwise);
  }

  String describe() {
    return name.isEmpty() ? "bytes of no type" : name;
  }
}
