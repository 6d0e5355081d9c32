// The modified Bessel function of order 1.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(i1_tile_init, i1)
TT_MOCK_SFPU_UNARY(i1_tile, i1)

}  // namespace ckernel
