// SFPU error function, computed exactly whatever the approximation asked for.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

template <bool fast_and_approx = true>
void erf_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"erf_tile_init", site}, tt_mock::Sfpu::erf, 0);
}

template <bool fast_and_approx = true>
void erf_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"erf_tile", site}, tt_mock::Sfpu::erf, idst, 0, 0);
}

inline void erfc_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"erfc_tile_init", site}, tt_mock::Sfpu::erfc, 0);
}

inline void erfc_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"erfc_tile", site}, tt_mock::Sfpu::erfc, idst, 0, 0);
}

}  // namespace ckernel
