// The next float from the first operand towards the second.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(nextafter_binary_tile_init, nextafter)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(nextafter_binary_tile, nextafter)
TT_MOCK_SFPU_INIT(nextafter_bf16_binary_tile_init, nextafter_bf16)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(nextafter_bf16_binary_tile, nextafter_bf16)

}  // namespace ckernel
