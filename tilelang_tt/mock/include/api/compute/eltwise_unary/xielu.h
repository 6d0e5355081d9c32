// The expanded integral of the exponential linear unit: the slopes of both sides.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(xielu_tile_init, xielu)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_2(xielu_tile, xielu)

}  // namespace ckernel
