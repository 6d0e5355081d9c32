// Shifts of integers by a scalar.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(left_shift_tile_init, left_shift_int_scalar)
template <DataFormat data_format>
TT_MOCK_INTEGER_UNARY_1(left_shift_tile, left_shift_int_scalar, data_format)
TT_MOCK_SFPU_INIT(right_shift_tile_init, right_shift_int_scalar)
template <DataFormat data_format>
TT_MOCK_INTEGER_UNARY_1(right_shift_tile, right_shift_int_scalar, data_format)

}  // namespace ckernel
