// SFPU reciprocal square root.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

enum class RsqrtMode { Default, Fast };

inline void rsqrt_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"rsqrt_tile_init", site}, tt_mock::Sfpu::rsqrt, 0);
}

template <RsqrtMode mode = RsqrtMode::Default, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void rsqrt_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"rsqrt_tile", site}, tt_mock::Sfpu::rsqrt, idst, 0, 0);
}

}  // namespace ckernel
