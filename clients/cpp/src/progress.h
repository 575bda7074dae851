#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "slotd/error.h"
#include "slotd/v1/job_service.pb.h"
#include "src/outage.h"

/// How far a reader has come, over all the calls that it takes: what to ask for next, and what is new of the answer.
/// Nothing here does input or output.
namespace slotd {

/// How far a stream of events has come: what to ask for next, what to hand out, and the position after that.
///
/// Once the service has sent a cursor, a cut stream goes on from the last one, without gap or duplicate. Before that,
/// within the first snapshot, there is nothing to go on from: the snapshot is asked for again, and of it only those
/// jobs are handed out that are new or of a higher revision than before.
class EventProgress {
 public:
  explicit EventProgress(v1::StreamRequest request);

  /// What the next call asks for.
  v1::StreamRequest Request();
  /// Takes in a message; removes the events from it that were handed out before.
  void Receive(v1::StreamResponse* message);
  /// Lines up a received message's events for `NextEvent`; there must be none waiting.
  void Queue(v1::StreamResponse message);
  /// The next event in line; nothing when a message is needed.
  std::optional<v1::JobEvent> NextEvent();
  /// All events of this message have been handed out: the position moves behind it.
  void Settle(const v1::StreamResponse& message);

  const std::string& cursor() const { return cursor_; }
  std::int64_t revision() const { return revision_; }
  bool synced() const { return synced_; }
  const std::set<std::string>& vanished() const { return vanished_; }

 private:
  void RemoveRepeats(v1::StreamResponse* message);

  v1::StreamRequest request_;
  // The newest cursor received; `cursor_` follows once its message has been handed out.
  std::string received_;
  // By job, the revision that was handed out of a snapshot for which no cursor has come yet.
  std::map<std::string, std::int64_t> told_;
  // The jobs of the snapshot that comes in.
  std::set<std::string> present_;
  std::deque<v1::JobEvent> pending_;
  // The message, without its events, whose events are pending.
  v1::StreamResponse settling_;

  std::string cursor_;
  std::int64_t revision_ = 0;
  bool synced_ = false;
  std::set<std::string> vanished_;
};

/// How far a job's output has been read.
class OutputProgress {
 public:
  explicit OutputProgress(v1::ReadOutputRequest request);

  /// What the next call asks for.
  v1::ReadOutputRequest Request() const;
  /// Takes in a message; returns its bytes, less those that were handed out before.
  std::string Receive(v1::ReadOutputResponse message);

  std::int64_t offset() const { return request_.offset(); }
  bool truncated() const { return truncated_; }
  bool ended() const { return ended_; }

 private:
  v1::ReadOutputRequest request_;
  bool truncated_ = false;
  bool ended_ = false;
};

/// A wait of any length as a row of bounded Waits, none of which hangs for ever on a service that has gone.
class WaitProgress {
 public:
  WaitProgress(std::string job_id, v1::JobView view, std::optional<Seconds> timeout, Outage outage,
               Clock clock = SteadyNow);

  /// The next Wait, and the timeout of its call.
  std::pair<v1::WaitRequest, Seconds> Request() const;
  /// Says whether this is the answer: the job is terminal, or the time is over.
  bool Answered(const v1::Job& job);
  /// How long to wait before the next Wait; nothing when the error is the caller's to know.
  std::optional<Seconds> Failed(const Error& error);

 private:
  Seconds Left() const;

  std::string job_id_;
  v1::JobView view_;
  Outage outage_;
  Clock clock_;
  std::optional<Seconds> end_;
};

}  // namespace slotd
