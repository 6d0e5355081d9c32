// Scaled exponential linear unit: the scale, then the slope.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(selu_tile_init, selu)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_2(selu_tile, selu)
TT_MOCK_SFPU_INIT_PACK(selu_tile_init_pack, selu)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_2_PACK(selu_tile_pack, selu)

}  // namespace ckernel
