// log(exp(a) + exp(b)).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(logaddexp_binary_tile_init, logaddexp_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(logaddexp_binary_tile, logaddexp_binary)

}  // namespace ckernel
