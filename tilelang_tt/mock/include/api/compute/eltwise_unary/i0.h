// The modified Bessel function of order 0.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(i0_tile_init, i0)
TT_MOCK_SFPU_UNARY(i0_tile, i0)

}  // namespace ckernel
