// SFPU log(1 + x).
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void log1p_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"log1p_tile_init", site}, tt_mock::Sfpu::log1p, 0);
}

template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void log1p_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"log1p_tile", site}, tt_mock::Sfpu::log1p, idst, 0, 0);
}

}  // namespace ckernel
