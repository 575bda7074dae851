package io.slotd.conformance;

import com.google.gson.JsonObject;
import io.slotd.EventStream;
import io.slotd.SlotdClient;
import io.slotd.conformance.Errors.Failure;
import io.slotd.v1.JobSpec;
import io.slotd.v1.StreamRequest;
import io.slotd.v1.SubmitRequest;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/** What the benchmark has the client do, and how long that takes. */
final class Measurements {
  private static final SubmitRequest NOOP =
      SubmitRequest.newBuilder().setSpec(JobSpec.newBuilder().setKind("noop")).build();

  private Measurements() {}

  static JsonObject measure(SlotdClient client, JsonObject arguments) {
    String what = arguments.get("what").getAsString();
    JsonObject json = new JsonObject();
    long began = System.nanoTime();
    switch (what) {
      case "submit" ->
          submit(client, arguments.get("calls").getAsInt(), arguments.get("callers").getAsInt());
      case "stream" ->
          json.addProperty(
              "events",
              events(
                  client,
                  arguments.get("events").getAsInt(),
                  arguments.get("cursor").getAsString()));
      default -> throw new Failure("UNIMPLEMENTED", "DRIVER_CANNOT", "can't measure " + what);
    }
    json.addProperty("seconds", (System.nanoTime() - began) / 1e9);
    return json;
  }

  /** So many in all, by so many callers at once, each with its next call when the last is done. */
  private static void submit(SlotdClient client, int calls, int callers) {
    ExecutorService threads = Executors.newFixedThreadPool(callers);
    try {
      Runnable caller = () -> IntStream.range(0, calls / callers).forEach(i -> client.submit(NOOP));
      List<CompletableFuture<Void>> running =
          IntStream.range(0, callers)
              .mapToObj(i -> CompletableFuture.runAsync(caller, threads))
              .toList();
      running.forEach(CompletableFuture::join);
    } finally {
      threads.shutdown();
    }
  }

  /** Reads so many events, or those that there are, from a cursor on. */
  private static int events(SlotdClient client, int events, String cursor) {
    int count = 0;
    try (EventStream stream = client.stream(StreamRequest.newBuilder().setCursor(cursor).build())) {
      for (Iterator<?> told = stream.iterator(); count < events && told.hasNext(); told.next()) {
        count++;
      }
    }
    return count;
  }
}
