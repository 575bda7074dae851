package io.slotd;

import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;

/**
 * The service as a client and all that came from it see it: the channel, and whether it has
 * answered yet.
 */
final class Connection {
  private final String address;
  private final Channel channel;
  private final ManagedChannel owned;
  private final Backoff reconnect;
  // Weak, so that a stream that its reader forgot can go.
  private final Set<Reader<?, ?>> readers =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
  private volatile boolean reached;
  private volatile boolean closed;

  /** {@code owned} is shut down at the end; null for a channel that is the caller's. */
  Connection(String address, Channel channel, ManagedChannel owned, Backoff reconnect) {
    this.address = address;
    this.channel = channel;
    this.owned = owned;
    this.reconnect = reconnect;
  }

  Channel channel() {
    return channel;
  }

  /** One blocking unary call. Throws SlotdException. */
  <Q, A> A call(MethodDescriptor<Q, A> method, Q request, CallSettings settings) {
    checkOpen();
    try {
      A answer =
          ClientCalls.blockingUnaryCall(
              settings.over(channel), method, settings.options(), request);
      answered();
      return answer;
    } catch (StatusRuntimeException error) {
      throw refused(error);
    }
  }

  /** The same without blocking; to cancel the future cancels the call. */
  <Q, A, R> CompletableFuture<R> callAsync(
      MethodDescriptor<Q, A> method, Q request, CallSettings settings, Function<A, R> part) {
    CompletableFuture<R> future = new CompletableFuture<>();
    try {
      checkOpen();
      ClientCall<Q, A> call = settings.over(channel).newCall(method, settings.options());
      ClientCalls.asyncUnaryCall(call, request, answerTo(future, part));
      future.whenComplete(
          (answer, error) -> {
            if (future.isCancelled()) {
              call.cancel("cancelled by the caller", null);
            }
          });
    } catch (RuntimeException error) {
      future.completeExceptionally(refused(error));
    }
    return future;
  }

  /** Begins a server-streaming call. Throws SlotdException when closed. */
  <Q, A> StreamCall<Q, A> open(MethodDescriptor<Q, A> method, Q request) {
    checkOpen();
    try {
      return new StreamCall<>(channel, method, request);
    } catch (StatusRuntimeException error) {
      throw refused(error);
    }
  }

  /** A call came through. */
  void answered() {
    reached = true;
  }

  /** A call failed: returns what to throw. */
  SlotdException refused(Throwable error) {
    if (closed) {
      return closedError();
    }
    SlotdException refused = SlotdException.from(error);
    if (!refused.connected()) {
      return refused.withDescription("no service at " + address);
    }
    if (refused.code() != Status.Code.DEADLINE_EXCEEDED) {
      reached = true;
    }
    return refused;
  }

  /** A count of failures for one new reader, which ends with the client and with its Context. */
  Outage outage() {
    Context context = Context.current();
    return new Outage(
        reconnect,
        reached,
        System::nanoTime,
        () -> ThreadLocalRandom.current().nextDouble(),
        () -> closed || context.isCancelled());
  }

  /** Has a reader closed with the connection. */
  void track(Reader<?, ?> reader) {
    readers.add(reader);
    if (closed) {
      reader.close();
    }
  }

  void close() {
    closed = true;
    List<Reader<?, ?>> open;
    synchronized (readers) {
      open = List.copyOf(readers);
    }
    open.forEach(Reader::close);
    if (owned != null) {
      owned.shutdownNow();
    }
  }

  /** A channel that was shut down has no executor left to tell a new call's failure. */
  private void checkOpen() {
    if (closed) {
      throw closedError();
    }
  }

  private static SlotdException closedError() {
    return new SlotdException(Status.Code.CANCELLED, "the client is closed");
  }

  private <A, R> StreamObserver<A> answerTo(CompletableFuture<R> future, Function<A, R> part) {
    return new StreamObserver<>() {
      @Override
      public void onNext(A answer) {
        answered();
        future.complete(part.apply(answer));
      }

      @Override
      public void onError(Throwable error) {
        future.completeExceptionally(refused(error));
      }

      @Override
      public void onCompleted() {}
    };
  }
}
