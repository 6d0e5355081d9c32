// Transposes a tile of the destination register in place.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

template <bool is_32bit = false, bool transpose_of_faces = true>
void transpose_dest_init(uint32_t = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::transpose_dst_init({"transpose_dest_init", site}, is_32bit, transpose_of_faces);
}

template <bool is_32bit = false, bool transpose_of_faces = true>
void transpose_dest(uint32_t idst, tt_mock::Site site = tt_mock::here()) {
  tt_mock::transpose_dst({"transpose_dest", site}, is_32bit, transpose_of_faces, idst);
}

}  // namespace ckernel
