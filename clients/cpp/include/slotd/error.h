#pragma once

#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "slotd/backoff.h"

namespace slotd {

/// A field that the service did not take (google.rpc.BadRequest).
struct FieldViolation {
  /// Its path: `spec.kind`, `requests[3].spec.kind`.
  std::string field;
  std::string description;
};

/// What stands in the way (google.rpc.PreconditionFailure).
struct PreconditionViolation {
  std::string type;
  std::string subject;
  std::string description;
};

/// A limit that was exceeded (google.rpc.QuotaFailure).
struct QuotaViolation {
  std::string subject;
  std::string description;
};

/// What the error is about (google.rpc.ResourceInfo).
struct Resource {
  std::string type;
  std::string name;
};

/// A call that the service refused, or that did not reach it. What the library throws; copying it throws nothing.
///
/// `code` says which kind of error it is, `reason` exactly which: JOB_NOT_FOUND, CURSOR_EXPIRED, UNIQUE_KEY_TAKEN …
class Error : public std::runtime_error {
 public:
  /// Translates what a call of the raw stubs answered. `address` is what the caller knows the service by; it is named
  /// where no connection could be made.
  explicit Error(const grpc::Status& status, const std::string& address = "");

  grpc::StatusCode code() const noexcept;
  /// What happened, in words.
  const std::string& message() const noexcept;
  /// UPPER_SNAKE, from google.rpc.ErrorInfo; empty where none was sent.
  const std::string& reason() const noexcept;
  /// What google.rpc.ErrorInfo has beside the reason; of ALREADY_EXISTS the `job_id`.
  const std::map<std::string, std::string>& metadata() const noexcept;
  const std::vector<FieldViolation>& field_violations() const noexcept;
  const std::vector<PreconditionViolation>& precondition_violations() const noexcept;
  const std::vector<QuotaViolation>& quota_violations() const noexcept;
  const std::optional<Resource>& resource() const noexcept;
  /// After how long the service says that another try makes sense; nothing where it does not say.
  const std::optional<Seconds>& retry_delay() const noexcept;
  /// False when no connection could be made: nothing was asked, nothing was done.
  bool connected() const noexcept;
  /// Everything that was sent, for details that have no method here. Without details where none came or they were
  /// unreadable.
  const google::rpc::Status& status() const noexcept;

 private:
  struct Facts;

  explicit Error(std::shared_ptr<const Facts> facts);
  static std::shared_ptr<const Facts> Read(const grpc::Status& status, const std::string& address);

  std::shared_ptr<const Facts> facts_;
};

/// The name of a status code: `NOT_FOUND`.
const char* CodeName(grpc::StatusCode code) noexcept;

}  // namespace slotd
