// Operations of the vector unit on a register and a row or column of another, in place.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

#define TT_MOCK_SFPU_BROADCAST(function, type, dimension)                                      \
  inline void function(uint32_t dst_data_idx, uint32_t dst_vector_idx, TT_MOCK_SITE) {         \
    tt_mock::sfpu_broadcast({#function, site}, EltwiseBinaryType::type,                        \
                            BroadcastType::dimension, dst_data_idx, dst_vector_idx);           \
  }

TT_MOCK_SFPU_FORMAT_INIT(sfpu_bcast_col_init, broadcast, BroadcastType::COL)
TT_MOCK_SFPU_FORMAT_INIT(sfpu_add_bcast_col_init, broadcast, BroadcastType::COL)
TT_MOCK_SFPU_FORMAT_INIT(sfpu_sub_bcast_col_init, broadcast, BroadcastType::COL)
TT_MOCK_SFPU_FORMAT_INIT(sfpu_mul_bcast_col_init, broadcast, BroadcastType::COL)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BROADCAST(sfpu_add_bcast_col, ELWADD, COL)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BROADCAST(sfpu_sub_bcast_col, ELWSUB, COL)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BROADCAST(sfpu_mul_bcast_col, ELWMUL, COL)

TT_MOCK_SFPU_FORMAT_INIT(sfpu_bcast_row_init, broadcast, BroadcastType::ROW)
TT_MOCK_SFPU_FORMAT_INIT(sfpu_add_bcast_row_init, broadcast, BroadcastType::ROW)
TT_MOCK_SFPU_FORMAT_INIT(sfpu_sub_bcast_row_init, broadcast, BroadcastType::ROW)
TT_MOCK_SFPU_FORMAT_INIT(sfpu_mul_bcast_row_init, broadcast, BroadcastType::ROW)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BROADCAST(sfpu_add_bcast_row, ELWADD, ROW)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BROADCAST(sfpu_sub_bcast_row, ELWSUB, ROW)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BROADCAST(sfpu_mul_bcast_row, ELWMUL, ROW)

#undef TT_MOCK_SFPU_BROADCAST

template <BroadcastType Dim>
void sfpu_bcast_init(TT_MOCK_SITE) {
  tt_mock::sfpu_init({"sfpu_bcast_init", site}, tt_mock::Sfpu::broadcast, uint32_t(Dim));
}

template <BroadcastType Dim, EltwiseBinaryType Op, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void sfpu_bcast(uint32_t dst_data_idx, uint32_t dst_bcast_idx, TT_MOCK_SITE) {
  tt_mock::sfpu_broadcast({"sfpu_bcast", site}, Op, Dim, dst_data_idx, dst_bcast_idx);
}

// (data - mean) * inverse deviation, where these two fill a column.
inline void sfpu_normalize_bcast_col(uint32_t dst_data_idx, uint32_t dst_mean_col_idx,
                                     uint32_t dst_inv_std_col_idx, TT_MOCK_SITE) {
  tt_mock::sfpu_normalize({"sfpu_normalize_bcast_col", site}, dst_data_idx, dst_mean_col_idx,
                          dst_inv_std_col_idx);
}

inline void sfpu_normalize_bcast_col_two_tiles(uint32_t dst_data_idx, uint32_t dst_second_data_idx,
                                               uint32_t dst_mean_col_idx,
                                               uint32_t dst_inv_std_col_idx, TT_MOCK_SITE) {
  const tt_mock::Call call{"sfpu_normalize_bcast_col_two_tiles", site};
  tt_mock::sfpu_normalize(call, dst_data_idx, dst_mean_col_idx, dst_inv_std_col_idx);
  tt_mock::sfpu_normalize(call, dst_second_data_idx, dst_mean_col_idx, dst_inv_std_col_idx);
}

}  // namespace ckernel
