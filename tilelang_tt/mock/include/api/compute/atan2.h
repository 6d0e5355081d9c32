// The angle of the point (second, first).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(atan2_binary_tile_init, atan2_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(atan2_binary_tile, atan2_binary)

}  // namespace ckernel
