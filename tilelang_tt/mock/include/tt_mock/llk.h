// Calls below the compute API that ttnn's helpers name on paths of their own.
#pragma once

#include "tt_mock/compute.h"
#include "tt_mock/unavailable.h"

enum class p_dim_stride_target : uint8_t { FACE_ROW_MAJOR, IGNORE };

namespace ckernel {
enum class PackMode : uint8_t { Default, Untilize, Tilize };
}  // namespace ckernel

// Both halves of the set-up of a product, sum or difference with a broadcast: math does it for both.
template <ckernel::EltwiseBinaryType type, ckernel::BroadcastType broadcast,
          ckernel::MathFidelity fidelity>
void llk_math_eltwise_binary_init(uint32_t cb_a, uint32_t cb_b, bool accumulate = false,
                                  tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"llk_math_eltwise_binary_init", site}, {type, broadcast}, cb_a, cb_b,
                       accumulate);
}
template <ckernel::BroadcastType broadcast = ckernel::BroadcastType::NONE>
void llk_unpack_AB_init(uint32_t, uint32_t, uint32_t = 0) {}

TT_MOCK_UNAVAILABLE(llk_unpack_reconfig_data_format_srca)
TT_MOCK_UNAVAILABLE(llk_math_reconfig_data_format_srca)
TT_MOCK_UNAVAILABLE(llk_unpack_AB_reduce_init)
TT_MOCK_UNAVAILABLE(llk_math_reduce_init)
TT_MOCK_UNAVAILABLE(llk_pack_reduce_mask_config)
TT_MOCK_UNAVAILABLE(llk_pack_reduce_mask_clear)
