// FPU arithmetic with the second operand broadcast from its row 0, column 0 or element [0, 0].
#pragma once

#include "api/compute/common.h"

namespace ckernel {

inline void add_bcast_rows_init(uint32_t icb0, uint32_t icb1,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"add_bcast_rows_init", site},
                       {EltwiseBinaryType::ELWADD, BroadcastType::ROW}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_tiles_bcast_rows(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                          uint32_t idst, uint32_t bcast_row_idx = 0,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"add_tiles_bcast_rows", site}, {EltwiseBinaryType::ELWADD, BroadcastType::ROW},
                  {icb0, icb1, itile0, itile1, idst, bcast_row_idx});
}

inline void add_bcast_cols_init(uint32_t icb0, uint32_t icb1,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"add_bcast_cols_init", site},
                       {EltwiseBinaryType::ELWADD, BroadcastType::COL}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_tiles_bcast_cols(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                          uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"add_tiles_bcast_cols", site}, {EltwiseBinaryType::ELWADD, BroadcastType::COL},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

inline void add_bcast_scalar_init(uint32_t icb0, uint32_t icb1,
                                  tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"add_bcast_scalar_init", site},
                       {EltwiseBinaryType::ELWADD, BroadcastType::SCALAR}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_tiles_bcast_scalar(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                            uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"add_tiles_bcast_scalar", site},
                  {EltwiseBinaryType::ELWADD, BroadcastType::SCALAR},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

inline void sub_bcast_rows_init(uint32_t icb0, uint32_t icb1,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"sub_bcast_rows_init", site},
                       {EltwiseBinaryType::ELWSUB, BroadcastType::ROW}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_tiles_bcast_rows(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                          uint32_t idst, uint32_t bcast_row_idx = 0,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"sub_tiles_bcast_rows", site}, {EltwiseBinaryType::ELWSUB, BroadcastType::ROW},
                  {icb0, icb1, itile0, itile1, idst, bcast_row_idx});
}

inline void sub_bcast_cols_init(uint32_t icb0, uint32_t icb1,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"sub_bcast_cols_init", site},
                       {EltwiseBinaryType::ELWSUB, BroadcastType::COL}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_tiles_bcast_cols(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                          uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"sub_tiles_bcast_cols", site}, {EltwiseBinaryType::ELWSUB, BroadcastType::COL},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

inline void sub_bcast_scalar_init(uint32_t icb0, uint32_t icb1,
                                  tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"sub_bcast_scalar_init", site},
                       {EltwiseBinaryType::ELWSUB, BroadcastType::SCALAR}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_tiles_bcast_scalar(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                            uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"sub_tiles_bcast_scalar", site},
                  {EltwiseBinaryType::ELWSUB, BroadcastType::SCALAR},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

inline void mul_bcast_rows_init(uint32_t icb0, uint32_t icb1,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"mul_bcast_rows_init", site},
                       {EltwiseBinaryType::ELWMUL, BroadcastType::ROW}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_tiles_bcast_rows(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                          uint32_t idst, uint32_t bcast_row_idx = 0,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"mul_tiles_bcast_rows", site}, {EltwiseBinaryType::ELWMUL, BroadcastType::ROW},
                  {icb0, icb1, itile0, itile1, idst, bcast_row_idx});
}

inline void mul_bcast_cols_init(uint32_t icb0, uint32_t icb1,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"mul_bcast_cols_init", site},
                       {EltwiseBinaryType::ELWMUL, BroadcastType::COL}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_tiles_bcast_cols(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                          uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"mul_tiles_bcast_cols", site}, {EltwiseBinaryType::ELWMUL, BroadcastType::COL},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

inline void mul_bcast_scalar_init(uint32_t icb0, uint32_t icb1,
                                  tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"mul_bcast_scalar_init", site},
                       {EltwiseBinaryType::ELWMUL, BroadcastType::SCALAR}, icb0, icb1, false);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_tiles_bcast_scalar(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1,
                            uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"mul_tiles_bcast_scalar", site},
                  {EltwiseBinaryType::ELWMUL, BroadcastType::SCALAR},
                  {icb0, icb1, itile0, itile1, idst, 0});
}

template <EltwiseBinaryType tBcastOp, BroadcastType tBcastDim>
void bcast_init(uint32_t icb0, uint32_t icb1, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary_init({"bcast_init", site}, {tBcastOp, tBcastDim}, icb0, icb1, false);
}

template <EltwiseBinaryType tBcastOp, BroadcastType tBcastDim,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void any_tiles_bcast(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1, uint32_t idst,
                     uint32_t bcast_row_idx = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::binary({"any_tiles_bcast", site}, {tBcastOp, tBcastDim},
                  {icb0, icb1, itile0, itile1, idst, bcast_row_idx});
}

template <BroadcastType tBcastDim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void add_tiles_bcast(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1, uint32_t idst,
                     uint32_t bcast_row_idx = 0, tt_mock::Site site = tt_mock::here()) {
  any_tiles_bcast<EltwiseBinaryType::ELWADD, tBcastDim>(icb0, icb1, itile0, itile1, idst,
                                                        bcast_row_idx, site);
}

template <BroadcastType tBcastDim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sub_tiles_bcast(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1, uint32_t idst,
                     uint32_t bcast_row_idx = 0, tt_mock::Site site = tt_mock::here()) {
  any_tiles_bcast<EltwiseBinaryType::ELWSUB, tBcastDim>(icb0, icb1, itile0, itile1, idst,
                                                        bcast_row_idx, site);
}

template <BroadcastType tBcastDim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void mul_tiles_bcast(uint32_t icb0, uint32_t icb1, uint32_t itile0, uint32_t itile1, uint32_t idst,
                     uint32_t bcast_row_idx = 0, tt_mock::Site site = tt_mock::here()) {
  any_tiles_bcast<EltwiseBinaryType::ELWMUL, tBcastDim>(icb0, icb1, itile0, itile1, idst,
                                                        bcast_row_idx, site);
}

template <BroadcastType bcast_type, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void unary_bcast_init(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::unary_broadcast_init({"unary_bcast_init", site}, bcast_type, icb);
}

template <BroadcastType bcast_type, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void unary_bcast(uint32_t icb, uint32_t in_tile_index, uint32_t dst_tile_index,
                 tt_mock::Site site = tt_mock::here()) {
  tt_mock::unary_broadcast({"unary_bcast", site}, bcast_type, icb, in_tile_index, dst_tile_index);
}

template <BroadcastType bcast_type>
void unary_bcast_uninit(uint32_t icb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::unary_broadcast_uninit({"unary_bcast_uninit", site}, icb);
}

}  // namespace ckernel
