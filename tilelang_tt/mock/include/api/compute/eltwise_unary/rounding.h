// Roundings to integers, kept as floats.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(rounding_op_tile_init, rounding_init)
TT_MOCK_SFPU_UNARY(floor_tile, floor)
TT_MOCK_SFPU_UNARY(ceil_tile, ceil)
TT_MOCK_SFPU_UNARY(trunc_tile, trunc)
TT_MOCK_SFPU_UNARY(frac_tile, frac)

inline void round_tile(uint32_t idst, int32_t decimals, TT_MOCK_SITE) {
  tt_mock::sfpu_unary({"round_tile", site}, tt_mock::Sfpu::round, idst,
                      {static_cast<uint32_t>(decimals), 0, 0});
}

}  // namespace ckernel
