package io.slotd;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How unary calls are made. {@code timeout} is null for no limit; {@code traceparent} is empty
 * where they belong to no trace.
 */
record CallSettings(Duration timeout, String traceparent) {
  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  /** gRPC's options for a call that begins now. */
  CallOptions options() {
    return timeout == null
        ? CallOptions.DEFAULT
        : CallOptions.DEFAULT.withDeadlineAfter(
            TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
  }

  /** The channel, on which calls say what trace they belong to. */
  Channel over(Channel channel) {
    if (traceparent.isEmpty()) {
      return channel;
    }
    Metadata headers = new Metadata();
    headers.put(TRACEPARENT, traceparent);
    return ClientInterceptors.intercept(
        channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }
}
