// Comparisons of integers: one where the relation holds, else zero.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <DataFormat data_format>
TT_MOCK_SFPU_FORMAT_INIT(eq_int_tile_init, eq_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(eq_int_tile, eq_int, data_format)
template <DataFormat data_format>
TT_MOCK_SFPU_FORMAT_INIT(ne_int_tile_init, ne_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(ne_int_tile, ne_int, data_format)
template <DataFormat data_format>
TT_MOCK_SFPU_FORMAT_INIT(lt_int_tile_init, lt_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(lt_int_tile, lt_int, data_format)
template <DataFormat data_format>
TT_MOCK_SFPU_FORMAT_INIT(gt_int_tile_init, gt_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(gt_int_tile, gt_int, data_format)
template <DataFormat data_format>
TT_MOCK_SFPU_FORMAT_INIT(le_int_tile_init, le_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(le_int_tile, le_int, data_format)
template <DataFormat data_format>
TT_MOCK_SFPU_FORMAT_INIT(ge_int_tile_init, ge_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(ge_int_tile, ge_int, data_format)

}  // namespace ckernel
