#include "src/progress.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <limits>

namespace slotd {
namespace {

// One Wait asks for this long; its call is given some more to answer.
constexpr Seconds kWaitSlice{20};
constexpr Seconds kWaitMargin{10};

bool IsTerminal(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

}  // namespace

EventProgress::EventProgress(v1::StreamRequest request)
    : request_(std::move(request)), received_(request_.cursor()), cursor_(request_.cursor()) {}

v1::StreamRequest EventProgress::Request() {
  present_.clear();
  v1::StreamRequest request = request_;
  request.set_cursor(received_);
  return request;
}

void EventProgress::Receive(v1::StreamResponse* message) {
  if (received_.empty()) {
    RemoveRepeats(message);
  }
  if (!message->cursor().empty()) {
    received_ = message->cursor();
  }
  if (message->synced()) {
    for (const auto& [job_id, revision] : told_) {
      if (present_.count(job_id) == 0) {
        vanished_.insert(job_id);
      }
    }
  }
  if (!received_.empty()) {
    told_.clear();
    present_.clear();
  }
}

void EventProgress::RemoveRepeats(v1::StreamResponse* message) {
  auto* events = message->mutable_events();
  const auto told_before = [this](const v1::JobEvent& event) {
    if (event.type() != v1::EVENT_TYPE_SNAPSHOT) {
      return false;
    }
    const v1::Job& job = event.job();
    present_.insert(job.id());
    const auto [told, is_new] = told_.try_emplace(job.id(), job.revision());
    if (!is_new && job.revision() <= told->second) {
      return true;
    }
    told->second = job.revision();
    return false;
  };
  events->erase(std::remove_if(events->begin(), events->end(), told_before), events->end());
}

void EventProgress::Queue(v1::StreamResponse message) {
  for (v1::JobEvent& event : *message.mutable_events()) {
    pending_.push_back(std::move(event));
  }
  message.clear_events();
  settling_ = std::move(message);
  if (pending_.empty()) {
    Settle(settling_);
  }
}

std::optional<v1::JobEvent> EventProgress::NextEvent() {
  if (pending_.empty()) {
    return std::nullopt;
  }
  v1::JobEvent event = std::move(pending_.front());
  pending_.pop_front();
  if (pending_.empty()) {
    Settle(settling_);
  }
  return event;
}

void EventProgress::Settle(const v1::StreamResponse& message) {
  if (!message.cursor().empty()) {
    cursor_ = message.cursor();
  }
  revision_ = std::max<std::int64_t>(revision_, message.revision());
  synced_ = synced_ || message.synced();
}

OutputProgress::OutputProgress(v1::ReadOutputRequest request) : request_(std::move(request)) {}

v1::ReadOutputRequest OutputProgress::Request() const { return request_; }

std::string OutputProgress::Receive(v1::ReadOutputResponse message) {
  std::string data = std::move(*message.mutable_data());
  const std::int64_t end = message.offset() + static_cast<std::int64_t>(data.size());
  const std::int64_t known = std::clamp<std::int64_t>(offset() - message.offset(), 0, data.size());
  data.erase(0, known);
  request_.set_offset(std::max<std::int64_t>(offset(), end));
  truncated_ = truncated_ || message.truncated();
  ended_ = ended_ || message.eof();
  return data;
}

WaitProgress::WaitProgress(std::string job_id, v1::JobView view, std::optional<Seconds> timeout, Outage outage,
                           Clock clock)
    : job_id_(std::move(job_id)), view_(view), outage_(std::move(outage)), clock_(std::move(clock)) {
  if (timeout) {
    end_ = clock_() + *timeout;
  }
}

std::pair<v1::WaitRequest, Seconds> WaitProgress::Request() const {
  const Seconds slice = std::min(kWaitSlice, Left());
  v1::WaitRequest request;
  request.set_id(job_id_);
  request.set_view(view_);
  *request.mutable_timeout() = google::protobuf::util::TimeUtil::NanosecondsToDuration(
      std::chrono::duration_cast<std::chrono::nanoseconds>(slice).count());
  return {request, slice + kWaitMargin};
}

bool WaitProgress::Answered(const v1::Job& job) {
  outage_.Answered();
  return IsTerminal(job.state()) || Left() <= Seconds(0);
}

std::optional<Seconds> WaitProgress::Failed(const Error& error) {
  const Seconds left = Left();
  const std::optional<Seconds> delay = outage_.Failed(error);
  if (!delay || left <= Seconds(0)) {
    return std::nullopt;
  }
  return std::min(*delay, left);
}

Seconds WaitProgress::Left() const {
  if (!end_) {
    return Seconds(std::numeric_limits<double>::infinity());
  }
  return std::max(Seconds(0), *end_ - clock_());
}

}  // namespace slotd
