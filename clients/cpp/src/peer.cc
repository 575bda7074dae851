#include "src/peer.h"

#include <chrono>

namespace slotd {
namespace {

// A longer timeout may not fit the clock, and is none.
constexpr Seconds kLongestTimeout = std::chrono::hours(24 * 365);

}  // namespace

Peer::Peer(std::string address, std::vector<std::pair<std::string, std::string>> metadata, const Backoff& reconnect)
    : address_(std::move(address)), metadata_(std::move(metadata)), reconnect_(reconnect) {}

void Peer::Prepare(grpc::ClientContext* context, std::optional<Seconds> timeout) const {
  for (const auto& [key, value] : metadata_) {
    context->AddMetadata(key, value);
  }
  if (timeout && *timeout < kLongestTimeout) {
    const auto length = std::chrono::duration_cast<std::chrono::system_clock::duration>(*timeout);
    context->set_deadline(std::chrono::system_clock::now() + length);
  }
}

Error Peer::Refused(const grpc::Status& status) {
  Error error(status, address_);
  if (error.code() != grpc::StatusCode::UNAVAILABLE || error.connected()) {
    reached_ = true;
  }
  return error;
}

Outage Peer::NewOutage() const { return {reconnect_, reached_}; }

}  // namespace slotd
