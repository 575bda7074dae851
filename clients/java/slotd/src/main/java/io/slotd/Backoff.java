package io.slotd;

import java.time.Duration;
import java.util.Objects;

/**
 * How streams and waits try again after a cut.
 *
 * @param initial the wait before the first new try
 * @param maximum no wait is longer, unless the service asks for more
 * @param multiplier each wait is the one before times this; 1 or more
 * @param jitter each wait is changed at random by up to this share of itself, so that many readers
 *     don't come at once; 0 to 1
 * @param giveUp how long without any answer until the error is thrown; null goes on for ever
 */
public record Backoff(
    Duration initial, Duration maximum, double multiplier, double jitter, Duration giveUp) {
  /** From 0.1 s to 10 s, doubling, with a jitter of a half, for ever. */
  public static final Backoff DEFAULT =
      new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), 2, 0.5, null);

  /**
   * Throws IllegalArgumentException for negative waits, a multiplier below 1, and a jitter outside
   * of 0 to 1.
   */
  public Backoff {
    Objects.requireNonNull(initial, "initial");
    Objects.requireNonNull(maximum, "maximum");
    if (initial.isNegative() || maximum.isNegative()) {
      throw new IllegalArgumentException("a wait can't be negative");
    }
    if (!(multiplier >= 1) || !(jitter >= 0 && jitter <= 1)) {
      throw new IllegalArgumentException("multiplier is 1 or more, jitter from 0 to 1");
    }
  }

  /** The same, but an outage of this length is thrown at the caller; null goes on for ever. */
  public Backoff giveUpAfter(Duration outage) {
    return new Backoff(initial, maximum, multiplier, jitter, outage);
  }

  /** The wait after so many failures in a row, from 1; {@code chance} is from 0 to 1. */
  Duration delay(int failures, double chance) {
    double grown = initial.toNanos() * Math.pow(multiplier, failures - 1);
    double plain = Math.min(maximum.toNanos(), grown);
    return Duration.ofNanos((long) (plain * (1 + jitter * (2 * chance - 1))));
  }
}
