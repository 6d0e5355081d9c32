// SFPU conversion between data formats.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

template <uint32_t IN_DTYPE, uint32_t OUT_DTYPE>
void typecast_tile_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"typecast_tile_init", site}, tt_mock::Sfpu::typecast,
                     IN_DTYPE * 256 + OUT_DTYPE);
}

template <uint32_t IN_DTYPE, uint32_t OUT_DTYPE, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void typecast_tile(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_typecast({"typecast_tile", site}, static_cast<DataFormat>(IN_DTYPE),
                         static_cast<DataFormat>(OUT_DTYPE), idst);
}

}  // namespace ckernel
