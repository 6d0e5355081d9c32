// Piecewise activations.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(hardsigmoid_tile_init, hardsigmoid)
TT_MOCK_SFPU_UNARY(hardsigmoid_tile, hardsigmoid)
TT_MOCK_SFPU_INIT_PACK(hardsigmoid_tile_init_pack, hardsigmoid)
TT_MOCK_SFPU_UNARY_PACK(hardsigmoid_tile_pack, hardsigmoid)
TT_MOCK_SFPU_INIT(softsign_tile_init, softsign)
TT_MOCK_SFPU_UNARY(softsign_tile, softsign)
// The slope and its reciprocal.
TT_MOCK_SFPU_INIT(celu_tile_init, celu)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_2(celu_tile, celu)
TT_MOCK_SFPU_INIT(softshrink_tile_init, softshrink)
TT_MOCK_SFPU_UNARY_1(softshrink_tile, softshrink)
TT_MOCK_SFPU_INIT(hardshrink_tile_init, hardshrink)
TT_MOCK_SFPU_UNARY_1(hardshrink_tile, hardshrink)

}  // namespace ckernel
