// Differences of integers, modulo their width.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(sub_int_tile_init, sub_int)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(sub_int_tile, sub_int, data_format)
TT_MOCK_SFPU_INIT(rsub_int_tile_init, rsub_int)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(rsub_int_tile, rsub_int, data_format)

}  // namespace ckernel
