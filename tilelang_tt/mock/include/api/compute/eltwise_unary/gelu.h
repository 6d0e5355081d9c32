// SFPU GELU, computed exactly whatever the approximation asked for.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

template <bool fast_and_approx = true>
void gelu_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"gelu_tile_init", site}, tt_mock::Sfpu::gelu, 0);
}

template <bool fast_and_approx = true, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void gelu_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"gelu_tile", site}, tt_mock::Sfpu::gelu, idst, 0, 0);
}

}  // namespace ckernel
