#pragma once

#include "conformance/messages.h"
#include "slotd/client.h"

namespace conformance {

/// Does what the benchmark asks for through `client`, and tells how many seconds that took.
Json Measure(slotd::Client& client, const Json& request);

}  // namespace conformance
