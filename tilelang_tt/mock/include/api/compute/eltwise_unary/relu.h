// SFPU rectifiers; bounds are float32 bits.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void relu_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"relu_tile_init", site}, tt_mock::Sfpu::relu, 0);
}

inline void relu_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"relu_tile", site}, tt_mock::Sfpu::relu, idst, 0, 0);
}

inline void relu_max_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"relu_max_tile_init", site}, tt_mock::Sfpu::relu_max, 0);
}

inline void relu_max_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"relu_max_tile", site}, tt_mock::Sfpu::relu_max, idst, param0, 0);
}

inline void relu_min_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"relu_min_tile_init", site}, tt_mock::Sfpu::relu_min, 0);
}

inline void relu_min_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"relu_min_tile", site}, tt_mock::Sfpu::relu_min, idst, param0, 0);
}

inline void leaky_relu_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"leaky_relu_tile_init", site}, tt_mock::Sfpu::leaky_relu, 0);
}

inline void leaky_relu_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"leaky_relu_tile", site}, tt_mock::Sfpu::leaky_relu, idst, param0, 0);
}

}  // namespace ckernel
