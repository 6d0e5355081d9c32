// SFPU maximum and minimum of two destination registers.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void binary_max_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"binary_max_tile_init", site}, tt_mock::Sfpu::max_binary, 0);
}

inline void binary_max_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                            VectorMode = VectorMode::RC, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"binary_max_tile", site}, tt_mock::Sfpu::max_binary, idst0, idst1, odst);
}

inline void binary_min_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"binary_min_tile_init", site}, tt_mock::Sfpu::min_binary, 0);
}

inline void binary_min_tile(uint32_t idst0, uint32_t idst1, uint32_t odst,
                            VectorMode = VectorMode::RC, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_binary({"binary_min_tile", site}, tt_mock::Sfpu::min_binary, idst0, idst1, odst);
}

}  // namespace ckernel
