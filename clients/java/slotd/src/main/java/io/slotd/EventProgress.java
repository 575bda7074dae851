package io.slotd;

import io.slotd.v1.EventType;
import io.slotd.v1.JobEvent;
import io.slotd.v1.StreamRequest;
import io.slotd.v1.StreamResponse;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;

/**
 * How far a stream of events has come, over all the calls that it takes: what to ask for next, what
 * to hand out, and the position after that. Does no input or output.
 *
 * <p>Once the service has sent a cursor, a cut stream goes on from the last one. Before that,
 * within the first snapshot, there is nothing to go on from: the snapshot is asked for again, and
 * of it only those jobs are handed out that are new or of a higher revision than before.
 *
 * <p>One thread drives it; any may ask for the position.
 */
final class EventProgress {
  private final StreamRequest request;
  private final Map<String, Long> told = new HashMap<>();
  private final Set<String> present = new HashSet<>();
  private final Queue<JobEvent> pending = new ArrayDeque<>();
  private String received;
  private StreamResponse settling;

  private volatile String cursor;
  private volatile long revision;
  private volatile boolean synced;
  private volatile Set<String> vanished = Set.of();

  EventProgress(StreamRequest request) {
    this.request = request;
    this.received = request.getCursor();
    this.cursor = request.getCursor();
  }

  /** What the next call asks for. */
  StreamRequest request() {
    present.clear();
    return request.toBuilder().setCursor(received).build();
  }

  /**
   * Takes a message in and lines up those of its events that were not handed out before; none must
   * be waiting.
   */
  void receive(StreamResponse message) {
    boolean snapshot = received.isEmpty();
    for (JobEvent event : message.getEventsList()) {
      if (!snapshot || isNew(event)) {
        pending.add(event);
      }
    }
    if (!message.getCursor().isEmpty()) {
      received = message.getCursor();
    }
    if (message.getSynced() && !told.isEmpty()) {
      Set<String> gone = new HashSet<>(told.keySet());
      gone.removeAll(present);
      vanished = Set.copyOf(gone);
    }
    if (!received.isEmpty()) {
      told.clear();
      present.clear();
    }
    settling = message;
    settleIfHandedOut();
  }

  boolean isEmpty() {
    return pending.isEmpty();
  }

  /** The next event in line; null when a message is needed. */
  JobEvent next() {
    JobEvent event = pending.poll();
    if (event != null) {
      settleIfHandedOut();
    }
    return event;
  }

  String cursor() {
    return cursor;
  }

  long revision() {
    return revision;
  }

  boolean synced() {
    return synced;
  }

  Set<String> vanished() {
    return vanished;
  }

  private boolean isNew(JobEvent event) {
    if (event.getType() != EventType.EVENT_TYPE_SNAPSHOT) {
      return true;
    }
    String id = event.getJob().getId();
    present.add(id);
    Long before = told.get(id);
    if (before != null && event.getJob().getRevision() <= before) {
      return false;
    }
    told.put(id, event.getJob().getRevision());
    return true;
  }

  private void settleIfHandedOut() {
    if (!pending.isEmpty()) {
      return;
    }
    if (!settling.getCursor().isEmpty()) {
      cursor = settling.getCursor();
    }
    revision = Math.max(revision, settling.getRevision());
    synced = synced || settling.getSynced();
  }
}
