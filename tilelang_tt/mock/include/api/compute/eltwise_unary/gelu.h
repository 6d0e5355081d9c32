// Gaussian error linear units.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool fast_and_approx = true, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(gelu_tile_init, gelu)
template <bool fast_and_approx = true, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(gelu_tile, gelu)
template <bool fast_and_approx = true, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT_PACK(gelu_tile_init_pack, gelu)
template <bool fast_and_approx = true, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_PACK(gelu_tile_pack, gelu)
template <bool fast = false>
TT_MOCK_SFPU_INIT(gelu_tanh_tile_init, gelu_tanh)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE, bool fast = false>
TT_MOCK_SFPU_UNARY(gelu_tanh_tile, gelu_tanh)
template <bool fast = false>
TT_MOCK_SFPU_INIT_PACK(gelu_tanh_tile_init_pack, gelu_tanh)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE, bool fast = false>
TT_MOCK_SFPU_UNARY_PACK(gelu_tanh_tile_pack, gelu_tanh)
template <bool fast_and_approx = false>
TT_MOCK_SFPU_INIT(gelu_derivative_tile_init, gelu_derivative)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(gelu_derivative_tile, gelu_derivative)

}  // namespace ckernel
