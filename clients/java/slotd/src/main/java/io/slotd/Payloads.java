package io.slotd;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.ToNumberStrategy;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Internal;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.slotd.v1.Payload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Values to payloads and back, by media type.
 *
 * <p>All of these throw {@link PayloadException}, an IllegalArgumentException. To bring a JSON
 * library of your own, build the message by hand: {@code
 * Payload.newBuilder().setContentType("application/json").setData(…)}.
 */
public final class Payloads {
  /** What {@link #json} writes. */
  public static final String JSON = "application/json";

  /** What {@link #text} writes. */
  public static final String TEXT = "text/plain";

  /** What {@link #bytes} writes. */
  public static final String BYTES = "application/octet-stream";

  /** What {@link #protobuf} writes, with the message's full name as parameter {@code type}. */
  public static final String PROTOBUF = "application/protobuf";

  private static final Set<String> PROTOBUF_NAMES = Set.of(PROTOBUF, "application/x-protobuf");

  private static final ToNumberStrategy EXACT_NUMBERS = reader -> number(reader.nextString());

  private static final Gson GSON =
      new GsonBuilder()
          .disableHtmlEscaping()
          .serializeNulls()
          .setStrictness(Strictness.STRICT)
          .setObjectToNumberStrategy(EXACT_NUMBERS)
          .create();

  private Payloads() {}

  /**
   * A value as JSON: maps, lists, strings, numbers, booleans, null, records and plain objects as
   * Gson writes them; a protobuf message in its own JSON form.
   */
  public static Payload json(Object value) {
    try {
      String text =
          value instanceof Message message
              ? JsonFormat.printer().omittingInsignificantWhitespace().print(message)
              : GSON.toJson(value);
      return payload(JSON, utf8(text));
    } catch (InvalidProtocolBufferException | IllegalArgumentException | JsonParseException error) {
      throw new PayloadException(value.getClass().getName() + " has no JSON form", error);
    }
  }

  /** Text, in UTF-8. */
  public static Payload text(String text) {
    return payload(TEXT, utf8(text));
  }

  /** Bytes that are nothing in particular. */
  public static Payload bytes(byte[] bytes) {
    return payload(BYTES, ByteString.copyFrom(bytes));
  }

  /** Bytes that are nothing in particular. */
  public static Payload bytes(ByteString bytes) {
    return payload(BYTES, bytes);
  }

  /** A protobuf message in its binary form. */
  public static Payload protobuf(Message message) {
    ByteString.Output out = ByteString.newOutput(message.getSerializedSize());
    try {
      CodedOutputStream coded = CodedOutputStream.newInstance(out);
      // So that a repeated request with the same id carries the same bytes.
      coded.useDeterministicSerialization();
      message.writeTo(coded);
      coded.flush();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    String type = PROTOBUF + "; type=" + message.getDescriptorForType().getFullName();
    return payload(type, out.toByteString());
  }

  /**
   * What a payload stands for: JSON gives Map, List, String, Long (BigInteger where it is larger),
   * Double (BigDecimal where it is larger), Boolean or null; {@code text/plain} a String; anything
   * else the ByteString itself. No bytes of no type, or of a type not known here, give null.
   *
   * <p>A job seen in the BASIC view has no data in its payload and result: get it in FULL first.
   */
  public static Object decode(Payload payload) {
    MediaType type = MediaType.parse(payload.getContentType());
    if (isNothing(payload, type)) {
      return null;
    }
    return switch (type.name()) {
      case JSON -> fromJson(payload.getData(), Object.class);
      case TEXT -> string(payload.getData(), charset(type));
      default -> payload.getData();
    };
  }

  /**
   * What a payload stands for, as a type: a protobuf message is parsed from protobuf or JSON,
   * anything else from JSON as Gson reads it; {@code String} and {@code ByteString} also hold text
   * and bytes.
   */
  public static <T> T decode(Payload payload, Class<T> type) {
    MediaType mediaType = MediaType.parse(payload.getContentType());
    if (isNothing(payload, mediaType)) {
      return null;
    }
    if (Message.class.isAssignableFrom(type)) {
      return type.cast(message(payload.getData(), mediaType, type.asSubclass(Message.class)));
    }
    if (mediaType.name().equals(JSON)) {
      return fromJson(payload.getData(), type);
    }
    Object value = decode(payload);
    if (!type.isInstance(value)) {
      throw new PayloadException(
          "wanted a " + type.getName() + ", got " + mediaType.describe() + ", which is none");
    }
    return type.cast(value);
  }

  private static Payload payload(String contentType, ByteString data) {
    return Payload.newBuilder().setContentType(contentType).setData(data).build();
  }

  private static boolean isNothing(Payload payload, MediaType type) {
    return payload.getData().isEmpty()
        && !PROTOBUF_NAMES.contains(type.name())
        && !Set.of(JSON, TEXT, BYTES).contains(type.name());
  }

  private static <T> T fromJson(ByteString data, Class<T> type) {
    String text = string(data, StandardCharsets.UTF_8);
    if (text.isBlank()) {
      // Gson takes it for null.
      throw new PayloadException("not JSON: it is empty");
    }
    try {
      return GSON.fromJson(text, type);
    } catch (JsonParseException | NumberFormatException error) {
      throw new PayloadException("not the JSON of a " + type.getName(), error);
    }
  }

  private static Message message(
      ByteString data, MediaType mediaType, Class<? extends Message> type) {
    Message empty = Internal.getDefaultInstance(type);
    String wanted = empty.getDescriptorForType().getFullName();
    try {
      if (PROTOBUF_NAMES.contains(mediaType.name())) {
        String named = mediaType.parameter("type", wanted);
        if (!named.equals(wanted)) {
          throw new PayloadException("wanted a " + wanted + ", got a " + named);
        }
        return empty.getParserForType().parseFrom(data);
      }
      if (mediaType.name().equals(JSON)) {
        Message.Builder builder = empty.newBuilderForType();
        JsonFormat.parser().merge(string(data, StandardCharsets.UTF_8), builder);
        return builder.build();
      }
    } catch (InvalidProtocolBufferException error) {
      throw new PayloadException("not a " + wanted, error);
    }
    throw new PayloadException("wanted a " + wanted + ", got " + mediaType.describe());
  }

  private static Number number(String text) {
    if (text.matches("-?\\d+")) {
      BigInteger exact = new BigInteger(text);
      return exact.bitLength() < Long.SIZE ? (Number) exact.longValue() : exact;
    }
    double rounded = Double.parseDouble(text);
    return Double.isInfinite(rounded) ? (Number) new BigDecimal(text) : rounded;
  }

  private static ByteString utf8(String text) {
    try {
      return ByteString.copyFrom(StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text)));
    } catch (CharacterCodingException error) {
      throw new PayloadException("text has no UTF-8 form", error);
    }
  }

  private static String string(ByteString data, Charset charset) {
    try {
      return charset.newDecoder().decode(data.asReadOnlyByteBuffer()).toString();
    } catch (CharacterCodingException error) {
      throw new PayloadException("not " + charset.name() + " text", error);
    }
  }

  private static Charset charset(MediaType type) {
    String name = type.parameter("charset", "utf-8");
    try {
      return Charset.forName(name);
    } catch (IllegalArgumentException error) {
      throw new PayloadException("no such charset", error);
    }
  }
}
