// What kind of number an element is: one or zero.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(isinf_tile_init, isinf)
TT_MOCK_SFPU_UNARY(isinf_tile, isinf)
TT_MOCK_SFPU_INIT(isposinf_tile_init, isposinf)
TT_MOCK_SFPU_UNARY(isposinf_tile, isposinf)
TT_MOCK_SFPU_INIT(isneginf_tile_init, isneginf)
TT_MOCK_SFPU_UNARY(isneginf_tile, isneginf)
TT_MOCK_SFPU_INIT(isnan_tile_init, isnan)
TT_MOCK_SFPU_UNARY(isnan_tile, isnan)
TT_MOCK_SFPU_INIT(isfinite_tile_init, isfinite)
TT_MOCK_SFPU_UNARY(isfinite_tile, isfinite)

}  // namespace ckernel
