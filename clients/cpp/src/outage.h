#pragma once

#include <functional>
#include <optional>

#include "slotd/backoff.h"
#include "slotd/error.h"

namespace slotd {

/// Seconds on a clock that never goes back.
using Clock = std::function<Seconds()>;
/// A random number from 0 to 1.
using Chance = std::function<double()>;

Seconds SteadyNow();
double RandomChance();

/// One reader's failures in a row: says how long to wait before the next try, or that there shall be none.
class Outage {
 public:
  /// `reached`: the service has answered before, so that its being away is taken for a restart.
  Outage(const Backoff& backoff, bool reached, Clock clock = SteadyNow, Chance chance = RandomChance);

  /// The service answered: the next failure is a first one.
  void Answered();

  /// How long to wait before the next try; nothing when the error is the caller's to know. Not to be asked about a call
  /// that this side has ended.
  std::optional<Seconds> Failed(const Error& error);

 private:
  bool Passes(const Error& error) const;

  Backoff backoff_;
  bool reached_;
  Clock clock_;
  Chance chance_;
  int failures_ = 0;
  Seconds since_{0};
};

}  // namespace slotd
