// a * log(b).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(xlogy_binary_tile_init, xlogy_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(xlogy_binary_tile, xlogy_binary)

}  // namespace ckernel
