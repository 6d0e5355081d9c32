// x * clamp(x / 2 + 1, 0, 1).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(hardmish_tile_init, hardmish)
TT_MOCK_SFPU_UNARY(hardmish_tile, hardmish)

}  // namespace ckernel
