// First call of a compute kernel: sets the formats of both sources and of the packer.
#pragma once

#include "api/compute/common_globals.h"
#include "api/compute/src_order.h"

namespace ckernel {

template <SrcOrder src_order = SrcOrder::Regular>
void compute_kernel_hw_startup(uint32_t icb0, uint32_t icb1, uint32_t ocb,
                               tt_mock::Site site = tt_mock::here()) {
  constexpr bool reverse = src_order == SrcOrder::Reverse;
  tt_mock::hw_startup({"compute_kernel_hw_startup", site}, reverse ? icb1 : icb0,
                      reverse ? icb0 : icb1, ocb);
}

inline void compute_kernel_hw_startup(uint32_t icb0, uint32_t ocb,
                                      tt_mock::Site site = tt_mock::here()) {
  tt_mock::hw_startup({"compute_kernel_hw_startup", site}, icb0, icb0, ocb);
}

}  // namespace ckernel
