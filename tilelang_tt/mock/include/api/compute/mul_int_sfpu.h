// Products of integers, modulo their width.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <DataFormat data_format>
TT_MOCK_SFPU_FORMAT_INIT(mul_int_tile_init, mul_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(mul_int_tile, mul_int, data_format)

}  // namespace ckernel
