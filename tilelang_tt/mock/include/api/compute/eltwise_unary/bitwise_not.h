// The complement of 32-bit integers.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(bitwise_not_tile_init, not_int)
TT_MOCK_INTEGER_UNARY(bitwise_not_tile, not_int, DataFormat::Int32)

}  // namespace ckernel
