package io.slotd;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Has a channel look again soon for a service that went away: at each new call, and meanwhile after
 * 0.1 s to 5 s. By itself gRPC waits up to two minutes, and has no option for it; but it can be
 * told to look at once.
 */
final class Reconnecting implements ClientInterceptor {
  private static final Duration FIRST = Duration.ofMillis(100);
  private static final Duration LAST = Duration.ofSeconds(5);

  private final ManagedChannel channel;

  Reconnecting(ManagedChannel channel) {
    this.channel = channel;
    watch(FIRST);
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      channel.resetConnectBackoff();
    }
    return next.newCall(method, options);
  }

  /**
   * Looks again after {@code delay} if there is no connection, and goes on so; else when that
   * changes.
   */
  private void watch(Duration delay) {
    ConnectivityState state = channel.getState(false);
    switch (state) {
      case SHUTDOWN -> {}
      case TRANSIENT_FAILURE ->
          CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS)
              .execute(
                  () -> {
                    channel.resetConnectBackoff();
                    watch(doubled(delay));
                  });
      default -> {
        Duration next = state == ConnectivityState.READY ? FIRST : delay;
        channel.notifyWhenStateChanged(state, () -> watch(next));
      }
    }
  }

  private static Duration doubled(Duration delay) {
    Duration doubled = delay.multipliedBy(2);
    return doubled.compareTo(LAST) < 0 ? doubled : LAST;
  }
}
