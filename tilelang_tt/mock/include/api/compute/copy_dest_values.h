// Copies between destination registers.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void copy_dest_values_init(tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_init({"copy_dest_values_init", site}, tt_mock::Sfpu::copy_values, 0);
}

template <DataFormat DATA_FORMAT>
void copy_dest_values(uint32_t idst_in, uint32_t idst_out, tt_mock::Site site = tt_mock::here()) {
  tt_mock::sfpu_copy({"copy_dest_values", site}, idst_in, idst_out);
}

}  // namespace ckernel
