package io.slotd;

import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * One reader's failures in a row: says how long to wait before the next try, or that there shall be
 * none.
 */
final class Outage {
  /**
   * How often a service that has never answered is tried before the caller hears that there is
   * none.
   */
  private static final int FIRST_TRIES = 4;

  private final Backoff backoff;
  private final LongSupplier nanoTime;
  private final DoubleSupplier chance;
  private final BooleanSupplier endedHere;
  // The service has answered before, so that its being away is taken for a restart.
  private boolean reached;
  private int failures;
  private long since;

  /** {@code endedHere} says whether this side has ended the calls, whose errors are then final. */
  Outage(
      Backoff backoff,
      boolean reached,
      LongSupplier nanoTime,
      DoubleSupplier chance,
      BooleanSupplier endedHere) {
    this.backoff = backoff;
    this.reached = reached;
    this.nanoTime = nanoTime;
    this.chance = chance;
    this.endedHere = endedHere;
  }

  /** The service answered: the next failure is a first one. */
  void answered() {
    reached = true;
    failures = 0;
  }

  /** How long to wait before the next try; empty when the error is the caller's to know. */
  Optional<Duration> failed(SlotdException error) {
    if (endedHere.getAsBoolean() || !passes(error)) {
      return Optional.empty();
    }
    if (failures == 0) {
      since = nanoTime.getAsLong();
    }
    failures++;
    if (error.code() != Status.Code.DEADLINE_EXCEEDED && error.connected()) {
      // A connection that broke, or a service that says it is going: there was one.
      reached = true;
    }
    if (!reached && failures >= FIRST_TRIES) {
      return Optional.empty();
    }
    if (backoff.giveUp() != null && nanoTime.getAsLong() - since >= backoff.giveUp().toNanos()) {
      return Optional.empty();
    }
    Duration delay = backoff.delay(failures, chance.getAsDouble());
    Duration wanted = error.retryDelay().orElse(Duration.ZERO);
    return Optional.of(delay.compareTo(wanted) > 0 ? delay : wanted);
  }

  private boolean passes(SlotdException error) {
    return switch (error.code()) {
      // CANCELLED: a server that stops cancels the calls that it has accepted but not begun.
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> true;
      // The service may still count the stream that was cut, until it notices. A message that is
      // too large has no
      // RetryInfo, and would be too large again.
      case RESOURCE_EXHAUSTED -> reached && error.retryDelay().isPresent();
      default -> false;
    };
  }
}
