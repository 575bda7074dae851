#pragma once

#include <string>

namespace slotd {

/// A random UUID (version 4): an id that no other request has.
std::string NewRequestId();

}  // namespace slotd
