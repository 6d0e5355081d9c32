// SFPU logical negation.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void logical_not_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"logical_not_tile_init", site}, tt_mock::Sfpu::logical_not, 0);
}

template <DataFormat data_format = DataFormat::Float16_b>
void logical_not_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"logical_not_tile", site}, tt_mock::Sfpu::logical_not, idst, 0, 0);
}

}  // namespace ckernel
