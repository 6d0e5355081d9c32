// SFPU clamp between two bounds, given as float32 bits.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void clamp_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"clamp_tile_init", site}, tt_mock::Sfpu::clamp, 0);
}

inline void clamp_tile(uint32_t idst, uint32_t param0, uint32_t param1,
                       tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"clamp_tile", site}, tt_mock::Sfpu::clamp, idst, param0, param1);
}

}  // namespace ckernel
