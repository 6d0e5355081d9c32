// Blocks of the output, each a sum over blocks of the inner dimension, subblock by subblock.
//
// A sum stays in the destination register where the block is one subblock. Elsewhere the packer
// adds it up in L1: in the place of the output where that has 16 bits an element, and else beside
// it, from where the last block of the inner dimension takes it back.
#include <cstdint>

#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/matmul.h"
#include "api/compute/pack.h"
#include "api/compute/reconfig_data_format.h"
#include "api/compute/tile_move_copy.h"

constexpr uint32_t in0_cb = 0, in1_cb = 1, sum_cb = 3, out_cb = 16;
constexpr uint32_t rows = get_named_compile_time_arg_val("rows");
constexpr uint32_t columns = get_named_compile_time_arg_val("columns");
constexpr uint32_t inner = get_named_compile_time_arg_val("inner");
constexpr uint32_t inner_blocks = get_named_compile_time_arg_val("inner_blocks");
constexpr uint32_t sub_rows = get_named_compile_time_arg_val("sub_rows");
constexpr uint32_t sub_columns = get_named_compile_time_arg_val("sub_columns");
constexpr bool sum_beside = get_named_compile_time_arg_val("sum_beside") != 0;
constexpr uint32_t sub_tiles = sub_rows * sub_columns;
constexpr uint32_t row_tiles = sub_rows * columns;  // of a row of subblocks

void multiply(uint32_t r, uint32_t c) {
  for (uint32_t k = 0; k < inner; ++k) {
    matmul_block(in0_cb, in1_cb, r * inner + k, k * columns + c, 0, 0, sub_columns, sub_rows,
                 inner);
  }
}

void await_operands() {
  cb_wait_front(in0_cb, rows * inner);
  cb_wait_front(in1_cb, inner * columns);
}

void free_operands() {
  cb_pop_front(in0_cb, rows * inner);
  cb_pop_front(in1_cb, inner * columns);
}

// Packs a subblock to its place in rows of `columns` tiles, of which `row` is its first.
void pack_subblock(uint32_t cb, uint32_t row, uint32_t c) {
  tile_regs_commit();
  tile_regs_wait();
  for (uint32_t i = 0; i < sub_tiles; ++i) {
    pack_tile<true>(i, cb, (row + i / sub_columns) * columns + c + i % sub_columns);
  }
  tile_regs_release();
}

void sum_in_register() {
  tile_regs_acquire();
  for (uint32_t block = 0; block < inner_blocks; ++block) {
    await_operands();
    multiply(0, 0);
    free_operands();
  }
  cb_reserve_back(out_cb, sub_tiles);
  pack_subblock(out_cb, 0, 0);
  cb_push_back(out_cb, sub_tiles);
}

// The rows of the output are reserved one by one as they are first packed, since the block before
// may still be on its way out, and published one by one as they are finished.
void sum_in_place() {
  for (uint32_t block = 0; block < inner_blocks; ++block) {
    const bool first = block == 0;
    const bool last = block == inner_blocks - 1;
    await_operands();
    if (inner_blocks > 1 && block < 2) {
      pack_reconfig_l1_acc(block);
    }
    for (uint32_t r = 0; r < rows; r += sub_rows) {
      const uint32_t row = last ? 0 : r;  // from the first one that is not published
      if (first) {
        cb_reserve_back(out_cb, (row + sub_rows) * columns);
      }
      for (uint32_t c = 0; c < columns; c += sub_columns) {
        tile_regs_acquire();
        multiply(r, c);
        pack_subblock(out_cb, row, c);
      }
      if (last) {
        cb_push_back(out_cb, row_tiles);
      }
    }
    free_operands();
  }
}

void take_back(uint32_t r, uint32_t c) {
  reconfig_data_format_srca(in1_cb, sum_cb);
  copy_init(sum_cb);
  for (uint32_t i = 0; i < sub_tiles; ++i) {
    copy_tile(sum_cb, (r + i / sub_columns) * columns + c + i % sub_columns, i);
  }
  reconfig_data_format_srca(sum_cb, in1_cb);
  matmul_block_init(in0_cb, in1_cb, 0, sub_columns, sub_rows, inner);
}

void sum_in_own_place() {
  if (inner_blocks > 1) {
    pack_reconfig_data_format(sum_cb);
    cb_reserve_back(sum_cb, rows * columns);
  }
  for (uint32_t block = 0; block + 1 < inner_blocks; ++block) {
    await_operands();
    if (block < 2) {
      pack_reconfig_l1_acc(block);
    }
    for (uint32_t r = 0; r < rows; r += sub_rows) {
      for (uint32_t c = 0; c < columns; c += sub_columns) {
        tile_regs_acquire();
        multiply(r, c);
        pack_subblock(sum_cb, r, c);
      }
    }
    free_operands();
  }
  await_operands();
  if (inner_blocks > 1) {
    cb_push_back(sum_cb, rows * columns);
    cb_wait_front(sum_cb, rows * columns);
    pack_reconfig_l1_acc(0);
    pack_reconfig_data_format(out_cb);
  }
  for (uint32_t r = 0; r < rows; r += sub_rows) {
    cb_reserve_back(out_cb, row_tiles);
    for (uint32_t c = 0; c < columns; c += sub_columns) {
      tile_regs_acquire();
      if (inner_blocks > 1) {
        take_back(r, c);
      }
      multiply(r, c);
      pack_subblock(out_cb, 0, c);
    }
    cb_push_back(out_cb, row_tiles);
  }
  free_operands();
  if (inner_blocks > 1) {
    cb_pop_front(sum_cb, rows * columns);
  }
}

void kernel_main() {
  constexpr uint32_t output_blocks = get_named_compile_time_arg_val("output_blocks");
  compute_kernel_hw_startup<SrcOrder::Reverse>(in0_cb, in1_cb, out_cb);
  matmul_block_init(in0_cb, in1_cb, 0, sub_columns, sub_rows, inner);
  for (uint32_t block = 0; block < output_blocks; ++block) {
    if constexpr (sub_rows == rows && sub_columns == columns) {
      sum_in_register();
    } else if constexpr (sum_beside) {
      sum_in_own_place();
    } else {
      sum_in_place();
    }
  }
}
