// The four steps of a destination register section.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void tile_regs_acquire(tt_mock::Site site = tt_mock::here()) {
  tt_mock::dst_acquire({"tile_regs_acquire", site});
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tile_regs_commit(tt_mock::Site site = tt_mock::here()) {
  tt_mock::dst_commit({"tile_regs_commit", site});
}

inline void tile_regs_wait(tt_mock::Site site = tt_mock::here()) {
  tt_mock::dst_wait({"tile_regs_wait", site});
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void tile_regs_release(tt_mock::Site site = tt_mock::here()) {
  tt_mock::dst_release({"tile_regs_release", site});
}

}  // namespace ckernel
