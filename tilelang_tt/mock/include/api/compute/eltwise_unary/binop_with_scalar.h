// Arithmetic of a register and a scalar, which comes as its bits.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(binop_with_scalar_tile_init, scalar_init)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(add_unary_tile, add_scalar)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(sub_unary_tile, sub_scalar)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(mul_unary_tile, mul_scalar)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(div_unary_tile, div_scalar)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(rsub_unary_tile, rsub_scalar)
TT_MOCK_INTEGER_UNARY_1(add_unary_tile_int32, add_int_scalar, DataFormat::Int32)
TT_MOCK_INTEGER_UNARY_1(sub_unary_tile_int32, sub_int_scalar, DataFormat::Int32)

}  // namespace ckernel
