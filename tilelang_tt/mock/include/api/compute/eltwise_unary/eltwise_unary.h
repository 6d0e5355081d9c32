// Unary SFPU kernels include this for the copy into the destination register.
#pragma once

#include "api/compute/common.h"
#include "api/compute/tile_move_copy.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void unary_op_init_common(uint32_t icb, uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::hw_startup({"unary_op_init_common", site}, icb, icb, ocb);
  tt_mock::copy_init({"unary_op_init_common", site}, icb, false, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void init_sfpu(uint32_t icb, uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  unary_op_init_common(icb, ocb, site);
}

}  // namespace ckernel
