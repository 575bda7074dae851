package io.slotd.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.slotd.EventStream;
import io.slotd.conformance.Errors.Failure;
import io.slotd.v1.JobEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A stream that the driver holds open, with what a read took and did not hand out. */
final class OpenStream implements AutoCloseable {
  private final EventStream stream;
  private final List<JobEvent> taken = new ArrayList<>();

  OpenStream(EventStream stream) {
    this.stream = stream;
  }

  /**
   * Reads until there are so many events, or {@code until} (synced, end, or null) has come; both
   * may be left out.
   */
  synchronized JsonObject read(int count, String until, Duration timeout) {
    long end = System.nanoTime() + timeout.toNanos();
    while (taken.size() < count && !hasCome(until) && !stream.ended()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw new Failure("DEADLINE_EXCEEDED", "", taken.size() + " events within " + timeout);
      }
      stream.poll(Duration.ofNanos(left)).ifPresent(taken::add);
    }
    List<JobEvent> handed = taken.subList(0, Math.min(count, taken.size()));
    JsonArray events = new JsonArray();
    handed.forEach(event -> events.add(Messages.toJson(event)));
    handed.clear();
    JsonObject json = new JsonObject();
    json.add("events", events);
    json.addProperty("synced", stream.synced());
    json.addProperty("cursor", stream.cursor());
    json.addProperty("ended", stream.ended());
    return json;
  }

  @Override
  public void close() {
    stream.close();
  }

  private boolean hasCome(String until) {
    return "synced".equals(until) && stream.synced();
  }
}
