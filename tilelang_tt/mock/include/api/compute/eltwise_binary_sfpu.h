// Operations on two registers of floats.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(add_binary_tile_init, add_binary)
TT_MOCK_SFPU_INIT(sub_binary_tile_init, sub_binary)
TT_MOCK_SFPU_INIT(rsub_binary_tile_init, rsub_binary)
TT_MOCK_SFPU_INIT(mul_binary_tile_init, mul_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(mul_binary_tile, mul_binary)
TT_MOCK_SFPU_INIT(div_binary_tile_init, div_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(div_binary_tile, div_binary)
TT_MOCK_SFPU_INIT(power_binary_tile_init, power_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(power_binary_tile, power_binary)
TT_MOCK_SFPU_INIT(eq_binary_tile_init, eq_binary)
TT_MOCK_SFPU_BINARY(eq_binary_tile, eq_binary)
TT_MOCK_SFPU_INIT(ne_binary_tile_init, ne_binary)
TT_MOCK_SFPU_BINARY(ne_binary_tile, ne_binary)
TT_MOCK_SFPU_INIT(lt_binary_tile_init, lt_binary)
TT_MOCK_SFPU_BINARY(lt_binary_tile, lt_binary)
TT_MOCK_SFPU_INIT(gt_binary_tile_init, gt_binary)
TT_MOCK_SFPU_BINARY(gt_binary_tile, gt_binary)
TT_MOCK_SFPU_INIT(le_binary_tile_init, le_binary)
TT_MOCK_SFPU_BINARY(le_binary_tile, le_binary)
TT_MOCK_SFPU_INIT(ge_binary_tile_init, ge_binary)
TT_MOCK_SFPU_BINARY(ge_binary_tile, ge_binary)

template <DstRoundingMode dst_rounding_mode = DstRoundingMode::Default,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst, TT_MOCK_SITE) {
  constexpr auto op = dst_rounding_mode == DstRoundingMode::NearestEven
                          ? tt_mock::Sfpu::add_binary_even
                          : tt_mock::Sfpu::add_binary;
  tt_mock::sfpu_binary({"add_binary_tile", site}, op, idst0, idst1, odst);
}

template <DstRoundingMode dst_rounding_mode = DstRoundingMode::Default,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst, TT_MOCK_SITE) {
  constexpr auto op = dst_rounding_mode == DstRoundingMode::NearestEven
                          ? tt_mock::Sfpu::sub_binary_even
                          : tt_mock::Sfpu::sub_binary;
  tt_mock::sfpu_binary({"sub_binary_tile", site}, op, idst0, idst1, odst);
}

template <DstRoundingMode dst_rounding_mode = DstRoundingMode::Default,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void rsub_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst, TT_MOCK_SITE) {
  constexpr auto op = dst_rounding_mode == DstRoundingMode::NearestEven
                          ? tt_mock::Sfpu::rsub_binary_even
                          : tt_mock::Sfpu::rsub_binary;
  tt_mock::sfpu_binary({"rsub_binary_tile", site}, op, idst0, idst1, odst);
}

}  // namespace ckernel
