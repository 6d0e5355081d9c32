// 1 - tanh(x)^2.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool fast_and_approx = false>
TT_MOCK_SFPU_INIT(tanh_derivative_tile_init, tanh_derivative)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(tanh_derivative_tile, tanh_derivative)

}  // namespace ckernel
