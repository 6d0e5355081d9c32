// log2(2^a + 2^b).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(logaddexp2_binary_tile_init, logaddexp2_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(logaddexp2_binary_tile, logaddexp2_binary)

}  // namespace ckernel
