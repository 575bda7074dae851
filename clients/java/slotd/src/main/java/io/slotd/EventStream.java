package io.slotd;

import io.grpc.Deadline;
import io.slotd.v1.JobEvent;
import io.slotd.v1.JobServiceGrpc;
import io.slotd.v1.StreamRequest;
import io.slotd.v1.StreamResponse;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What happens to jobs, event by event; it outlives reconnects and restarts of the service.
 *
 * <p>It ends by itself only when it was asked for by job ids and all of those are terminal or
 * deleted. Close it. One thread reads; any may close it, for the reader it ends then, and ask for
 * the position. All iterators of one stream share its position.
 *
 * <p>Reading throws {@link SlotdException} for what trying again won't cure, above all OUT_OF_RANGE
 * with reason CURSOR_EXPIRED: what comes after the cursor is no longer kept. List the jobs then,
 * and stream from that list's cursor. An interrupt of the reading thread throws one with code
 * CANCELLED; the stream stays open.
 */
public final class EventStream implements Iterable<JobEvent>, AutoCloseable {
  private final EventProgress progress;
  private final Reader<StreamRequest, StreamResponse> reader;

  EventStream(Connection connection, StreamRequest request) {
    progress = new EventProgress(request);
    reader = new Reader<>(connection, JobServiceGrpc.getStreamMethod(), progress::request);
  }

  /**
   * Iterates over what has not been handed out yet; {@code hasNext} waits for an event or the end.
   */
  @Override
  public Iterator<JobEvent> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return fill(null);
      }

      @Override
      public JobEvent next() {
        if (!hasNext()) {
          throw new NoSuchElementException("the stream has ended");
        }
        return progress.next();
      }
    };
  }

  /** The same as a sequential {@link Stream}, which closes this one with itself. */
  public Stream<JobEvent> stream() {
    return StreamSupport.stream(spliterator(), false).onClose(this::close);
  }

  /**
   * Waits for the next event, but no longer than this. Empty when the time is over, at the end
   * ({@link #ended} says which), and at once when {@link #synced} becomes true.
   */
  public Optional<JobEvent> poll(Duration timeout) {
    boolean before = synced();
    Deadline until = Deadline.after(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
    while (progress.isEmpty() && synced() == before && receive(until)) {}
    return Optional.ofNullable(progress.next());
  }

  /**
   * The position after what has been handed out; empty before there is one. A new stream goes on
   * there.
   *
   * <p>It moves when the last event of a message has been handed out: to go on from it never skips
   * one.
   */
  public String cursor() {
    return progress.cursor();
  }

  /**
   * The revision up to which everything that matches has been handed out; 0 before there is one.
   */
  public long revision() {
    return progress.revision();
  }

  /** The first snapshot, or what had happened since the cursor, has been handed out whole. */
  public boolean synced() {
    return progress.synced();
  }

  /** Nothing comes any more: the service ended the stream, it failed, or it was closed. */
  public boolean ended() {
    return reader.isClosed();
  }

  /**
   * Ids of jobs that a snapshot handed out before it was cut, and that are missing from the one
   * that came through. A cut before the first cursor means that the snapshot is taken again; jobs
   * that did not change are not handed out twice.
   */
  public Set<String> vanished() {
    return progress.vanished();
  }

  /** Ends the stream, also under a reader in another thread. */
  @Override
  public void close() {
    reader.close();
  }

  private boolean fill(Deadline until) {
    while (progress.isEmpty()) {
      if (!receive(until)) {
        return false;
      }
    }
    return true;
  }

  private boolean receive(Deadline until) {
    StreamResponse message = reader.read(until);
    if (message == null) {
      return false;
    }
    progress.receive(message);
    return true;
  }
}
