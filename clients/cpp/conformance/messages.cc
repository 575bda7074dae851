#include "conformance/messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <memory>
#include <stdexcept>
#include <utility>

namespace conformance {
namespace {

std::unique_ptr<google::protobuf::Message> NewMessage(const std::string& type) {
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) {
    throw std::invalid_argument("no message type " + type);
  }
  const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
  return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

}  // namespace

Json ToJson(const google::protobuf::Message& message) {
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text);
  if (!status.ok()) {
    throw std::invalid_argument(status.ToString());
  }
  return Json::parse(text);
}

void FromJson(const Json& json, google::protobuf::Message* message) {
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), message);
  if (!status.ok()) {
    throw std::invalid_argument(status.ToString());
  }
}

Json Base64(std::string bytes) {
  google::protobuf::BytesValue value;
  value.set_value(std::move(bytes));
  return ToJson(value);
}

Json ToJson(const slotd::Error& error) {
  Json json = PlainError(slotd::CodeName(error.code()), error.reason(), error.message());
  json["metadata"] = error.metadata();
  for (const auto& one : error.field_violations()) {
    json["violations"].push_back({{"field", one.field}, {"description", one.description}});
  }
  for (const auto& one : error.precondition_violations()) {
    json["preconditions"].push_back({{"type", one.type}, {"subject", one.subject}, {"description", one.description}});
  }
  for (const auto& one : error.quota_violations()) {
    json["quotas"].push_back({{"subject", one.subject}, {"description", one.description}});
  }
  if (error.resource()) {
    json["resource"] = {{"type", error.resource()->type}, {"name", error.resource()->name}};
  }
  if (error.retry_delay()) {
    json["retry_seconds"] = error.retry_delay()->count();
  }
  return json;
}

Json PlainError(const std::string& code, const std::string& reason, const std::string& message) {
  return {{"code", code},
          {"reason", reason},
          {"message", message},
          {"metadata", Json::object()},
          {"violations", Json::array()},
          {"preconditions", Json::array()},
          {"quotas", Json::array()},
          {"resource", nullptr},
          {"retry_seconds", nullptr}};
}

Json Echo(const std::string& type, const Json& json) {
  const auto given = NewMessage(type);
  FromJson(json, given.get());
  const std::string binary = given->SerializeAsString();
  const auto parsed = NewMessage(type);
  if (!parsed->ParseFromString(binary)) {
    throw std::invalid_argument("a " + type + " does not parse what it wrote");
  }
  return {{"json", ToJson(*parsed)}, {"binary", Base64(binary)}};
}

}  // namespace conformance
