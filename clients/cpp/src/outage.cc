#include "src/outage.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <utility>

namespace slotd {
namespace {

// How often a service that has never answered is tried before the caller hears that there is none.
constexpr int kFirstTries = 4;

// Bounds the exponent, so that a long outage does not overflow.
constexpr int kMostDoublings = 64;

}  // namespace

Seconds Backoff::Delay(int failures, double chance) const {
  const Seconds plain = std::min(maximum, initial * std::pow(multiplier, std::min(failures - 1, kMostDoublings)));
  return plain * (1 + jitter * (2 * chance - 1));
}

Seconds SteadyNow() { return std::chrono::steady_clock::now().time_since_epoch(); }

double RandomChance() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>{}(engine);
}

Outage::Outage(const Backoff& backoff, bool reached, Clock clock, Chance chance)
    : backoff_(backoff), reached_(reached), clock_(std::move(clock)), chance_(std::move(chance)) {}

void Outage::Answered() {
  reached_ = true;
  failures_ = 0;
}

std::optional<Seconds> Outage::Failed(const Error& error) {
  if (!Passes(error)) {
    return std::nullopt;
  }
  if (failures_ == 0) {
    since_ = clock_();
  }
  ++failures_;
  if (error.code() != grpc::StatusCode::DEADLINE_EXCEEDED && error.connected()) {
    // A connection that broke, or a service that says it is going: there was one.
    reached_ = true;
  }
  if (!reached_ && failures_ >= kFirstTries) {
    return std::nullopt;
  }
  if (backoff_.give_up && clock_() - since_ >= *backoff_.give_up) {
    return std::nullopt;
  }
  return std::max(backoff_.Delay(failures_, chance_()), error.retry_delay().value_or(Seconds(0)));
}

bool Outage::Passes(const Error& error) const {
  if (error.code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
    // The service may still count the stream that was cut, until it notices. A message that is too large has no
    // RetryInfo, and would be too large again.
    return reached_ && error.retry_delay().has_value();
  }
  // A server that stops cancels the calls that it has accepted but not begun.
  return error.code() == grpc::StatusCode::UNAVAILABLE || error.code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
         error.code() == grpc::StatusCode::CANCELLED;
}

}  // namespace slotd
