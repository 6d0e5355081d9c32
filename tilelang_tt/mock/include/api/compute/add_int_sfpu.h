// Sums of integers, modulo their width.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(add_int_tile_init, add_int)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(add_int_tile, add_int, data_format)

}  // namespace ckernel
