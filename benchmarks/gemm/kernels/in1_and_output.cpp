// The right operand from DRAM: the first core of each column of cores reads its blocks and passes
// them on down the column. Then the output, as it is finished, to DRAM; in L1 it is where it is.
#include "passing.h"

constexpr uint32_t out_cb = 16;

void kernel_main() {
  constexpr auto in1_layout = TensorAccessorArgs<0>();
  constexpr auto out_layout = TensorAccessorArgs<in1_layout.next_compile_time_args_offset()>();
  constexpr uint32_t rows = get_named_compile_time_arg_val("rows");
  constexpr uint32_t columns = get_named_compile_time_arg_val("columns");
  constexpr uint32_t inner = get_named_compile_time_arg_val("inner");
  constexpr uint32_t inner_blocks = get_named_compile_time_arg_val("inner_blocks");
  constexpr uint32_t row_blocks = get_named_compile_time_arg_val("row_blocks");
  constexpr uint32_t column_blocks = get_named_compile_time_arg_val("column_blocks");
  constexpr uint32_t step = get_named_compile_time_arg_val("sub_rows");
  constexpr uint32_t width = get_named_compile_time_arg_val("width");
  constexpr bool ahead = get_named_compile_time_arg_val("ahead") != 0;
  constexpr bool stays = get_named_compile_time_arg_val("output_stays") != 0;
  const auto tensor = TensorAccessor(in1_layout, get_arg_val<uint32_t>(0));
  const auto output = TensorAccessor(out_layout, get_arg_val<uint32_t>(1));
  const uint32_t first_row = get_arg_val<uint32_t>(2);
  const uint32_t first_column = get_arg_val<uint32_t>(3);
  const Line line = line_from(4);
  const Signals signals = {get_semaphore(2), get_semaphore(3)};
  const auto column_of = [&](uint32_t output_block) {
    return first_column + output_block % column_blocks * columns;
  };
  const auto fetch = [&](uint32_t number, uint32_t to) {
    const uint32_t row = number % inner_blocks * inner;
    const uint32_t column = column_of(number / inner_blocks);
    for (uint32_t k = 0; k < inner; ++k) {
      for (uint32_t c = 0; c < columns; ++c) {
        noc_async_read_page((row + k) * width + column + c, tensor, to);
        to += get_tile_size(1);
      }
    }
  };
  const auto write_rows = [&](uint32_t row, uint32_t column) {
    uint32_t from = get_read_ptr(out_cb);
    for (uint32_t r = 0; r < step; ++r) {
      for (uint32_t c = 0; c < columns; ++c) {
        noc_async_write_page((row + r) * width + column + c, output, from);
        from += get_tile_size(out_cb);
      }
    }
    noc_async_writes_flushed();
  };
  const auto write = [&](uint32_t number) {
    if (number % inner_blocks != inner_blocks - 1) {
      return;
    }
    const uint32_t block = number / inner_blocks;
    const uint32_t row = first_row + block / column_blocks * rows;
    for (uint32_t r = 0; r < rows; r += step) {
      cb_wait_front(out_cb, step * columns);
      if (!stays) {
        write_rows(row + r, column_of(block));
      }
      cb_pop_front(out_cb, step * columns);
    }
  };
  bring<1, ahead>(line, signals, row_blocks * column_blocks * inner_blocks, inner * columns, fetch,
                  write);
  noc_async_full_barrier();
}
