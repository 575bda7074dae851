#include "slotd/error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "google/rpc/error_details.pb.h"

namespace slotd {

struct Error::Facts {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string message;
  std::string reason;
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> field_violations;
  std::vector<PreconditionViolation> precondition_violations;
  std::vector<QuotaViolation> quota_violations;
  std::optional<Resource> resource;
  std::optional<Seconds> retry_delay;
  bool connected = true;
  google::rpc::Status status;
};

namespace {

// How gRPC's core begins when no connection could be made at all, as against one that broke.
constexpr std::array<std::string_view, 5> kNotConnected = {
    "failed to connect", "dns resolution failed", "name resolution", "empty address list", "unavailable: failed",
};

// The first detail of a type, or nothing.
template <class Detail>
std::optional<Detail> Find(const google::rpc::Status& status) {
  Detail detail;
  for (const google::protobuf::Any& packed : status.details()) {
    if (packed.UnpackTo(&detail)) {
      return detail;
    }
  }
  return std::nullopt;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool SaysNotConnected(const std::string& message) {
  const std::string lower = Lower(message);
  return std::any_of(kNotConnected.begin(), kNotConnected.end(),
                     [&](std::string_view start) { return lower.compare(0, start.size(), start) == 0; });
}

std::string Words(const std::string& message, const std::string& name) {
  return message.empty() ? name : message + " (" + name + ")";
}

}  // namespace

std::shared_ptr<const Error::Facts> Error::Read(const grpc::Status& status, const std::string& address) {
  auto facts = std::make_shared<Facts>();
  facts->code = status.error_code();
  facts->message = status.error_message();
  if (!facts->status.ParseFromString(status.error_details())) {
    // Whatever sits between here and the service may have mangled it; code and message still hold.
    facts->status.Clear();
  }
  const auto info = Find<google::rpc::ErrorInfo>(facts->status);
  if (info) {
    facts->reason = info->reason();
    facts->metadata = {info->metadata().begin(), info->metadata().end()};
  }
  if (const auto request = Find<google::rpc::BadRequest>(facts->status)) {
    for (const auto& one : request->field_violations()) {
      facts->field_violations.push_back({one.field(), one.description()});
    }
  }
  if (const auto failure = Find<google::rpc::PreconditionFailure>(facts->status)) {
    for (const auto& one : failure->violations()) {
      facts->precondition_violations.push_back({one.type(), one.subject(), one.description()});
    }
  }
  if (const auto failure = Find<google::rpc::QuotaFailure>(facts->status)) {
    for (const auto& one : failure->violations()) {
      facts->quota_violations.push_back({one.subject(), one.description()});
    }
  }
  if (const auto resource = Find<google::rpc::ResourceInfo>(facts->status)) {
    facts->resource = Resource{resource->resource_type(), resource->resource_name()};
  }
  if (const auto retry = Find<google::rpc::RetryInfo>(facts->status)) {
    const Seconds delay(static_cast<double>(retry->retry_delay().seconds()) + retry->retry_delay().nanos() / 1e9);
    facts->retry_delay = std::max(Seconds(0), delay);
  }
  facts->connected =
      !(facts->code == grpc::StatusCode::UNAVAILABLE && !info.has_value() && SaysNotConnected(facts->message));
  if (!facts->connected && !address.empty()) {
    facts->message = "no service at " + address;
  }
  return facts;
}

Error::Error(const grpc::Status& status, const std::string& address) : Error(Read(status, address)) {}

Error::Error(std::shared_ptr<const Facts> facts)
    : std::runtime_error(Words(facts->message, facts->reason.empty() ? CodeName(facts->code) : facts->reason)),
      facts_(std::move(facts)) {}

grpc::StatusCode Error::code() const noexcept { return facts_->code; }
const std::string& Error::message() const noexcept { return facts_->message; }
const std::string& Error::reason() const noexcept { return facts_->reason; }
const std::map<std::string, std::string>& Error::metadata() const noexcept { return facts_->metadata; }
const std::vector<FieldViolation>& Error::field_violations() const noexcept { return facts_->field_violations; }
const std::vector<PreconditionViolation>& Error::precondition_violations() const noexcept {
  return facts_->precondition_violations;
}
const std::vector<QuotaViolation>& Error::quota_violations() const noexcept { return facts_->quota_violations; }
const std::optional<Resource>& Error::resource() const noexcept { return facts_->resource; }
const std::optional<Seconds>& Error::retry_delay() const noexcept { return facts_->retry_delay; }
bool Error::connected() const noexcept { return facts_->connected; }
const google::rpc::Status& Error::status() const noexcept { return facts_->status; }

const char* CodeName(grpc::StatusCode code) noexcept {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::CANCELLED:
      return "CANCELLED";
    case grpc::StatusCode::UNKNOWN:
      return "UNKNOWN";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED:
      return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL:
      return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS:
      return "DATA_LOSS";
    case grpc::StatusCode::DO_NOT_USE:
      break;
  }
  // A code that a newer service or a proxy made up.
  return "UNKNOWN";
}

}  // namespace slotd
