#include "conformance/event_feed.h"

#include <utility>

namespace conformance {

EventFeed::EventFeed(slotd::EventReader reader)
    : reader_(std::move(reader)), cursor_(reader_.cursor()), pump_([this] { Pump(); }) {}

EventFeed::~EventFeed() {
  Close();
  pump_.join();
}

void EventFeed::Close() { reader_.Close(); }

Json EventFeed::Read(const Wanted& wanted) {
  std::unique_lock lock(mutex_);
  std::optional<std::size_t> steps;
  const bool in_time = changed_.wait_for(lock, wanted.timeout, [&] {
    steps = Enough(wanted);
    return steps.has_value() || failure_ != nullptr;
  });
  if (steps) {
    return Take(*steps);
  }
  if (in_time) {
    std::rethrow_exception(failure_);
  }
  throw slotd::Error(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "the stream did not say that much in time"));
}

void EventFeed::Pump() {
  Step end;
  std::exception_ptr failure;
  try {
    while (const auto message = reader_.NextMessage()) {
      Add(*message);
    }
    end.ended = true;
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  if (end.ended) {
    end.cursor = reader_.cursor();
    steps_.push_back(std::move(end));
  }
  failure_ = failure;
  changed_.notify_all();
}

void EventFeed::Add(const slotd::v1::StreamResponse& message) {
  const std::lock_guard lock(mutex_);
  for (const auto& event : message.events()) {
    steps_.push_back({event, "", false, false});
  }
  if (message.events().empty()) {
    steps_.emplace_back();
  }
  steps_.back().cursor = reader_.cursor();
  steps_.back().synced = reader_.synced();
  changed_.notify_all();
}

// How many steps fulfil what is wanted; nothing when more have to come.
std::optional<std::size_t> EventFeed::Enough(const Wanted& wanted) const {
  if (ended_ || (wanted.synced && synced_)) {
    return 0;
  }
  std::size_t events = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    events += step.event ? 1 : 0;
    if (step.ended || (wanted.synced && step.synced) || (wanted.count && events >= *wanted.count)) {
      return i + 1;
    }
  }
  return std::nullopt;
}

Json EventFeed::Take(std::size_t steps) {
  Json events = Json::array();
  for (; steps > 0; --steps) {
    const Step& step = steps_.front();
    if (step.event) {
      events.push_back(ToJson(*step.event));
    }
    if (!step.cursor.empty()) {
      cursor_ = step.cursor;
    }
    synced_ = synced_ || step.synced;
    ended_ = ended_ || step.ended;
    steps_.pop_front();
  }
  return {{"events", events}, {"synced", synced_}, {"cursor", cursor_}, {"ended", ended_}};
}

}  // namespace conformance
