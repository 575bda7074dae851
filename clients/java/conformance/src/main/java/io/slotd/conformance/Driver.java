package io.slotd.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Drives the client for tests that all clients share: a JSON object a line on stdin, {@code {"id",
 * "op", …}}, and one on stdout for each, {@code {"id", "ok"}} or {@code {"id", "error"}}, in the
 * order in which the calls end.
 */
public final class Driver {
  // What comes after these goes by what they set.
  private static final Set<String> IN_ORDER = Set.of("connect", "call_timeout", "stream_open");
  private static final long SECONDS_TO_END = 5;

  private final PrintStream out;
  private final Operations operations = new Operations();

  private Driver(PrintStream out) {
    this.out = out;
  }

  /** Runs until stdin ends. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    new Driver(out).run(in);
  }

  private void run(BufferedReader in) throws IOException, InterruptedException {
    ExecutorService calls = Executors.newCachedThreadPool();
    String line;
    while ((line = in.readLine()) != null) {
      JsonObject request = JsonParser.parseString(line).getAsJsonObject();
      if (IN_ORDER.contains(request.get("op").getAsString())) {
        serve(request);
      } else {
        calls.execute(() -> serve(request));
      }
    }
    operations.close();
    calls.shutdown();
    calls.awaitTermination(SECONDS_TO_END, TimeUnit.SECONDS);
    calls.shutdownNow();
  }

  private void serve(JsonObject request) {
    JsonObject answer = new JsonObject();
    answer.add("id", request.get("id"));
    try {
      answer.add("ok", operations.call(request.get("op").getAsString(), request));
    } catch (Exception error) {
      answer.add("error", Errors.toJson(error));
    }
    synchronized (out) {
      out.println(Messages.GSON.toJson(answer));
      out.flush();
    }
  }
}
