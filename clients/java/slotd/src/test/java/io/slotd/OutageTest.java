package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class OutageTest {
  private static final SlotdException BROKEN = error(Status.UNAVAILABLE);
  private static final SlotdException NOBODY =
      error(Status.UNAVAILABLE.withCause(new ConnectException("refused")));

  private static final SlotdException STOPPED = error(Status.CANCELLED);

  private long now;
  private boolean endedHere;

  @Test
  void waits_double_up_to_the_maximum_and_begin_anew_after_an_answer() {
    Outage outage = outage(Backoff.DEFAULT, true);
    assertEquals(millis(100), outage.failed(BROKEN));
    assertEquals(millis(200), outage.failed(BROKEN));
    for (int i = 0; i < 1000; i++) {
      outage.failed(BROKEN);
    }
    assertEquals(millis(10_000), outage.failed(BROKEN));
    outage.answered();
    assertEquals(millis(100), outage.failed(BROKEN));
  }

  @Test
  void jitter_is_a_share_of_the_wait() {
    assertEquals(Duration.ofMillis(50), Backoff.DEFAULT.delay(1, 0));
    assertEquals(Duration.ofMillis(150), Backoff.DEFAULT.delay(1, 1));
  }

  @Test
  void a_service_that_never_answered_is_tried_four_times() {
    Outage outage = outage(Backoff.DEFAULT, false);
    for (int i = 0; i < 3; i++) {
      assertTrue(outage.failed(NOBODY).isPresent());
    }
    assertEquals(Optional.empty(), outage.failed(NOBODY));
  }

  @Test
  void a_connection_that_broke_shows_that_there_was_a_service() {
    Outage outage = outage(Backoff.DEFAULT, false);
    outage.failed(BROKEN);
    for (int i = 0; i < 10; i++) {
      assertTrue(outage.failed(NOBODY).isPresent());
    }
  }

  @Test
  void a_server_that_stops_and_cancels_what_it_has_not_begun_was_there() {
    Outage outage = outage(Backoff.DEFAULT, false);
    assertEquals(millis(100), outage.failed(STOPPED));
    for (int i = 0; i < 10; i++) {
      assertTrue(outage.failed(NOBODY).isPresent());
    }
  }

  @Test
  void what_this_side_has_ended_does_not_pass() {
    Outage outage = outage(Backoff.DEFAULT, true);
    endedHere = true;
    assertEquals(Optional.empty(), outage.failed(STOPPED));
    assertEquals(Optional.empty(), outage.failed(BROKEN));
  }

  @Test
  void an_outage_ends_when_the_caller_has_had_enough() {
    Outage outage = outage(Backoff.DEFAULT.giveUpAfter(Duration.ofSeconds(5)), true);
    now = Duration.ofSeconds(100).toNanos();
    assertTrue(outage.failed(BROKEN).isPresent());
    now += Duration.ofSeconds(5).toNanos();
    assertEquals(Optional.empty(), outage.failed(BROKEN));
  }

  @Test
  void a_longer_wait_that_the_service_asks_for_counts() {
    assertEquals(
        millis(7000), outage(Backoff.DEFAULT, true).failed(withRetry(Status.UNAVAILABLE, 7)));
  }

  @Test
  void too_many_streams_pass_but_a_message_too_large_does_not() {
    Outage outage = outage(Backoff.DEFAULT, true);
    assertTrue(outage.failed(withRetry(Status.RESOURCE_EXHAUSTED, 1)).isPresent());
    assertEquals(Optional.empty(), outage.failed(error(Status.RESOURCE_EXHAUSTED)));
  }

  @Test
  void what_another_try_does_not_cure_is_the_callers_to_know() {
    assertEquals(
        Optional.empty(), outage(Backoff.DEFAULT, true).failed(error(Status.OUT_OF_RANGE)));
  }

  @Test
  void a_backoff_that_makes_no_sense_is_refused() {
    Duration wait = Duration.ofSeconds(1);
    assertThrows(
        IllegalArgumentException.class, () -> new Backoff(wait.negated(), wait, 2, 0, null));
    assertThrows(IllegalArgumentException.class, () -> new Backoff(wait, wait, 0.5, 0, null));
    assertThrows(IllegalArgumentException.class, () -> new Backoff(wait, wait, 2, 1.5, null));
  }

  private Outage outage(Backoff backoff, boolean reached) {
    return new Outage(backoff, reached, () -> now, () -> 0.5, () -> endedHere);
  }

  private static Optional<Duration> millis(long millis) {
    return Optional.of(Duration.ofMillis(millis));
  }

  private static SlotdException error(Status status) {
    return SlotdException.from(status.asRuntimeException());
  }

  private static SlotdException withRetry(Status status, long seconds) {
    RetryInfo.Builder info = RetryInfo.newBuilder();
    info.getRetryDelayBuilder().setSeconds(seconds);
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        com.google.rpc.Status.newBuilder()
            .addDetails(Any.pack(info.build()))
            .build()
            .toByteArray());
    return SlotdException.from(new StatusRuntimeException(status, trailers));
  }
}
