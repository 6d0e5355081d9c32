// A scalar to the power of each element.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(rpow_tile_init, rpow)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1_MODE(rpow_tile, rpow)

}  // namespace ckernel
