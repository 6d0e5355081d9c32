// A scalar minus each element.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(rsub_tile_init, rsub)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(rsub_tile, rsub)
TT_MOCK_SFPU_INIT(rsub_unary_int32_tile_init, rsub_int_scalar)
TT_MOCK_INTEGER_UNARY_1(rsub_unary_int32_tile, rsub_int_scalar, DataFormat::Int32)

}  // namespace ckernel
