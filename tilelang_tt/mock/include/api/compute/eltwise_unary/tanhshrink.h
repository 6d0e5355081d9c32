// x - tanh(x).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(tanhshrink_tile_init, tanhshrink)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(tanhshrink_tile, tanhshrink)

}  // namespace ckernel
