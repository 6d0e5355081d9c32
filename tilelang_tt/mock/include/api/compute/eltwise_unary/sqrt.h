// SFPU square root.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void sqrt_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"sqrt_tile_init", site}, tt_mock::Sfpu::sqrt, 0);
}

template <bool FAST_APPROX = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sqrt_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"sqrt_tile", site}, tt_mock::Sfpu::sqrt, idst, 0, 0);
}

}  // namespace ckernel
