// Changes the sign.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(negative_tile_init, negative)
TT_MOCK_SFPU_UNARY(negative_tile, negative)
TT_MOCK_INTEGER_UNARY(negative_tile_int32, negative_int, DataFormat::Int32)

}  // namespace ckernel
