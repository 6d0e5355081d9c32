// Circular buffer to destination register.
#pragma once

#include "api/compute/common_globals.h"
#include "api/compute/reconfig_data_format.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void copy_init(uint32_t cbid, uint32_t transpose = 0, uint32_t transpose_within_16x16_face = false,
               tt_mock::Site site = tt_mock::here()) {
  tt_mock::copy_init({"copy_init", site}, cbid, transpose != 0, transpose_within_16x16_face != 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void copy_tile(uint32_t in_cb_id, uint32_t in_tile_index, uint32_t dst_tile_index,
               tt_mock::Site site = tt_mock::here()) {
  tt_mock::copy({"copy_tile", site}, in_cb_id, in_tile_index, dst_tile_index);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void copy_block(uint32_t in_cb_id, uint32_t start_in_tile_index, uint32_t start_dst_tile_index,
                uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  for (uint32_t i = 0; i < ntiles; ++i) {
    tt_mock::copy({"copy_block", site}, in_cb_id, start_in_tile_index + i,
                  start_dst_tile_index + i);
  }
}

// Older names.

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void copy_tile_init(uint32_t cbid, tt_mock::Site site = tt_mock::here()) {
  tt_mock::copy_init({"copy_tile_init", site}, cbid, false, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void copy_tile_to_dst_init_short(uint32_t cbid, uint32_t transpose = 0,
                                 uint32_t transpose_within_16x16_face = false,
                                 tt_mock::Site site = tt_mock::here()) {
  tt_mock::copy_init({"copy_tile_to_dst_init_short", site}, cbid, transpose != 0,
                     transpose_within_16x16_face != 0);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void copy_tile_to_dst_init_short_with_dt(uint32_t old_cbid, uint32_t new_cbid,
                                         uint32_t transpose = 0,
                                         tt_mock::Site site = tt_mock::here()) {
  const tt_mock::Call call{"copy_tile_to_dst_init_short_with_dt", site};
  tt_mock::reconfig_source_a(call, old_cbid, new_cbid);
  tt_mock::copy_init(call, new_cbid, transpose != 0, transpose != 0);
}

}  // namespace ckernel
