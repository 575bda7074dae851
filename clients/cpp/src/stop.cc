#include "src/stop.h"

#include <algorithm>
#include <utility>

namespace slotd {
namespace {

// A longer time may not fit the clock.
constexpr Seconds kLongestSleep{86'400};

}  // namespace

Stop::Hook::Hook(Stop* stop, std::function<void()> function) : stop_(stop), function_(std::move(function)) {
  const std::lock_guard lock(stop_->mutex_);
  stop_->hooks_.insert(this);
  if (stop_->requested_) {
    function_();
  }
}

Stop::Hook::~Hook() {
  const std::lock_guard lock(stop_->mutex_);
  stop_->hooks_.erase(this);
}

void Stop::Request() {
  const std::lock_guard lock(mutex_);
  if (requested_) {
    return;
  }
  requested_ = true;
  changed_.notify_all();
  // Under the lock, so that a hook's destructor waits until its function has returned.
  for (Hook* hook : hooks_) {
    hook->function_();
  }
}

bool Stop::requested() const {
  const std::lock_guard lock(mutex_);
  return requested_;
}

void Stop::Sleep(Seconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::min(time, kLongestSleep), [this] { return requested_; });
}

}  // namespace slotd
