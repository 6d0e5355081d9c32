// Named arguments: the program generates a constant args::... of one of these kinds per name.
#pragma once

#include "tt_mock/common.h"

#define TT_KERNEL static FORCE_INLINE

namespace experimental {

template <typename T>
struct RtaArg {
  uint32_t byte_offset;
};
template <typename T>
struct CrtaArg {
  uint32_t byte_offset;
};
template <typename T>
struct CtaVal {
  T value;
};

template <typename T>
T get_arg(RtaArg<T> arg, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::from_bits<T>(
      tt_mock::runtime_arg({"get_arg", site}, int(arg.byte_offset / 4), false));
}
template <typename T>
T get_arg(CrtaArg<T> arg, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::from_bits<T>(
      tt_mock::runtime_arg({"get_arg", site}, int(arg.byte_offset / 4), true));
}
template <typename T>
constexpr T get_arg(CtaVal<T> arg) {
  return arg.value;
}

}  // namespace experimental
