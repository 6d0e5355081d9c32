// SFPU fill of a whole destination register.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void fill_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"fill_tile_init", site}, tt_mock::Sfpu::fill, 0);
}

inline void fill_tile(uint32_t idst, float param0, tt_mock::Site site = tt_mock::here()) {
  uint32_t bits;
  __builtin_memcpy(&bits, &param0, 4);
  tt_mock::sfpu_fill({"fill_tile", site}, tt_mock::Sfpu::fill, idst, bits);
}

inline void fill_tile_bitcast(uint32_t idst, uint32_t param0,
                              tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_fill({"fill_tile_bitcast", site}, tt_mock::Sfpu::fill_bits, idst, param0);
}

template <DataFormat DATA_FORMAT>
void fill_tile_int(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_fill({"fill_tile_int", site}, tt_mock::Sfpu::fill_int, idst, param0);
}

}  // namespace ckernel
