// log(1 + x).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(log1p_tile_init, log1p)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(log1p_tile, log1p)

}  // namespace ckernel
