// Operations of the vector unit that combine elements of one tile: reductions and running sums.
#define TT_MOCK_COMPUTE
#include <algorithm>
#include <limits>

#include "sfpu.h"
#include "tile.h"

namespace tt_mock {
namespace {

using Number = double;

// Elements that the routine leaves in no particular state.
constexpr uint32_t unspecified_integer = 0xDEADBEEF;

Number read(const DstTile& tile, uint32_t at, DataFormat format) {
  if (!is_integer_format(format)) {
    return Number{tile.values[at]};
  }
  const uint32_t word = bits_of(tile.values[at]) & integer_format(format).mask;
  return format == DataFormat::Int32 ? Number(int32_t(word)) : Number(word);
}

// Sums of integers wrap at 32 bits; a double holds every sum of a few hundred of them.
float written(Number value, DataFormat format) {
  if (!is_integer_format(format)) {
    return float(value);
  }
  return float_of(uint32_t(int64_t(value)) & integer_format(format).mask);
}

Number combined(PoolType pool, Number a, Number b) {
  switch (pool) {
    case PoolType::MAX:
      return std::max(a, b);
    case PoolType::MIN:
      return std::min(a, b);
    default:
      return a + b;
  }
}

// Floats are added in single precision, as the unit does.
Number accumulated(PoolType pool, DataFormat format, Number a, Number b) {
  const Number result = combined(pool, a, b);
  return is_integer_format(format) ? result : Number(float(result));
}

Number averaged(PoolType pool, DataFormat format, Number sum) {
  if (pool != PoolType::AVG) {
    return sum;
  }
  if (!is_integer_format(format)) {
    return sum / tile_side;
  }
  // The sum has wrapped before it is divided, towards zero.
  const auto wrapped = uint32_t(int64_t(sum));
  const Number whole = format == DataFormat::Int32 ? Number(int32_t(wrapped)) : Number(wrapped);
  return Number(int64_t(whole) / int64_t{tile_side});
}

void poison(DstTile& tile, DataFormat format) {
  const float filling = is_integer_format(format) ? float_of(unspecified_integer)
                                                  : std::numeric_limits<float>::quiet_NaN();
  std::fill_n(tile.values, tile_elements, filling);
}

DstTile& tile_of(Thread& thread, DataFormat format, uint32_t slot) {
  return is_integer_format(format) ? integer_tile(thread, slot) : float_tile(thread, slot);
}

void finish(DstTile& tile, DataFormat format) {
  if (!is_integer_format(format)) {
    dst_round(tile, Rounding::cut);
  }
}

void reduce_columns(DstTile& tile, PoolType pool, DataFormat format) {
  float result[tile_side];
  for (uint32_t c = 0; c < tile_side; ++c) {
    Number sum = read(tile, c, format);
    for (uint32_t r = 1; r < tile_side; ++r) {
      sum = accumulated(pool, format, sum, read(tile, r * tile_side + c, format));
    }
    result[c] = written(averaged(pool, format, sum), format);
  }
  poison(tile, format);
  std::copy_n(result, tile_side, tile.values);
  finish(tile, format);
}

void reduce_row_of_tiles(Thread& thread, PoolType pool, DataFormat format, uint32_t first,
                         uint32_t columns) {
  float result[tile_side];
  for (uint32_t r = 0; r < tile_side; ++r) {
    Number sum = 0;
    for (uint32_t c = 0; c < columns * tile_side; ++c) {
      const DstTile& tile = tile_of(thread, format, first + c / tile_side);
      const Number value = read(tile, r * tile_side + c % tile_side, format);
      sum = c == 0 ? value : accumulated(pool, format, sum, value);
    }
    result[r] = written(sum, format);
  }
  for (uint32_t tile = 0; tile < columns; ++tile) {
    poison(tile_of(thread, format, first + tile), format);
  }
  DstTile& out = tile_of(thread, format, first);
  for (uint32_t r = 0; r < tile_side; ++r) {
    out.values[r * tile_side] = result[r];
  }
  finish(out, format);
}

}  // namespace

void sfpu_reduce(Call call, PoolType pool, DataFormat format, ReduceDim dim, uint32_t dst,
                 uint32_t columns, uint32_t rows) {
  Thread& thread = begin_sfpu(call, Sfpu::reduce, sfpu_reduce_key(pool, format));
  if (dim == ReduceDim::REDUCE_COL) {
    if (columns != 1 || rows != 1) {
      likely("reduce each tile, then combine the tiles");
      fail("args_out_of_range", -1, "a reduction of columns takes one tile, not %u x %u", rows,
           columns);
    }
    return reduce_columns(tile_of(thread, format, dst), pool, format);
  }
  for (uint32_t row = 0; row < rows; ++row) {
    reduce_row_of_tiles(thread, pool, format, dst + row * columns, columns);
  }
}

void sfpu_broadcast(Call call, EltwiseBinaryType type, BroadcastType dim, uint32_t data,
                    uint32_t vector) {
  Thread& thread = begin_sfpu(call, Sfpu::broadcast, uint32_t(dim));
  const DstTile& second = float_tile(thread, vector);
  DstTile& out = float_tile(thread, data);
  for (uint32_t i = 0; i < tile_elements; ++i) {
    const uint32_t at = dim == BroadcastType::ROW ? i % tile_side : i / tile_side * tile_side;
    const float value = second.values[at];
    switch (type) {
      case EltwiseBinaryType::ELWADD:
        out.values[i] += value;
        break;
      case EltwiseBinaryType::ELWSUB:
        out.values[i] -= value;
        break;
      case EltwiseBinaryType::ELWMUL:
        out.values[i] *= value;
        break;
      default:
        fail_unsupported("operation", "the vector unit broadcasts in sums, differences, products");
    }
  }
  dst_round(out, Rounding::cut);
}

void sfpu_normalize(Call call, uint32_t data, uint32_t mean, uint32_t inverse_deviation) {
  Thread& thread = begin_sfpu(call, Sfpu::broadcast, uint32_t(BroadcastType::COL));
  const DstTile& means = float_tile(thread, mean);
  const DstTile& scales = float_tile(thread, inverse_deviation);
  DstTile& out = float_tile(thread, data);
  for (uint32_t i = 0; i < tile_elements; ++i) {
    const uint32_t row = i / tile_side * tile_side;
    out.values[i] = (out.values[i] - means.values[row]) * scales.values[row];
  }
  dst_round(out, Rounding::cut);
}

void sfpu_cumsum(Call call, uint32_t dst, bool first) {
  Thread& thread = begin_sfpu(call, Sfpu::cumsum);
  DstTile& tile = float_tile(thread, dst);
  float* running = compute_of(thread).running_sums;
  if (first) {
    std::fill_n(running, tile_side, 0.0F);
  }
  for (uint32_t i = 0; i < tile_elements; ++i) {
    running[i % tile_side] += tile.values[i];
    tile.values[i] = running[i % tile_side];
  }
  dst_round(tile, Rounding::cut);
}

}  // namespace tt_mock
