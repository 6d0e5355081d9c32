// The fast way from tiles to rows, which gives what the other one gives.
#pragma once

#include "api/compute/pack_untilize.h"

namespace ckernel {

template <uint32_t full_ct_dim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_untilize_init(uint32_t icb, uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  pack_untilize_init<full_ct_dim, full_ct_dim>(icb, ocb, site);
}

template <uint32_t full_ct_dim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_untilize_init_skip_remap(uint32_t icb, uint32_t ocb,
                                   tt_mock::Site site = tt_mock::here()) {
  pack_untilize_init<full_ct_dim, full_ct_dim>(icb, ocb, site);
}

template <uint32_t full_ct_dim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_untilize_block(uint32_t icb, uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  pack_untilize_block<full_ct_dim, full_ct_dim>(icb, 1, ocb, 0, site);
}

template <uint32_t full_ct_dim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_untilize_uninit(uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  pack_untilize_uninit(ocb, site);
}

}  // namespace ckernel
