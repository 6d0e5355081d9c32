// x + sin(alpha * x)^2 / beta.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(snake_beta_tile_init, snake_beta)
template <DataFormat data_format, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_TERNARY(snake_beta_tile, snake_beta)

}  // namespace ckernel
