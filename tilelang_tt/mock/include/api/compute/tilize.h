// Rows of row-major elements to tiles.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tilize_init(uint32_t icb, uint32_t block, uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::tilize_init({"tilize_init", site}, icb, block, ocb);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tilize_init_short_with_dt(uint32_t old_icb, uint32_t new_icb, uint32_t block, uint32_t ocb,
                               tt_mock::Site site = tt_mock::here()) {
  const tt_mock::Call call{"tilize_init_short_with_dt", site};
  tt_mock::reconfig_source_a(call, old_icb, new_icb);
  tt_mock::tilize_init(call, new_icb, block, ocb);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tilize_block(uint32_t icb, uint32_t block, uint32_t ocb, uint32_t input_tile_index = 0,
                  uint32_t output_tile_index = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::tilize({"tilize_block", site}, icb, block, ocb, input_tile_index, output_tile_index);
}

inline void tilize_uninit(uint32_t icb, uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::tilize_uninit({"tilize_uninit", site}, icb, ocb);
}

// The fast forms give the same tiles.

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_tilize_init(uint32_t icb, uint32_t full_dim, uint32_t ocb,
                      tt_mock::Site site = tt_mock::here()) {
  tt_mock::tilize_init({"fast_tilize_init", site}, icb, full_dim, ocb);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_tilize_init_skip_remap(uint32_t icb, uint32_t full_dim, uint32_t ocb,
                                 tt_mock::Site site = tt_mock::here()) {
  tt_mock::tilize_init({"fast_tilize_init_skip_remap", site}, icb, full_dim, ocb);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_tilize_init_with_dt(uint32_t icb, uint32_t full_dim, uint32_t ocb,
                              tt_mock::Site site = tt_mock::here()) {
  const tt_mock::Call call{"fast_tilize_init_with_dt", site};
  tt_mock::reconfig_source_a(call, icb);
  tt_mock::reconfig_source_b(call, icb);
  tt_mock::tilize_init(call, icb, full_dim, ocb);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_tilize_init_with_dt_skip_remap(uint32_t icb, uint32_t full_dim, uint32_t ocb,
                                         tt_mock::Site site = tt_mock::here()) {
  fast_tilize_init_with_dt(icb, full_dim, ocb, site);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_tilize_block(uint32_t icb, uint32_t block, uint32_t ocb, uint32_t input_tile_index = 0,
                       uint32_t output_tile_index = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::tilize({"fast_tilize_block", site}, icb, block, ocb, input_tile_index,
                  output_tile_index);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void fast_tilize_uninit(uint32_t icb, uint32_t ocb, uint32_t,
                        tt_mock::Site site = tt_mock::here()) {
  tt_mock::tilize_uninit({"fast_tilize_uninit", site}, icb, ocb);
}

}  // namespace ckernel
