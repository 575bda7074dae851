#include "src/request_id.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>

namespace slotd {

std::string NewRequestId() {
  // Straight from the system: a generator of our own could be copied by a fork, and then give the same ids twice.
  std::random_device random;
  std::uniform_int_distribution<std::uint32_t> any;
  const std::uint32_t a = any(random);
  const std::uint32_t b = (any(random) & 0xFFFF0FFFU) | 0x00004000U;
  const std::uint32_t c = (any(random) & 0x3FFFFFFFU) | 0x80000000U;
  const std::uint32_t d = any(random);
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%04x%08x", a, b >> 16U, b & 0xFFFFU, c >> 16U,
                c & 0xFFFFU, d);
  return text.data();
}

}  // namespace slotd
