// The left operand from DRAM: the first core of each row of cores reads its blocks and passes them
// on along the row.
#include "passing.h"

void kernel_main() {
  constexpr auto layout = TensorAccessorArgs<0>();
  constexpr uint32_t rows = get_named_compile_time_arg_val("rows");
  constexpr uint32_t inner = get_named_compile_time_arg_val("inner");
  constexpr uint32_t inner_blocks = get_named_compile_time_arg_val("inner_blocks");
  constexpr uint32_t row_blocks = get_named_compile_time_arg_val("row_blocks");
  constexpr uint32_t column_blocks = get_named_compile_time_arg_val("column_blocks");
  constexpr bool ahead = get_named_compile_time_arg_val("ahead") != 0;
  const auto tensor = TensorAccessor(layout, get_arg_val<uint32_t>(0));
  const uint32_t first_row = get_arg_val<uint32_t>(1);
  const Line line = line_from(2);
  const Signals signals = {get_semaphore(0), get_semaphore(1)};
  const auto fetch = [&](uint32_t number, uint32_t to) {
    const uint32_t row = first_row + number / (inner_blocks * column_blocks) * rows;
    const uint32_t column = number % inner_blocks * inner;
    for (uint32_t r = 0; r < rows; ++r) {
      for (uint32_t k = 0; k < inner; ++k) {
        noc_async_read_page((row + r) * (inner_blocks * inner) + column + k, tensor, to);
        to += get_tile_size(0);
      }
    }
  };
  bring<0, ahead>(line, signals, row_blocks * column_blocks * inner_blocks, rows * inner, fetch,
                  [](uint32_t) {});
  noc_async_full_barrier();
}
