// SFPU trigonometry.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void sin_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"sin_tile_init", site}, tt_mock::Sfpu::sin, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sin_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"sin_tile", site}, tt_mock::Sfpu::sin, idst, 0, 0);
}

inline void cos_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"cos_tile_init", site}, tt_mock::Sfpu::cos, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void cos_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"cos_tile", site}, tt_mock::Sfpu::cos, idst, 0, 0);
}

inline void tan_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"tan_tile_init", site}, tt_mock::Sfpu::tan, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tan_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"tan_tile", site}, tt_mock::Sfpu::tan, idst, 0, 0);
}

}  // namespace ckernel
