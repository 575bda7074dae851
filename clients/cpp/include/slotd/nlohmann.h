#pragma once

#include <nlohmann/json.hpp>

#include "slotd/payload.h"

/// JSON payloads as values of nlohmann::json. Include it where you use that library; nothing else of slotd needs it.
namespace slotd {

/// An `application/json` payload. Raises EncodeError for strings that are not UTF-8.
inline v1::Payload EncodeJson(const nlohmann::json& value) {
  try {
    return JsonPayload(value.dump());
  } catch (const nlohmann::json::exception& error) {
    throw EncodeError(error.what());
  }
}

/// What an `application/json` payload holds. Raises DecodeError for another content type, and for what is not JSON.
inline nlohmann::json DecodeJson(const v1::Payload& payload) {
  try {
    return nlohmann::json::parse(JsonText(payload));
  } catch (const nlohmann::json::exception& error) {
    throw DecodeError(error.what());
  }
}

}  // namespace slotd
