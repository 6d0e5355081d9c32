// Reduction of a tile along its rows, columns or both, scaled by the scaler tile.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

template <PoolType reduce_type, ReduceDim reduce_dim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void reduce_init(uint32_t icb, uint32_t icb_scaler, uint32_t ocb,
                 tt_mock::Site site = tt_mock::here()) {
  tt_mock::reduce_init({"reduce_init", site}, reduce_type, reduce_dim, icb, icb_scaler, ocb);
}

template <PoolType reduce_type, ReduceDim reduce_dim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void reduce_tile(uint32_t icb, uint32_t icb_scaler, uint32_t itile, uint32_t itile_scaler,
                 uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::reduce({"reduce_tile", site}, reduce_type, reduce_dim,
                  {icb, icb_scaler, itile, itile_scaler, idst, 0});
}

template <PoolType reduce_type, ReduceDim reduce_dim, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void reduce_block(uint32_t icb, uint32_t icb_scaler, uint32_t start_itile, uint32_t itile_scaler,
                  uint32_t start_idst, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  for (uint32_t i = 0; i < ntiles; ++i) {
    tt_mock::reduce({"reduce_block", site}, reduce_type, reduce_dim,
                    {icb, icb_scaler, start_itile + i, itile_scaler, start_idst + i, 0});
  }
}

inline void reduce_uninit(uint32_t = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::reduce_uninit({"reduce_uninit", site});
}

}  // namespace ckernel
