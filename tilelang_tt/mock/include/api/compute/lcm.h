// The least common multiple.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(lcm_tile_init, lcm)
TT_MOCK_INTEGER_BINARY(lcm_tile, lcm, DataFormat::Int32)

}  // namespace ckernel
