// SFPU operations on two destination registers.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void add_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"add_binary_tile_init", site}, tt_mock::Sfpu::add_binary, 0);
}

template <DstRoundingMode dst_rounding_mode = DstRoundingMode::Default,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"add_binary_tile", site}, tt_mock::Sfpu::add_binary, idst0, idst1, odst);
}

inline void sub_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"sub_binary_tile_init", site}, tt_mock::Sfpu::sub_binary, 0);
}

template <DstRoundingMode dst_rounding_mode = DstRoundingMode::Default,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"sub_binary_tile", site}, tt_mock::Sfpu::sub_binary, idst0, idst1, odst);
}

inline void mul_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"mul_binary_tile_init", site}, tt_mock::Sfpu::mul_binary, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"mul_binary_tile", site}, tt_mock::Sfpu::mul_binary, idst0, idst1, odst);
}

inline void div_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"div_binary_tile_init", site}, tt_mock::Sfpu::div_binary, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void div_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"div_binary_tile", site}, tt_mock::Sfpu::div_binary, idst0, idst1, odst);
}

inline void rsub_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"rsub_binary_tile_init", site}, tt_mock::Sfpu::rsub_binary, 0);
}

template <DstRoundingMode dst_rounding_mode = DstRoundingMode::Default,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void rsub_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                      tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"rsub_binary_tile", site}, tt_mock::Sfpu::rsub_binary, idst0, idst1, odst);
}

inline void power_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"power_binary_tile_init", site}, tt_mock::Sfpu::power_binary, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void power_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                       tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"power_binary_tile", site}, tt_mock::Sfpu::power_binary, idst0, idst1,
                       odst);
}

inline void eq_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"eq_binary_tile_init", site}, tt_mock::Sfpu::eq_binary, 0);
}

inline void eq_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                           tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"eq_binary_tile", site}, tt_mock::Sfpu::eq_binary, idst0, idst1, odst);
}

inline void ne_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"ne_binary_tile_init", site}, tt_mock::Sfpu::ne_binary, 0);
}

inline void ne_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                           tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"ne_binary_tile", site}, tt_mock::Sfpu::ne_binary, idst0, idst1, odst);
}

inline void lt_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"lt_binary_tile_init", site}, tt_mock::Sfpu::lt_binary, 0);
}

inline void lt_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                           tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"lt_binary_tile", site}, tt_mock::Sfpu::lt_binary, idst0, idst1, odst);
}

inline void gt_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"gt_binary_tile_init", site}, tt_mock::Sfpu::gt_binary, 0);
}

inline void gt_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                           tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"gt_binary_tile", site}, tt_mock::Sfpu::gt_binary, idst0, idst1, odst);
}

inline void le_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"le_binary_tile_init", site}, tt_mock::Sfpu::le_binary, 0);
}

inline void le_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                           tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"le_binary_tile", site}, tt_mock::Sfpu::le_binary, idst0, idst1, odst);
}

inline void ge_binary_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"ge_binary_tile_init", site}, tt_mock::Sfpu::ge_binary, 0);
}

inline void ge_binary_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                           tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"ge_binary_tile", site}, tt_mock::Sfpu::ge_binary, idst0, idst1, odst);
}

}  // namespace ckernel
