package io.slotd;

import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Reads one server-streaming method, and calls it again when it was cut. One thread reads; any may
 * close.
 */
final class Reader<Q, A> implements AutoCloseable {
  private final Connection connection;
  private final MethodDescriptor<Q, A> method;
  private final Supplier<Q> request;
  private final Outage outage;
  private final CountDownLatch closed = new CountDownLatch(1);
  private StreamCall<Q, A> call;
  // After a cut: not to be called again before this is over.
  private Deadline pause = Deadline.after(0, TimeUnit.NANOSECONDS);

  /** {@code request} says at each call what is to be asked for. The first call begins at once. */
  Reader(Connection connection, MethodDescriptor<Q, A> method, Supplier<Q> request) {
    this.connection = connection;
    this.method = method;
    this.request = request;
    this.outage = connection.outage();
    call = open();
    connection.track(this);
  }

  /**
   * The next message; null at the end, once closed, and when the time is over ({@code until} is
   * null for no limit).
   *
   * <p>Throws SlotdException, and is closed then; also, with code CANCELLED and still open, when
   * the thread is interrupted.
   */
  A read(Deadline until) {
    try {
      while (pauseEnds(until)) {
        StreamCall.Arrival<A> arrival = current().take(until);
        if (arrival == null || isClosed()) {
          return null;
        }
        if (!arrival.isEnd()) {
          connection.answered();
          outage.answered();
          return arrival.message();
        }
        ended(arrival);
      }
      return null;
    } catch (InterruptedException interrupt) {
      Thread.currentThread().interrupt();
      throw new SlotdException(Status.Code.CANCELLED, "interrupted");
    }
  }

  boolean isClosed() {
    return closed.getCount() == 0;
  }

  @Override
  public synchronized void close() {
    closed.countDown();
    if (call != null) {
      call.cancel();
    }
  }

  /** False when it was closed, or the time was over, before the pause was. */
  private boolean pauseEnds(Deadline until) throws InterruptedException {
    Deadline end = until == null ? pause : pause.minimum(until);
    long left = Math.max(0, end.timeRemaining(TimeUnit.NANOSECONDS));
    return !closed.await(left, TimeUnit.NANOSECONDS) && pause.isExpired();
  }

  private synchronized StreamCall<Q, A> current() {
    if (call == null) {
      call = open();
      if (isClosed()) {
        // By another thread, just before there was a call to cancel.
        call.cancel();
      }
    }
    return call;
  }

  private StreamCall<Q, A> open() {
    return connection.open(method, request.get());
  }

  private void ended(StreamCall.Arrival<A> arrival) {
    if (arrival.status().isOk()) {
      close();
      return;
    }
    SlotdException error = connection.refused(arrival.error());
    Optional<Duration> delay = outage.failed(error);
    if (delay.isEmpty()) {
      close();
      throw error;
    }
    pause = Deadline.after(TimeUnit.NANOSECONDS.convert(delay.get()), TimeUnit.NANOSECONDS);
    synchronized (this) {
      call = null;
    }
  }
}
