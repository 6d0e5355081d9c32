// SFPU comparisons: 1.0 where true, else 0.0.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void eqz_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"eqz_tile_init", site}, tt_mock::Sfpu::eqz, 0);
}

inline void eqz_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"eqz_tile", site}, tt_mock::Sfpu::eqz, idst, 0, 0);
}

inline void nez_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"nez_tile_init", site}, tt_mock::Sfpu::nez, 0);
}

inline void nez_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"nez_tile", site}, tt_mock::Sfpu::nez, idst, 0, 0);
}

inline void ltz_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"ltz_tile_init", site}, tt_mock::Sfpu::ltz, 0);
}

inline void ltz_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"ltz_tile", site}, tt_mock::Sfpu::ltz, idst, 0, 0);
}

inline void gtz_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"gtz_tile_init", site}, tt_mock::Sfpu::gtz, 0);
}

inline void gtz_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"gtz_tile", site}, tt_mock::Sfpu::gtz, idst, 0, 0);
}

inline void lez_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"lez_tile_init", site}, tt_mock::Sfpu::lez, 0);
}

inline void lez_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"lez_tile", site}, tt_mock::Sfpu::lez, idst, 0, 0);
}

inline void gez_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"gez_tile_init", site}, tt_mock::Sfpu::gez, 0);
}

inline void gez_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"gez_tile", site}, tt_mock::Sfpu::gez, idst, 0, 0);
}

inline void unary_eq_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_eq_tile_init", site}, tt_mock::Sfpu::eq_scalar, 0);
}

inline void unary_eq_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_eq_tile", site}, tt_mock::Sfpu::eq_scalar, idst, param0, 0);
}

inline void unary_ne_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_ne_tile_init", site}, tt_mock::Sfpu::ne_scalar, 0);
}

inline void unary_ne_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_ne_tile", site}, tt_mock::Sfpu::ne_scalar, idst, param0, 0);
}

inline void unary_gt_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_gt_tile_init", site}, tt_mock::Sfpu::gt_scalar, 0);
}

inline void unary_gt_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_gt_tile", site}, tt_mock::Sfpu::gt_scalar, idst, param0, 0);
}

inline void unary_ge_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_ge_tile_init", site}, tt_mock::Sfpu::ge_scalar, 0);
}

inline void unary_ge_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_ge_tile", site}, tt_mock::Sfpu::ge_scalar, idst, param0, 0);
}

inline void unary_lt_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_lt_tile_init", site}, tt_mock::Sfpu::lt_scalar, 0);
}

inline void unary_lt_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_lt_tile", site}, tt_mock::Sfpu::lt_scalar, idst, param0, 0);
}

inline void unary_le_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_le_tile_init", site}, tt_mock::Sfpu::le_scalar, 0);
}

inline void unary_le_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_le_tile", site}, tt_mock::Sfpu::le_scalar, idst, param0, 0);
}

}  // namespace ckernel
