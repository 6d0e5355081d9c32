// Quotients of integers, rounded down or towards zero.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(div_int32_floor_tile_init, div_int_floor)
TT_MOCK_INTEGER_BINARY(div_int32_floor_tile, div_int_floor, DataFormat::Int32)
TT_MOCK_SFPU_INIT(div_int32_trunc_tile_init, div_int_trunc)
TT_MOCK_INTEGER_BINARY(div_int32_trunc_tile, div_int_trunc, DataFormat::Int32)

}  // namespace ckernel
