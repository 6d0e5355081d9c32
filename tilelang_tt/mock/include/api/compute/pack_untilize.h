// Tiles to rows of row-major elements, by the packer.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

constexpr uint32_t TILE_C_DIM = 32;
constexpr uint32_t TILE_R_DIM = 32;

template <uint32_t block_ct_dim = 8, uint32_t full_ct_dim = block_ct_dim, bool narrow_row = false,
          uint32_t row_num_datums = TILE_C_DIM, bool dense = false, bool configure_remap = true,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void pack_untilize_dest_init(uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  static_assert(!narrow_row && !dense && row_num_datums == TILE_C_DIM,
                "the mock untilizes whole tiles");
  static_assert(block_ct_dim <= 8 && full_ct_dim % block_ct_dim == 0,
                "a block is at most 8 tiles wide and divides the row");
  tt_mock::untilize_pack_init({"pack_untilize_dest_init", site}, {block_ct_dim, full_ct_dim}, ocb);
}

template <uint32_t block_ct_dim = 8, uint32_t full_ct_dim = block_ct_dim,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void pack_untilize_init(uint32_t icb, uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::copy_init({"pack_untilize_init", site}, icb, false, false);
  pack_untilize_dest_init<block_ct_dim, full_ct_dim>(ocb, site);
}

template <uint32_t block_ct_dim = 8, uint32_t full_ct_dim = block_ct_dim,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void pack_untilize_init_skip_remap(uint32_t icb, uint32_t ocb,
                                   tt_mock::Site site = tt_mock::here()) {
  pack_untilize_init<block_ct_dim, full_ct_dim>(icb, ocb, site);
}

template <uint32_t block_ct_dim = 8, uint32_t full_ct_dim = block_ct_dim,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void pack_untilize_block(uint32_t icb, uint32_t block_rt_dim, uint32_t ocb,
                         uint32_t block_c_index = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::untilize({"pack_untilize_block", site}, {block_ct_dim, full_ct_dim}, icb, block_rt_dim,
                    ocb, block_c_index);
}

template <uint32_t block_ct_dim = 8, uint32_t full_ct_dim = block_ct_dim, bool diagonal = false,
          bool narrow_row = false, uint32_t row_num_datums = TILE_C_DIM,
          uint32_t tile_dst_ct_offset = 0, bool dense = false>
void pack_untilize_dest(uint32_t ocb, uint32_t block_rt_dim = 1, uint32_t block_c_index = 0,
                        uint32_t tile_dst_rt_offset = 0, tt_mock::Site site = tt_mock::here()) {
  static_assert(!diagonal && !narrow_row && !dense && row_num_datums == TILE_C_DIM,
                "the mock untilizes whole tiles");
  tt_mock::untilize_pack({"pack_untilize_dest", site}, {block_ct_dim, full_ct_dim}, ocb,
                         block_rt_dim, block_c_index, tile_dst_ct_offset + tile_dst_rt_offset);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void pack_untilize_uninit(uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::untilize_pack_uninit({"pack_untilize_uninit", site}, ocb);
}

}  // namespace ckernel
