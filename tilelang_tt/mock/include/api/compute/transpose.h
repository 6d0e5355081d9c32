// Whole-tile transpose on the way into the destination register.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void transpose_init(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::transpose_init({"transpose_init", site}, icb);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void transpose_tile(uint32_t icb, uint32_t itile, uint32_t idst,
                    tt_mock::Site site = tt_mock::here()) {
  tt_mock::transpose({"transpose_tile", site}, icb, itile, idst);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void transpose_block(uint32_t icb, uint32_t start_itile, uint32_t start_idst, uint32_t ntiles,
                     tt_mock::Site site = tt_mock::here()) {
  for (uint32_t i = 0; i < ntiles; ++i) {
    tt_mock::transpose({"transpose_block", site}, icb, start_itile + i, start_idst + i);
  }
}

}  // namespace ckernel
