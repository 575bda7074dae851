#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "conformance/messages.h"
#include "slotd/client.h"

namespace conformance {

/// Reads one stream in a thread of its own, so that others can read from it with a timeout.
class EventFeed {
 public:
  /// What a read waits for: the first of these; the end always.
  struct Wanted {
    std::optional<std::size_t> count;
    bool synced = false;
    slotd::Seconds timeout{0};
  };

  explicit EventFeed(slotd::EventReader reader);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  /// Raises slotd::Error: the stream's own, or DEADLINE_EXCEEDED, and then leaves what is there for the next read.
  Json Read(const Wanted& wanted);

  /// Ends the stream.
  void Close();

 private:
  // An event, or what a message without events said, and where the stream is after it.
  struct Step {
    std::optional<slotd::v1::JobEvent> event;
    std::string cursor;
    bool synced = false;
    bool ended = false;
  };

  void Pump();
  void Add(const slotd::v1::StreamResponse& message);
  std::optional<std::size_t> Enough(const Wanted& wanted) const;
  Json Take(std::size_t steps);

  slotd::EventReader reader_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Step> steps_;
  std::exception_ptr failure_;
  // After what has been read.
  std::string cursor_;
  bool synced_ = false;
  bool ended_ = false;

  std::thread pump_;
};

}  // namespace conformance
