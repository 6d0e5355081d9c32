// SFPU negation.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void negative_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"negative_tile_init", site}, tt_mock::Sfpu::negative, 0);
}

inline void negative_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"negative_tile", site}, tt_mock::Sfpu::negative, idst, 0, 0);
}

}  // namespace ckernel
