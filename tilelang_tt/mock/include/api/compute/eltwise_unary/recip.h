// SFPU reciprocal.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

enum class ReciprocalDestAcc { BF16, FP32 };
enum class ReciprocalApproxMode { Default, Approximate };

template <ReciprocalDestAcc dest_acc = DST_ACCUM_MODE ? ReciprocalDestAcc::FP32
                                                      : ReciprocalDestAcc::BF16,
          ReciprocalApproxMode approximation = ReciprocalApproxMode::Default>
void recip_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"recip_tile_init", site}, tt_mock::Sfpu::recip, 0);
}

template <ReciprocalDestAcc dest_acc = DST_ACCUM_MODE ? ReciprocalDestAcc::FP32
                                                      : ReciprocalDestAcc::BF16,
          ReciprocalApproxMode approximation = ReciprocalApproxMode::Default>
void recip_tile(uint32_t idst, VectorMode = VectorMode::RC, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_unary({"recip_tile", site}, tt_mock::Sfpu::recip, idst, 0, 0);
}

}  // namespace ckernel
