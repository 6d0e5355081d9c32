// Operations of the vector unit that live in the general header.
#pragma once

#include "api/compute/common.h"
#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool fast_and_approx = false>
TT_MOCK_SFPU_INIT(sigmoid_tile_init, sigmoid)
template <bool fast_and_approx = false>
TT_MOCK_SFPU_INIT_PACK(sigmoid_tile_init_pack, sigmoid)
template <VectorMode vec_mode = VectorMode::RC, bool fast_and_approx = false,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_PACK(sigmoid_tile_pack, sigmoid)
TT_MOCK_SFPU_INIT(silu_tile_init, silu)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(silu_tile, silu)
TT_MOCK_SFPU_INIT_PACK(silu_tile_init_pack, silu)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_PACK(silu_tile_pack, silu)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(tanh_tile_init, tanh)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(tanh_tile, tanh)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT_PACK(tanh_tile_init_pack, tanh)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_PACK(tanh_tile_pack, tanh)
TT_MOCK_SFPU_INIT(square_tile_init, square)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(square_tile, square)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(log_tile_init, log)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(log_tile, log)
template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(log_with_base_tile_init, log_base)
template <bool fast_and_approx = false, bool base_is_two = false,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(log_with_base_tile, log_base)
TT_MOCK_SFPU_INIT(abs_tile_init, abs)
TT_MOCK_SFPU_UNARY(abs_tile, abs)
TT_MOCK_INTEGER_UNARY(abs_tile_int32, abs_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(sign_tile_init, sign)
TT_MOCK_SFPU_UNARY(sign_tile, sign)
TT_MOCK_SFPU_INIT(signbit_tile_init, signbit)
TT_MOCK_SFPU_UNARY(signbit_tile, signbit)
TT_MOCK_SFPU_INIT(signbit_tile_int32_init, signbit_int)
TT_MOCK_INTEGER_UNARY(signbit_tile_int32, signbit_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(power_tile_init, power_scalar)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY_1(power_tile, power_scalar)
TT_MOCK_SFPU_INIT(power_iterative_tile_init, power_iterative)
TT_MOCK_SFPU_UNARY_1(power_iterative_tile, power_iterative)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(exp2_tile_init, exp2)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(exp2_tile, exp2)
template <bool approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_INIT(expm1_tile_init, expm1)
template <bool approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_UNARY(expm1_tile, expm1)
TT_MOCK_SFPU_INIT(heaviside_tile_init, heaviside)
TT_MOCK_SFPU_UNARY_1(heaviside_tile, heaviside)
TT_MOCK_SFPU_INIT(unary_max_tile_init, max_scalar)
TT_MOCK_SFPU_UNARY_1(unary_max_tile, max_scalar)
TT_MOCK_SFPU_INIT(unary_max_int32_tile_init, max_int_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_max_int32_tile, max_int_scalar, DataFormat::Int32)
TT_MOCK_SFPU_INIT(unary_max_uint32_tile_init, max_int_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_max_uint32_tile, max_int_scalar, DataFormat::UInt32)
TT_MOCK_SFPU_INIT(unary_min_tile_init, min_scalar)
TT_MOCK_SFPU_UNARY_1(unary_min_tile, min_scalar)
TT_MOCK_SFPU_INIT(unary_min_int32_tile_init, min_int_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_min_int32_tile, min_int_scalar, DataFormat::Int32)
TT_MOCK_SFPU_INIT(unary_min_uint32_tile_init, min_int_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_min_uint32_tile, min_int_scalar, DataFormat::UInt32)

template <VectorMode vec_mode = VectorMode::RC, bool fast_and_approx = false,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sigmoid_tile(uint32_t idst, TT_MOCK_SITE) {
  tt_mock::sfpu_unary({"sigmoid_tile", site}, tt_mock::Sfpu::sigmoid, idst, {}, vec_mode);
}

template <PoolType pool_type, DataFormat format, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sfpu_reduce_init(TT_MOCK_SITE) {
  tt_mock::sfpu_init({"sfpu_reduce_init", site}, tt_mock::Sfpu::reduce,
                     tt_mock::sfpu_reduce_key(pool_type, format));
}

// Over ct_dim registers side by side in each of rt_dim rows; what is left of a column stands in its
// row 0, of a row in its column 0.
template <PoolType pool_type, DataFormat format, ReduceDim reduce_dim = ReduceDim::REDUCE_COL,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sfpu_reduce(uint32_t idst, uint32_t ct_dim = 1, uint32_t rt_dim = 1, TT_MOCK_SITE) {
  static_assert(reduce_dim == ReduceDim::REDUCE_COL ||
                    (reduce_dim == ReduceDim::REDUCE_ROW && pool_type != PoolType::AVG),
                "columns, or the sum, maximum or minimum of rows");
  tt_mock::sfpu_reduce({"sfpu_reduce", site}, pool_type, format, reduce_dim, idst, ct_dim, rt_dim);
}

}  // namespace ckernel
