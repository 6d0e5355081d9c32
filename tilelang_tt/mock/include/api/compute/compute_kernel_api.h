// SFPU operations that live in the general header.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

template <bool fast_and_approx = false>
void sigmoid_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"sigmoid_tile_init", site}, tt_mock::Sfpu::sigmoid, 0);
}

template <VectorMode vec_mode = VectorMode::RC, bool fast_and_approx = false,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sigmoid_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"sigmoid_tile", site}, tt_mock::Sfpu::sigmoid, idst, 0, 0);
}

inline void silu_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"silu_tile_init", site}, tt_mock::Sfpu::silu, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void silu_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"silu_tile", site}, tt_mock::Sfpu::silu, idst, 0, 0);
}

template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tanh_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"tanh_tile_init", site}, tt_mock::Sfpu::tanh, 0);
}

template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tanh_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"tanh_tile", site}, tt_mock::Sfpu::tanh, idst, 0, 0);
}

inline void square_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"square_tile_init", site}, tt_mock::Sfpu::square, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void square_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"square_tile", site}, tt_mock::Sfpu::square, idst, 0, 0);
}

template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void log_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"log_tile_init", site}, tt_mock::Sfpu::log, 0);
}

template <bool fast_and_approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void log_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"log_tile", site}, tt_mock::Sfpu::log, idst, 0, 0);
}

inline void abs_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"abs_tile_init", site}, tt_mock::Sfpu::abs, 0);
}

inline void abs_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"abs_tile", site}, tt_mock::Sfpu::abs, idst, 0, 0);
}

inline void sign_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"sign_tile_init", site}, tt_mock::Sfpu::sign, 0);
}

inline void sign_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"sign_tile", site}, tt_mock::Sfpu::sign, idst, 0, 0);
}

inline void power_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"power_tile_init", site}, tt_mock::Sfpu::power_scalar, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void power_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"power_tile", site}, tt_mock::Sfpu::power_scalar, idst, param0, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void exp2_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"exp2_tile_init", site}, tt_mock::Sfpu::exp2, 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void exp2_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"exp2_tile", site}, tt_mock::Sfpu::exp2, idst, 0, 0);
}

template <bool approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void expm1_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"expm1_tile_init", site}, tt_mock::Sfpu::expm1, 0);
}

template <bool approx = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void expm1_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"expm1_tile", site}, tt_mock::Sfpu::expm1, idst, 0, 0);
}

inline void unary_max_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_max_tile_init", site}, tt_mock::Sfpu::max_scalar, 0);
}

inline void unary_max_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_max_tile", site}, tt_mock::Sfpu::max_scalar, idst, param0, 0);
}

inline void unary_min_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"unary_min_tile_init", site}, tt_mock::Sfpu::min_scalar, 0);
}

inline void unary_min_tile(uint32_t idst, uint32_t param0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"unary_min_tile", site}, tt_mock::Sfpu::min_scalar, idst, param0, 0);
}

}  // namespace ckernel
