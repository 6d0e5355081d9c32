// x * tanh(softplus(x)).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool APPROXIMATION_MODE>
TT_MOCK_SFPU_INIT(mish_tile_init, mish)
template <bool APPROXIMATION_MODE, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(mish_tile, mish)

}  // namespace ckernel
