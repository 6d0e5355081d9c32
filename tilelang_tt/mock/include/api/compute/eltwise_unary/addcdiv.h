// a + value * b / c.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(addcdiv_tile_init, addcdiv)
template <DataFormat data_format, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_TERNARY_1(addcdiv_tile, addcdiv)

}  // namespace ckernel
