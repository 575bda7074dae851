#include "slotd/payload.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <utility>

namespace slotd {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kText = "text/plain";
constexpr const char* kBytes = "application/octet-stream";
constexpr const char* kProtobuf = "application/protobuf";
constexpr const char* kOldProtobuf = "application/x-protobuf";

v1::Payload Make(std::string content_type, std::string data) {
  v1::Payload payload;
  payload.set_content_type(std::move(content_type));
  payload.set_data(std::move(data));
  return payload;
}

std::string Trimmed(const std::string& text, const char* unwanted) {
  const std::size_t first = text.find_first_not_of(unwanted);
  if (first == std::string::npos) {
    return "";
  }
  return text.substr(first, text.find_last_not_of(unwanted) - first + 1);
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

struct ContentType {
  std::string media_type;
  // By name in small letters; values without their quotes.
  std::map<std::string, std::string> parameters;
};

ContentType Parse(const std::string& text) {
  ContentType parsed;
  std::istringstream pieces(text);
  std::string piece;
  std::getline(pieces, piece, ';');
  parsed.media_type = Lower(Trimmed(piece, " \t"));
  while (std::getline(pieces, piece, ';')) {
    const std::size_t equals = piece.find('=');
    const std::string value = equals == std::string::npos ? "" : piece.substr(equals + 1);
    parsed.parameters[Lower(Trimmed(piece.substr(0, equals), " \t"))] = Trimmed(value, " \t\"");
  }
  return parsed;
}

std::string Named(const std::string& media_type) { return media_type.empty() ? "bytes of no type" : media_type; }

void DecodeProtobuf(const v1::Payload& payload, const ContentType& type, google::protobuf::Message* message) {
  const std::string& wanted = message->GetDescriptor()->full_name();
  const auto named = type.parameters.find("type");
  if (named != type.parameters.end() && named->second != wanted) {
    throw DecodeError("wanted a " + wanted + ", got a " + named->second);
  }
  if (!message->ParseFromString(payload.data())) {
    throw DecodeError("not a " + wanted);
  }
}

}  // namespace

v1::Payload JsonPayload(std::string json) { return Make(kJson, std::move(json)); }

v1::Payload JsonPayload(const google::protobuf::Message& message) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json);
  if (!status.ok()) {
    throw EncodeError(message.GetDescriptor()->full_name() + " has no JSON form: " + status.ToString());
  }
  return JsonPayload(std::move(json));
}

v1::Payload TextPayload(std::string text) { return Make(kText, std::move(text)); }

v1::Payload BytesPayload(std::string bytes) { return Make(kBytes, std::move(bytes)); }

v1::Payload ProtobufPayload(const google::protobuf::Message& message) {
  std::string data;
  {
    google::protobuf::io::StringOutputStream stream(&data);
    google::protobuf::io::CodedOutputStream coded(&stream);
    // So that a repeated request with the same id carries the same bytes.
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return Make(std::string(kProtobuf) + "; type=" + message.GetDescriptor()->full_name(), std::move(data));
}

std::string MediaType(const v1::Payload& payload) { return Parse(payload.content_type()).media_type; }

const std::string& JsonText(const v1::Payload& payload) {
  const std::string media_type = MediaType(payload);
  if (media_type != kJson) {
    throw DecodeError("wanted JSON, got " + Named(media_type));
  }
  return payload.data();
}

const std::string& Text(const v1::Payload& payload) {
  const ContentType type = Parse(payload.content_type());
  if (type.media_type != kText) {
    throw DecodeError("wanted text, got " + Named(type.media_type));
  }
  const auto charset = type.parameters.find("charset");
  if (charset != type.parameters.end() && Lower(charset->second) != "utf-8") {
    throw DecodeError("wanted text in UTF-8, got " + charset->second);
  }
  return payload.data();
}

void Decode(const v1::Payload& payload, google::protobuf::Message* message) {
  const ContentType type = Parse(payload.content_type());
  if (type.media_type == kProtobuf || type.media_type == kOldProtobuf) {
    DecodeProtobuf(payload, type, message);
    return;
  }
  if (type.media_type != kJson) {
    throw DecodeError("wanted a message as protobuf or JSON, got " + Named(type.media_type));
  }
  const auto status = google::protobuf::util::JsonStringToMessage(payload.data(), message);
  if (!status.ok()) {
    throw DecodeError("not the JSON form of " + message->GetDescriptor()->full_name() + ": " + status.ToString());
  }
}

}  // namespace slotd
