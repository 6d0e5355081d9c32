// x, or the slope times a negative x.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(prelu_tile_init, prelu)
TT_MOCK_SFPU_UNARY_1(prelu_tile, prelu)

}  // namespace ckernel
