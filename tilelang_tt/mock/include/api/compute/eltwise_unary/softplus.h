// log(1 + exp(beta * x)) / beta up to a threshold: beta, its reciprocal, the threshold.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(softplus_tile_init, softplus)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_3(softplus_tile, softplus)
TT_MOCK_SFPU_INIT_PACK(softplus_tile_init_pack, softplus)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_3_PACK(softplus_tile_pack, softplus)

}  // namespace ckernel
