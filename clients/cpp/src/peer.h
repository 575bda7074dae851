#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "slotd/backoff.h"
#include "slotd/error.h"
#include "src/outage.h"
#include "src/stop.h"

namespace slotd {

/// The service as one client sees it: its address, how it is called, and whether it has answered yet.
class Peer {
 public:
  Peer(std::string address, std::vector<std::pair<std::string, std::string>> metadata, const Backoff& reconnect);

  /// Sets up a call's metadata and its deadline, where it has one.
  void Prepare(grpc::ClientContext* context, std::optional<Seconds> timeout) const;

  /// A call came through.
  void Answered() { reached_ = true; }
  /// A call failed: returns what to raise.
  Error Refused(const grpc::Status& status);

  /// A count of failures for one new reader.
  Outage NewOutage() const;

  /// Requested when the client is closed.
  Stop& stop() { return stop_; }

 private:
  std::string address_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  Backoff reconnect_;
  std::atomic<bool> reached_ = false;
  Stop stop_;
};

}  // namespace slotd
