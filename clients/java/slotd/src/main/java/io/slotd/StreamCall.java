package io.slotd;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One running call of a server-streaming method, read by blocking, for a limited time if need be.
 */
final class StreamCall<Q, A> {
  /** Messages that may be underway or unread: one to work on, one that comes meanwhile. */
  private static final int AHEAD = 2;

  private final ClientCall<Q, A> call;
  private final BlockingQueue<Arrival<A>> arrivals = new LinkedBlockingQueue<>();

  StreamCall(Channel channel, MethodDescriptor<Q, A> method, Q request) {
    call = channel.newCall(method, CallOptions.DEFAULT);
    call.start(new Listener(), new Metadata());
    call.request(AHEAD);
    call.sendMessage(request);
    call.halfClose();
  }

  /**
   * The next message, or the end; null when the time is over. {@code until} is null for no limit.
   */
  Arrival<A> take(Deadline until) throws InterruptedException {
    Arrival<A> arrival =
        until == null
            ? arrivals.take()
            : arrivals.poll(until.timeRemaining(TimeUnit.NANOSECONDS), TimeUnit.NANOSECONDS);
    if (arrival != null && !arrival.isEnd()) {
      call.request(1);
    }
    return arrival;
  }

  /** Ends the call; who waits in {@link #take} gets the end. */
  void cancel() {
    call.cancel("closed by its reader", null);
  }

  /** A message, or how the call ended. */
  record Arrival<A>(A message, Status status, Metadata trailers) {
    boolean isEnd() {
      return message == null;
    }

    StatusRuntimeException error() {
      return status.asRuntimeException(trailers);
    }
  }

  private final class Listener extends ClientCall.Listener<A> {
    @Override
    public void onMessage(A message) {
      arrivals.add(new Arrival<>(message, null, null));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      arrivals.add(new Arrival<>(null, status, trailers));
    }
  }
}
