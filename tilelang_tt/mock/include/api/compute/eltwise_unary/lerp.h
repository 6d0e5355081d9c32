// a + c * (b - a).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(lerp_tile_init, lerp)
template <DataFormat data_format, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_TERNARY(lerp_tile, lerp)

}  // namespace ckernel
