#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <string>

#include "slotd/error.h"

/// Messages and errors as the JSON of the conformance driver's protocol.
namespace conformance {

using Json = nlohmann::json;

/// The proto3 JSON form.
Json ToJson(const google::protobuf::Message& message);

/// Parses the proto3 JSON form. Raises std::invalid_argument where it is none.
void FromJson(const Json& json, google::protobuf::Message* message);

template <class M>
M FromJson(const Json& json) {
  M message;
  FromJson(json, &message);
  return message;
}

/// Bytes in base64.
Json Base64(std::string bytes);

/// What the protocol says of an error.
Json ToJson(const slotd::Error& error);

/// The same for an error that has a code, a reason and words, and no more.
Json PlainError(const std::string& code, const std::string& reason, const std::string& message);

/// From proto JSON to bytes, back, and to proto JSON again. `type` is a message's full name.
Json Echo(const std::string& type, const Json& json);

}  // namespace conformance
