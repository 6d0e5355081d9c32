// The remainder with the sign of the divisor, by a scalar that the init takes with its
// reciprocal.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

inline void remainder_tile_init(uint32_t param0, uint32_t param1, TT_MOCK_SITE) {
  static_cast<void>(param1);
  tt_mock::sfpu_init({"remainder_tile_init", site}, tt_mock::Sfpu::remainder, param0);
}

inline void remainder_tile(uint32_t idst, TT_MOCK_SITE) {
  tt_mock::sfpu_unary_of_init({"remainder_tile", site}, tt_mock::Sfpu::remainder, idst);
}

TT_MOCK_SFPU_INIT(remainder_tile_uint32_init, remainder_int_scalar)
TT_MOCK_INTEGER_UNARY_1(remainder_tile_uint32, remainder_int_scalar, DataFormat::UInt32)

}  // namespace ckernel
