// SFPU arithmetic with a scalar, given as float32 bits.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void binop_with_scalar_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"binop_with_scalar_tile_init", site}, tt_mock::Sfpu::scalar_init, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_unary_tile(uint32_t idst, uint32_t param1, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"add_unary_tile", site}, tt_mock::Sfpu::add_scalar, idst, param1, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_unary_tile(uint32_t idst, uint32_t param1, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"sub_unary_tile", site}, tt_mock::Sfpu::sub_scalar, idst, param1, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_unary_tile(uint32_t idst, uint32_t param1, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"mul_unary_tile", site}, tt_mock::Sfpu::mul_scalar, idst, param1, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void div_unary_tile(uint32_t idst, uint32_t param1, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"div_unary_tile", site}, tt_mock::Sfpu::div_scalar, idst, param1, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void rsub_unary_tile(uint32_t idst, uint32_t param1, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"rsub_unary_tile", site}, tt_mock::Sfpu::rsub_scalar, idst, param1, 0);
}

}  // namespace ckernel
