#pragma once

#include <google/protobuf/any.pb.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "slotd/error.h"

/// Statuses as gRPC hands them out, with details as the service sends them.
namespace slotd_test {

template <class... Details>
grpc::Status Refusal(grpc::StatusCode code, const std::string& message, const Details&... details) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(message);
  (status.add_details()->PackFrom(details), ...);
  return {code, message, status.SerializeAsString()};
}

inline google::rpc::RetryInfo RetryIn(int seconds) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(seconds);
  return info;
}

inline google::rpc::ErrorInfo Reason(const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_domain("slotd");
  info.set_reason(reason);
  return info;
}

/// What gRPC says where no connection can be made.
inline grpc::Status NotConnected() {
  return {grpc::StatusCode::UNAVAILABLE, "failed to connect to all addresses; last error: Connection refused"};
}

/// What gRPC says where a connection broke.
inline grpc::Status Cut() { return {grpc::StatusCode::UNAVAILABLE, "Socket closed"}; }

/// What becomes of a call that a server has accepted but not begun when it stops.
inline grpc::Status Stopped() { return {grpc::StatusCode::CANCELLED, "CANCELLED"}; }

}  // namespace slotd_test
