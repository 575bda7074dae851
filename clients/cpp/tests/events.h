#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "slotd/v1/job_service.pb.h"

/// Messages of a stream as a service sends them.
namespace slotd_test {

inline slotd::v1::JobEvent Event(const std::string& job_id, std::int64_t revision,
                                 slotd::v1::EventType type = slotd::v1::EVENT_TYPE_CHANGED) {
  slotd::v1::JobEvent event;
  event.set_type(type);
  event.set_revision(revision);
  event.mutable_job()->set_id(job_id);
  event.mutable_job()->set_revision(revision);
  return event;
}

inline slotd::v1::JobEvent Snapshot(const std::string& job_id, std::int64_t revision) {
  return Event(job_id, revision, slotd::v1::EVENT_TYPE_SNAPSHOT);
}

inline slotd::v1::StreamResponse Message(const std::vector<slotd::v1::JobEvent>& events, const std::string& cursor = "",
                                         bool synced = false) {
  slotd::v1::StreamResponse message;
  message.mutable_events()->Add(events.begin(), events.end());
  message.set_cursor(cursor);
  message.set_synced(synced);
  message.set_revision(events.empty() ? 0 : events.back().revision());
  return message;
}

inline slotd::v1::ReadOutputResponse Piece(std::int64_t offset, const std::string& data, bool eof = false) {
  slotd::v1::ReadOutputResponse piece;
  piece.set_offset(offset);
  piece.set_data(data);
  piece.set_eof(eof);
  return piece;
}

}  // namespace slotd_test
