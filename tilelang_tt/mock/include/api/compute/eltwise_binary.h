// FPU arithmetic on two tiles, or on a tile and a destination register.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

template <bool full_init, EltwiseBinaryType eltwise_binary_type>
void binary_tiles_init(uint32_t icb0, uint32_t icb1, bool acc_to_dest = false,
                       tt_mock::Site site = tt_mock::here()) {
  static_assert(full_init, "the mock needs the unpacker initialised too");
  tt_mock::binary_init({"binary_tiles_init", site}, {eltwise_binary_type, BroadcastType::NONE},
                       icb0, icb1, acc_to_dest);
}

inline void add_init(uint32_t icb0, uint32_t icb1, bool acc_to_dest = false,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"add_init", site}, {EltwiseBinaryType::ELWADD, BroadcastType::NONE}, icb0,
                       icb1, acc_to_dest);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_tiles(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1, uint32_t idst,
               tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"add_tiles", site}, {EltwiseBinaryType::ELWADD, BroadcastType::NONE},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_block(uint32_t icb0, uint32_t icb1, uint32_t start_itile0, uint32_t start_itile1,
               uint32_t start_idst, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  for (uint32_t i = 0; i < ntiles; ++i) {
    add_tiles(icb0, icb1, start_itile0 + i, start_itile1 + i, start_idst + i, site);
  }
}

template <EltwiseBinaryReuseDestType reuse_dest>
void add_reuse_dest_init(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::reuse_init({"add_reuse_dest_init", site}, EltwiseBinaryType::ELWADD, reuse_dest, icb);
}

template <EltwiseBinaryReuseDestType reuse_dest, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_reuse_dest_tiles(uint32_t in_cb_id, uint32_t in_tile_index, uint32_t dst_tile_index,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::reuse({"add_reuse_dest_tiles", site}, EltwiseBinaryType::ELWADD, reuse_dest, in_cb_id,
                 in_tile_index, dst_tile_index);
}

inline void sub_init(uint32_t icb0, uint32_t icb1, bool acc_to_dest = false,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"sub_init", site}, {EltwiseBinaryType::ELWSUB, BroadcastType::NONE}, icb0,
                       icb1, acc_to_dest);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_tiles(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1, uint32_t idst,
               tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"sub_tiles", site}, {EltwiseBinaryType::ELWSUB, BroadcastType::NONE},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_block(uint32_t icb0, uint32_t icb1, uint32_t start_itile0, uint32_t start_itile1,
               uint32_t start_idst, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  for (uint32_t i = 0; i < ntiles; ++i) {
    sub_tiles(icb0, icb1, start_itile0 + i, start_itile1 + i, start_idst + i, site);
  }
}

template <EltwiseBinaryReuseDestType reuse_dest>
void sub_reuse_dest_init(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::reuse_init({"sub_reuse_dest_init", site}, EltwiseBinaryType::ELWSUB, reuse_dest, icb);
}

template <EltwiseBinaryReuseDestType reuse_dest, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_reuse_dest_tiles(uint32_t in_cb_id, uint32_t in_tile_index, uint32_t dst_tile_index,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::reuse({"sub_reuse_dest_tiles", site}, EltwiseBinaryType::ELWSUB, reuse_dest, in_cb_id,
                 in_tile_index, dst_tile_index);
}

inline void mul_init(uint32_t icb0, uint32_t icb1, bool acc_to_dest = true,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"mul_init", site}, {EltwiseBinaryType::ELWMUL, BroadcastType::NONE}, icb0,
                       icb1, acc_to_dest);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_tiles(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1, uint32_t idst,
               tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"mul_tiles", site}, {EltwiseBinaryType::ELWMUL, BroadcastType::NONE},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_block(uint32_t icb0, uint32_t icb1, uint32_t start_itile0, uint32_t start_itile1,
               uint32_t start_idst, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  for (uint32_t i = 0; i < ntiles; ++i) {
    mul_tiles(icb0, icb1, start_itile0 + i, start_itile1 + i, start_idst + i, site);
  }
}

template <EltwiseBinaryReuseDestType reuse_dest>
void mul_reuse_dest_init(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::reuse_init({"mul_reuse_dest_init", site}, EltwiseBinaryType::ELWMUL, reuse_dest, icb);
}

template <EltwiseBinaryReuseDestType reuse_dest, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_reuse_dest_tiles(uint32_t in_cb_id, uint32_t in_tile_index, uint32_t dst_tile_index,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::reuse({"mul_reuse_dest_tiles", site}, EltwiseBinaryType::ELWMUL, reuse_dest, in_cb_id,
                 in_tile_index, dst_tile_index);
}

}  // namespace ckernel
