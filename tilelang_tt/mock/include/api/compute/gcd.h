// The greatest common divisor.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(gcd_tile_init, gcd)
TT_MOCK_INTEGER_BINARY(gcd_tile, gcd, DataFormat::Int32)

}  // namespace ckernel
