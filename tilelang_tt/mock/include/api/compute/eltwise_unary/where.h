// SFPU selection: a where the condition is not zero, else b.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void where_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"where_tile_init", site}, tt_mock::Sfpu::where, 0);
}

template <DataFormat data_format>
void where_tile(uint32_t idst0, uint32_t idst1, uint32_t idst2, uint32_t odst,
                tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_where({"where_tile", site}, idst0, idst1, idst2, odst);
}

}  // namespace ckernel
