// Shifts of one register by another.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(binary_shift_tile_init, shift_init)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(binary_left_shift_tile, left_shift_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(binary_right_shift_tile, right_shift_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(binary_logical_right_shift_tile, logical_right_shift_int, data_format)

}  // namespace ckernel
