// SFPU exponential.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

enum class InputClamping : uint8_t { ClampToNegative = 1, None = 0 };

template <bool approx = false, uint32_t scale = 0x3F800000,
          InputClamping input_clamping = InputClamping::ClampToNegative,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void exp_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"exp_tile_init", site}, tt_mock::Sfpu::exp, approx ? scale : 0);
}

template <bool approx = false, bool scale_en = false,
          InputClamping input_clamping = InputClamping::ClampToNegative, int iterations = 8,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void exp_tile(uint32_t idst, VectorMode = VectorMode::RC, uint16_t scale = 0x3F80,
              tt_mock::Site site = tt_mock::here()) {
  static_assert(!approx, "the mock computes the exact exponential only");
  static_assert(!scale_en, "the mock has no scaled exponential");
  tt_mock::sfpu_unary({"exp_tile", site}, tt_mock::Sfpu::exp, idst, scale, 0);
}

}  // namespace ckernel
