#pragma once

#include <google/protobuf/message.h>

#include <stdexcept>
#include <string>

#include "slotd/v1/job.pb.h"

/// What a job's argument and its result are made of: bytes and their content type. `slotd/nlohmann.h` has the same for
/// JSON values.
namespace slotd {

/// A value that has no form as the wanted content type.
class EncodeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bytes that are not what their content type, or the caller, says.
class DecodeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `application/json`, from text that is JSON already; it is not looked at.
v1::Payload JsonPayload(std::string json);

/// `application/json`, from the proto3 JSON form of a message. Raises EncodeError where it has none.
v1::Payload JsonPayload(const google::protobuf::Message& message);

/// `text/plain`, in UTF-8.
v1::Payload TextPayload(std::string text);

/// `application/octet-stream`.
v1::Payload BytesPayload(std::string bytes);

/// `application/protobuf; type=FULL.NAME`.
v1::Payload ProtobufPayload(const google::protobuf::Message& message);

/// The media type without parameters, in small letters: `text/plain` of `Text/Plain; charset=utf-8`.
std::string MediaType(const v1::Payload& payload);

/// The text of an `application/json` payload, which is not parsed. Raises DecodeError for another content type.
const std::string& JsonText(const v1::Payload& payload);

/// What a `text/plain` payload says. Raises DecodeError for another content type, and for another charset than UTF-8.
const std::string& Text(const v1::Payload& payload);

/// Parses `application/protobuf`, or the proto3 JSON form, into a message. Raises DecodeError where it is neither, or
/// where the content type names another message; what `message` holds is not defined then.
void Decode(const v1::Payload& payload, google::protobuf::Message* message);

/// The same, as a value: `slotd::Decode<MyResult>(job.result())`.
template <class M>
M Decode(const v1::Payload& payload) {
  M message;
  Decode(payload, &message);
  return message;
}

}  // namespace slotd
