// Matrix product of tiles: in0 goes to SrcB, in1 to SrcA.
#pragma once

#include "api/compute/common.h"

namespace ckernel {

inline void matmul_init(uint32_t in0_cb_id, uint32_t in1_cb_id, uint32_t transpose = 0,
                        tt_mock::Site site = tt_mock::here()) {
  tt_mock::matmul_init({"matmul_init", site}, in0_cb_id, in1_cb_id,
                       {false, transpose != 0, 1, 1, 1});
}

inline void matmul_tiles(uint32_t in0_cb_id, uint32_t in1_cb_id, uint32_t in0_tile_index,
                         uint32_t in1_tile_index, uint32_t idst,
                         tt_mock::Site site = tt_mock::here()) {
  tt_mock::matmul({"matmul_tiles", site}, in0_cb_id, in1_cb_id, in0_tile_index, in1_tile_index,
                  idst, {false, false, 1, 1, 1});
}

inline void matmul_block_init(uint32_t in0_cb_id, uint32_t in1_cb_id, uint32_t transpose = 0,
                              uint32_t ct_dim = 1, uint32_t rt_dim = 1, uint32_t kt_dim = 1,
                              tt_mock::Site site = tt_mock::here()) {
  tt_mock::matmul_init({"matmul_block_init", site}, in0_cb_id, in1_cb_id,
                       {true, transpose != 0, ct_dim, rt_dim, kt_dim});
}

inline void matmul_block(uint32_t in0_cb_id, uint32_t in1_cb_id, uint32_t in0_tile_index,
                         uint32_t in1_tile_index, uint32_t idst, uint32_t transpose,
                         uint32_t ct_dim, uint32_t rt_dim, uint32_t kt_dim,
                         tt_mock::Site site = tt_mock::here()) {
  tt_mock::matmul({"matmul_block", site}, in0_cb_id, in1_cb_id, in0_tile_index, in1_tile_index,
                  idst, {true, transpose != 0, ct_dim, rt_dim, kt_dim});
}

}  // namespace ckernel
