// The reciprocal square root.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

enum class RsqrtMode { Default, Fast };

TT_MOCK_SFPU_INIT(rsqrt_tile_init, rsqrt)
template <RsqrtMode mode = RsqrtMode::Default, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(rsqrt_tile, rsqrt)

}  // namespace ckernel
