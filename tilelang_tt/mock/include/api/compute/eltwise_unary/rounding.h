// SFPU roundings to integers.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void rounding_op_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"rounding_op_tile_init", site}, tt_mock::Sfpu::rounding_init, 0);
}

inline void floor_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"floor_tile", site}, tt_mock::Sfpu::floor, idst, 0, 0);
}

inline void ceil_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"ceil_tile", site}, tt_mock::Sfpu::ceil, idst, 0, 0);
}

inline void trunc_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"trunc_tile", site}, tt_mock::Sfpu::trunc, idst, 0, 0);
}

}  // namespace ckernel
