package io.slotd;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * How the client's channels are set up: addresses, sizes, keepalive, reconnecting, and which calls
 * gRPC repeats.
 */
final class Channels {
  static final String DEFAULT_ADDRESS = "127.0.0.1:7433";

  /**
   * Answering a second time does no harm and says the same: reads, requests with an id, settings
   * given as absolute values.
   *
   * <p>Left out on purpose: Retry (a job that failed again meanwhile would get fresh attempts
   * twice); Delete, Purge and what works in bulk (the repeat would answer NOT_FOUND or a count too
   * low though the first one worked); Update (the first moved the revision that the repeat names);
   * Create of a schedule (the repeat would find one of that name). Wait, Stream and ReadOutput are
   * not here because the client itself repeats them, from where they were cut.
   */
  static final Map<String, List<String>> REPEATED_METHODS =
      Map.of(
          "slotd.v1.JobService",
          List.of("Submit", "SubmitBatch", "Get", "List", "Cancel", "GetGroup"),
          "slotd.v1.QueueService",
          List.of(
              "GetQueue",
              "ListQueues",
              "UpdateQueue",
              "ListSlots",
              "UpdateSlots",
              "GetStats",
              "ListServers"),
          "slotd.v1.ScheduleService",
          List.of("Get", "List", "Pause", "Resume", "Trigger"));

  private static final int MESSAGE_BYTES = 32 * 1024 * 1024;

  private Channels() {}

  /** Opens a channel; it connects with the first call. */
  static ManagedChannel open(
      String address,
      ChannelCredentials credentials,
      Consumer<? super ManagedChannelBuilder<?>> configure) {
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(address, credentials)
            .defaultServiceConfig(serviceConfig())
            .maxInboundMessageSize(MESSAGE_BYTES)
            // What is larger than this is not repeated; gRPC's own limit is less than one large
            // payload.
            .perRpcBufferLimit(MESSAGE_BYTES)
            .retryBufferSize(4L * MESSAGE_BYTES)
            // A BadRequest with many violations travels in the trailing metadata.
            .maxInboundMetadataSize(64 * 1024)
            // The service takes a ping every 10 s and no more often.
            .keepAliveTime(30, TimeUnit.SECONDS)
            .keepAliveTimeout(10, TimeUnit.SECONDS);
    configure.accept(builder);
    return builder.build();
  }

  /** Up to five tries, 0.1 s to 2 s apart, of what is safe to repeat and did not come through. */
  static Map<String, ?> serviceConfig() {
    List<Map<String, String>> names = new ArrayList<>();
    REPEATED_METHODS.forEach(
        (service, methods) ->
            methods.forEach(method -> names.add(Map.of("service", service, "method", method))));
    Map<String, ?> policy =
        Map.of(
            "maxAttempts",
            5.0,
            "initialBackoff",
            "0.1s",
            "maxBackoff",
            "2s",
            "backoffMultiplier",
            2.0,
            "retryableStatusCodes",
            // UNKNOWN is how Netty tells of a connection that breaks just as a call is written to
            // it.
            List.of("UNAVAILABLE", "UNKNOWN"));
    return Map.of("methodConfig", List.of(Map.of("name", names, "retryPolicy", policy)));
  }

  /** Throws IllegalArgumentException for what is no gRPC target, above all a URL. */
  static void checkAddress(String address) {
    if (address.isEmpty() || !address.equals(address.strip())) {
      throw new IllegalArgumentException(
          "not an address: '" + address + "'; it looks like 127.0.0.1:7433 or unix:/path");
    }
    if (address.matches("(https?|grpc)://.*")) {
      throw new IllegalArgumentException("an address has no scheme before HOST:PORT: " + address);
    }
  }
}
