// Tiles to rows of row-major elements, by the unpacker.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void untilize_init(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::unpack_untilize_init({"untilize_init", site}, icb);
}

template <uint32_t block_ct_dim = 1, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void untilize_block(uint32_t icb, uint32_t full_ct_dim, uint32_t ocb,
                    tt_mock::Site site = tt_mock::here()) {
  tt_mock::unpack_untilize({"untilize_block", site}, icb, full_ct_dim, ocb);
}

inline void untilize_uninit(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::unpack_untilize_uninit({"untilize_uninit", site}, icb);
}

}  // namespace ckernel
