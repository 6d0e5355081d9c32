// The exponential. The mock computes the exact one where the approximate one is asked for.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

enum class InputClamping : uint8_t { ClampToNegative = 1, None = 0 };

// An approximate exponential is scaled by its init, an exact one by its call.
template <bool approx = false, uint32_t scale = 0x3F800000,
          InputClamping input_clamping = InputClamping::ClampToNegative,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void exp_tile_init(TT_MOCK_SITE) {
  tt_mock::sfpu_init({"exp_tile_init", site}, tt_mock::Sfpu::exp, approx ? scale : 0);
}

template <bool approx = false, bool scale_en = false,
          InputClamping input_clamping = InputClamping::ClampToNegative, int iterations = 8,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void exp_tile(uint32_t idst, VectorMode vector_mode = VectorMode::RC, uint16_t scale = 0x3F80,
              TT_MOCK_SITE) {
  constexpr uint16_t one = 0x3F80;
  tt_mock::sfpu_exp({"exp_tile", site}, approx, scale_en ? scale : one, idst, vector_mode);
}

}  // namespace ckernel
