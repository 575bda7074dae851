#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <unordered_set>

#include "slotd/backoff.h"

namespace slotd {

/// Asks what goes on in other threads to stop. (C++20 has std::stop_source.)
class Stop {
 public:
  /// Calls a function when the stop is requested, at once if it has been. After its destructor has returned the
  /// function is not running and will not run. The function must not touch the hooks of the same Stop.
  class Hook {
   public:
    Hook(Stop* stop, std::function<void()> function);
    ~Hook();
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;

   private:
    friend class Stop;
    Stop* stop_;
    std::function<void()> function_;
  };

  void Request();
  bool requested() const;
  /// Waits for so long, a day at most, or until the stop is requested.
  void Sleep(Seconds time);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool requested_ = false;
  std::unordered_set<Hook*> hooks_;
};

}  // namespace slotd
