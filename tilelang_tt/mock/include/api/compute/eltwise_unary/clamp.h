// Limits to a range.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(clamp_tile_init, clamp)
TT_MOCK_SFPU_UNARY_2(clamp_tile, clamp)
TT_MOCK_INTEGER_UNARY_2(clamp_tile_int32, clamp_int, DataFormat::Int32)

}  // namespace ckernel
