// The reciprocal.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

enum class ReciprocalDestAcc { BF16, FP32 };
enum class ReciprocalApproxMode { Default, Precise, Approximate };

template <ReciprocalDestAcc dest_acc = DST_ACCUM_MODE ? ReciprocalDestAcc::FP32
                                                      : ReciprocalDestAcc::BF16,
          ReciprocalApproxMode approximation = ReciprocalApproxMode::Default>
TT_MOCK_SFPU_INIT(recip_tile_init, recip)
template <ReciprocalDestAcc dest_acc = DST_ACCUM_MODE ? ReciprocalDestAcc::FP32
                                                      : ReciprocalDestAcc::BF16,
          ReciprocalApproxMode approximation = ReciprocalApproxMode::Default>
TT_MOCK_SFPU_UNARY_MODE(recip_tile, recip)

}  // namespace ckernel
