// The names dfb::... that a program gives to its circular buffers.
#pragma once

#include <cstdint>

namespace dfb {
enum AccessPattern : uint8_t { STRIDED, ALL, BLOCKED, UNKNOWN };
}  // namespace dfb

template <dfb::AccessPattern Producer = dfb::AccessPattern::UNKNOWN,
          dfb::AccessPattern Consumer = dfb::AccessPattern::UNKNOWN>
struct DFBBindingToken {
  explicit constexpr DFBBindingToken(uint16_t id) noexcept : id_(id) {}
  constexpr operator uint32_t() const noexcept { return id_; }

 private:
  uint16_t id_;
};
