// Copies one register to another.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(copy_dest_values_init, copy_values)

template <DataFormat DATA_FORMAT>
void copy_dest_values(uint32_t idst_in, uint32_t idst_out, TT_MOCK_SITE) {
  tt_mock::sfpu_copy({"copy_dest_values", site}, idst_in, idst_out);
}

inline void copy_dest_values(uint32_t idst_in, uint32_t idst_out, TT_MOCK_SITE) {
  tt_mock::sfpu_copy({"copy_dest_values", site}, idst_in, idst_out);
}

}  // namespace ckernel
