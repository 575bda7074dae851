#pragma once

#include <chrono>
#include <optional>

namespace slotd {

/// A length of time in seconds. Any std::chrono duration converts to it.
using Seconds = std::chrono::duration<double>;

/// How a reader or a wait tries again after a cut.
struct Backoff {
  /// Before the first new try.
  Seconds initial{0.1};
  /// No wait is longer, unless the service asks for more.
  Seconds maximum{10.0};
  /// Each wait is the one before times this.
  double multiplier = 2.0;
  /// Each wait is changed at random by up to this share of itself, so that many readers don't come at once.
  double jitter = 0.5;
  /// The error is raised after so long without any answer; without a value never.
  std::optional<Seconds> give_up;

  /// The wait after so many failures in a row (from 1); `chance` is from 0 to 1.
  Seconds Delay(int failures, double chance) const;
};

}  // namespace slotd
