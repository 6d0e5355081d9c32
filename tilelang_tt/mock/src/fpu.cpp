// The matrix engine: copies, broadcasts, element-wise arithmetic, products and reductions of
// unpacked tiles.
#define TT_MOCK_COMPUTE
#include <algorithm>

#include "compute_state.h"
#include "matmul.h"
#include "packer.h"
#include "tile.h"
#include "tt_mock/compute.h"

namespace tt_mock {
namespace {

// Room for unpacked operands. All threads use the same, which stays in the host's cache: no call
// that uses it lets others run.
struct Scratch {
  alignas(64) float words[tile_elements];
};
Scratch scratch_a, scratch_b;

// Which bits of its operands a product sees, by fidelity: SrcA has 5 bits per phase, SrcB 7.
struct Views {
  View a, b;
};

uint32_t fidelity() { return run->program->device.fidelity; }

bool is_exact() { return run->program->device.ieee != 0; }

Views main_views() {
  if (is_exact()) {
    return {View::full, View::full};
  }
  switch (fidelity()) {
    case 1:
      return {View::high5, View::high7};
    case 2:
    case 3:
      return {View::full, View::high7};
    default:
      return {View::full, View::full};
  }
}

// HiFi3's third phase: the high bits of SrcA with the low bits of SrcB.
bool has_third_phase() { return fidelity() == 3 && !is_exact(); }
constexpr Views third_phase = {View::high5, View::low7};

// Row r of the second operand under a broadcast: a row to step through, or one value for all
// columns.
struct BroadcastRow {
  const float* row;
  bool scalar;
};

BroadcastRow broadcast_row(BroadcastType type, const float* tile, uint32_t r, uint32_t row_index) {
  switch (type) {
    case BroadcastType::NONE:
      return {tile + r * tile_side, false};
    case BroadcastType::ROW:
      return {tile + row_index * tile_side, false};
    case BroadcastType::COL:
      return {tile + r * tile_side, true};
    default:
      return {tile, true};
  }
}

// out = f(out, a, b) over the tile.
template <typename Function>
void for_each_pair(float* out, const float* a, const float* b, BroadcastType type,
                   uint32_t row_index, Function f) {
  for (uint32_t r = 0; r < tile_side; ++r) {
    const BroadcastRow second = broadcast_row(type, b, r, row_index);
    float* to = out + r * tile_side;
    const float* from = a + r * tile_side;
    if (second.scalar) {
      const float value = second.row[0];
      for (uint32_t c = 0; c < tile_side; ++c) {
        to[c] = f(to[c], from[c], value);
      }
    } else {
      for (uint32_t c = 0; c < tile_side; ++c) {
        to[c] = f(to[c], from[c], second.row[c]);
      }
    }
  }
}

void add(float* out, const float* a, const float* b, BroadcastType type, uint32_t row) {
  for_each_pair(out, a, b, type, row, [](float, float x, float y) { return x + y; });
}

void sub(float* out, const float* a, const float* b, BroadcastType type, uint32_t row) {
  for_each_pair(out, a, b, type, row, [](float, float x, float y) { return x - y; });
}

void add_to(float* out, const float* a, const float* b, BroadcastType type, uint32_t row) {
  for_each_pair(out, a, b, type, row, [](float z, float x, float y) { return z + (x + y); });
}

void sub_to(float* out, const float* a, const float* b, BroadcastType type, uint32_t row) {
  for_each_pair(out, a, b, type, row, [](float z, float x, float y) { return z + (x - y); });
}

void mul_to(float* out, const float* a, const float* b, BroadcastType type, uint32_t row) {
  for_each_pair(out, a, b, type, row, [](float z, float x, float y) { return z + x * y; });
}

void require_arithmetic(EltwiseBinaryType type) {
  if (type != EltwiseBinaryType::ELWADD && type != EltwiseBinaryType::ELWSUB &&
      type != EltwiseBinaryType::ELWMUL) {
    fail_unsupported("operation", "the FPU adds, subtracts and multiplies only");
  }
}

Cycles arithmetic_cost(EltwiseBinaryType type) {
  const MathTiming& costs = run->timing.math;
  return type == EltwiseBinaryType::ELWMUL ? fidelity() * costs.multiply_phase : costs.add;
}

Init binary_key(BinaryOperation operation) {
  return {Unit::binary, {uint32_t(operation.type), uint32_t(operation.broadcast), 0, 0}};
}

Init matmul_key(const MatmulShape& shape) {
  return {Unit::matmul, {shape.transpose ? 1U : 0U, shape.ct, shape.rt, shape.kt}};
}

}  // namespace

void copy_init(Call call, uint32_t cb, bool transpose_faces, bool transpose_within) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  if (transpose_faces != transpose_within) {
    fail_unsupported("operation", "the mock transposes faces and their insides together only");
  }
  set_init(compute_of(thread), call, {Unit::copy, {transpose_faces ? 1U : 0U, 0, 0, 0}});
}

void copy(Call call, uint32_t index, uint32_t tile, uint32_t dst) {
  Thread& thread = begin(call, Op::copy);
  Compute& compute = compute_of(thread);
  const CircularBuffer& cb = cb_at(thread, index);
  const bool transposed = compute.init.unit == Unit::copy && compute.init.detail[0] != 0;
  require_init(compute, {Unit::copy, {transposed ? 1U : 0U, 0, 0, 0}});
  require_source_a(compute, cb);
  DstTile& out = dst_overwrite(thread, dst);
  float* const room = transposed ? scratch_a.words : out.values;
  const float* words = operand(thread, index, tile, View::full, room);
  const MathTiming& costs = run->timing.math;
  run_operation(thread,
                work_of_one(cb.config->page_bytes, transposed ? costs.transpose : costs.copy));
  if (transposed) {
    transpose_tile_words(words, out.values);
  } else if (words != room) {
    std::copy_n(words, tile_elements, out.values);
  }
  store_unpacked(out, cb);
}

void transpose_init(Call call, uint32_t cb) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  set_init(compute_of(thread), call, {Unit::transpose, {}});
}

void transpose(Call call, uint32_t index, uint32_t tile, uint32_t dst) {
  Thread& thread = begin(call, Op::transpose);
  Compute& compute = compute_of(thread);
  const CircularBuffer& cb = cb_at(thread, index);
  require_init(compute, {Unit::transpose, {}});
  require_source_a(compute, cb);
  const float* words = operand(thread, index, tile, View::full, scratch_a.words);
  DstTile& out = dst_overwrite(thread, dst);
  run_operation(thread, work_of_one(cb.config->page_bytes, run->timing.math.transpose));
  transpose_tile_words(words, out.values);
  store_unpacked(out, cb);
}

void transpose_dst_init(Call call, bool wide, bool faces) {
  Thread& thread = begin(call, Op::init);
  set_init(compute_of(thread), call, {Unit::transpose_dst, {uint32_t(wide), uint32_t(faces), 0, 0}});
}

void transpose_dst(Call call, bool wide, bool faces, uint32_t dst) {
  Thread& thread = begin(call, Op::transpose);
  require_init(compute_of(thread), {Unit::transpose_dst, {uint32_t(wide), uint32_t(faces), 0, 0}});
  if (wide != (run->program->device.fp32_dest != 0)) {
    likely("is_32bit must say what the destination register holds");
    fail("dst_width", -1, "a %s transposition in %s destination registers", wide ? "32-bit" : "16-bit",
         wide ? "16-bit" : "32-bit");
  }
  if (!faces) {
    fail_unsupported("operation", "the mock transposes faces and their insides together only");
  }
  DstTile& tile = dst_read(thread, dst);
  run_math(thread, run->timing.math.transpose);
  alignas(64) float turned[tile_elements];
  transpose_tile_words(tile.values, turned);
  std::copy_n(turned, tile_elements, tile.values);
}

// The row broadcast moves 16 bits at a time, which fits 16-bit destination registers; 32-bit data
// takes another way. What is left is 16-bit data in 32-bit registers: the move scatters it.
static void require_row_broadcast_width(BroadcastType type, const CircularBuffer& cb) {
  const bool wide_registers = run->program->device.fp32_dest != 0;
  if (type == BroadcastType::ROW && wide_registers && cb.config->unpack_to_dest_fp32 == 0) {
    likely("add the row to a tile of zeros with add_tiles_bcast_rows instead");
    fail("dst_width", int(cb.config->index),
         "unary_bcast of a row of 16-bit data is wrong in 32-bit destination registers");
  }
}

void unary_broadcast_init(Call call, BroadcastType type, uint32_t cb) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  set_init(compute_of(thread), call, {Unit::broadcast, {uint32_t(type), 0, 0, 0}});
}

void unary_broadcast_uninit(Call call, uint32_t cb) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  set_init(compute_of(thread), call, {});
}

void unary_broadcast(Call call, BroadcastType type, uint32_t index, uint32_t tile, uint32_t dst) {
  Thread& thread = begin(call, Op::broadcast);
  Compute& compute = compute_of(thread);
  const CircularBuffer& cb = cb_at(thread, index);
  require_init(compute, {Unit::broadcast, {uint32_t(type), 0, 0, 0}});
  require_row_broadcast_width(type, cb);
  if (type == BroadcastType::NONE || cb.config->unpack_to_dest_fp32 != 0) {
    require_source_a(compute, cb);
  } else {
    require_source_b(compute, cb);
  }
  const float* words = operand(thread, index, tile, View::full, scratch_a.words);
  DstTile& out = dst_overwrite(thread, dst);
  run_operation(thread, work_of_one(cb.config->page_bytes, run->timing.math.broadcast));
  for_each_pair(out.values, words, words, type, 0, [](float, float, float y) { return y; });
  store_unpacked(out, cb);
}

void binary_init(Call call, BinaryOperation operation, uint32_t cb_a, uint32_t cb_b,
                 bool accumulate) {
  Thread& thread = begin(call, Op::init);
  require_arithmetic(operation.type);
  cb_at(thread, cb_a);
  cb_at(thread, cb_b);
  set_init(compute_of(thread), call, binary_key(operation));
  compute_of(thread).accumulate = accumulate;
}

void binary(Call call, BinaryOperation operation, BinaryOperands operands) {
  Thread& thread = begin(call, Op::binary);
  Compute& compute = compute_of(thread);
  const CircularBuffer& cb_a = cb_at(thread, operands.cb_a);
  const CircularBuffer& cb_b = cb_at(thread, operands.cb_b);
  require_init(compute, binary_key(operation));
  require_fpu_operand(cb_a);
  require_fpu_operand(cb_b);
  require_source_a(compute, cb_a);
  require_source_b(compute, cb_b);
  if (operands.broadcast_row >= tile_side) {
    fail("args_out_of_range", -1, "row %u of a tile", operands.broadcast_row);
  }
  const bool product = operation.type == EltwiseBinaryType::ELWMUL;
  const auto apply = [&](DstTile& out, Views views, auto function) {
    const float* a =
        operand(thread, operands.cb_a, operands.tile_a, views.a, scratch_a.words);
    const float* b =
        operand(thread, operands.cb_b, operands.tile_b, views.b, scratch_b.words);
    function(out.values, a, b, operation.broadcast, operands.broadcast_row);
  };
  // The hardware's product always adds to the register; sums do so when the init asked for it.
  const bool accumulate = product || compute.accumulate;
  DstTile& out =
      accumulate ? dst_accumulate(thread, operands.dst) : dst_overwrite(thread, operands.dst);
  run_operation(thread, work_of_two(cb_a.config->page_bytes, cb_b.config->page_bytes,
                                    arithmetic_cost(operation.type)));
  if (product) {
    apply(out, main_views(), mul_to);
    if (has_third_phase()) {
      apply(out, third_phase, mul_to);
    }
  } else if (operation.type == EltwiseBinaryType::ELWADD) {
    apply(out, {View::full, View::full}, accumulate ? add_to : add);
  } else {
    apply(out, {View::full, View::full}, accumulate ? sub_to : sub);
  }
  dst_store_float(out, cb_a.config->format);
}

void reuse_init(Call call, EltwiseBinaryType type, EltwiseBinaryReuseDestType reuse, uint32_t cb) {
  Thread& thread = begin(call, Op::init);
  require_arithmetic(type);
  cb_at(thread, cb);
  set_init(compute_of(thread), call, {Unit::reuse, {uint32_t(type), uint32_t(reuse), 0, 0}});
}

void reuse(Call call, EltwiseBinaryType type, EltwiseBinaryReuseDestType reuse, uint32_t index,
           uint32_t tile, uint32_t dst) {
  Thread& thread = begin(call, Op::binary);
  Compute& compute = compute_of(thread);
  const CircularBuffer& cb = cb_at(thread, index);
  require_init(compute, {Unit::reuse, {uint32_t(type), uint32_t(reuse), 0, 0}});
  require_fpu_operand(cb);
  const bool register_is_a = reuse == EltwiseBinaryReuseDestType::DEST_TO_SRCA;
  if (register_is_a) {
    require_source_b(compute, cb);
  } else {
    require_source_a(compute, cb);
  }
  const float* words = operand(thread, index, tile, View::full, scratch_a.words);
  DstTile& out = dst_read(thread, dst);
  run_operation(thread, work_of_one(cb.config->page_bytes,
                                    run->timing.math.reuse + arithmetic_cost(type)));
  alignas(64) float moved[tile_elements];
  constexpr uint32_t tf32_significand = 11;
  truncate_significand(out.values, moved, is_exact() ? 24 : tf32_significand);
  const float* a = register_is_a ? moved : words;
  const float* b = register_is_a ? words : moved;
  if (type == EltwiseBinaryType::ELWADD) {
    add(out.values, a, b, BroadcastType::NONE, 0);
  } else if (type == EltwiseBinaryType::ELWSUB) {
    sub(out.values, a, b, BroadcastType::NONE, 0);
  } else {
    std::fill_n(out.values, tile_elements, 0.0F);
    alignas(64) float seen_a[tile_elements];
    alignas(64) float seen_b[tile_elements];
    truncate_significand(a, seen_a, fidelity() == 1 && !is_exact() ? 5 : 24);
    truncate_significand(b, seen_b, fidelity() <= 2 && !is_exact() ? 7 : 24);
    mul_to(out.values, seen_a, seen_b, BroadcastType::NONE, 0);
  }
  dst_store_float(out, cb.config->format);
}

void matmul_init(Call call, uint32_t cb0, uint32_t cb1, MatmulShape shape) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb0);
  cb_at(thread, cb1);
  if (shape.ct == 0 || shape.rt == 0 || shape.ct * shape.rt > run->program->device.dst_tiles) {
    fail("dst_out_of_range", -1, "a block of %u x %u tiles in a destination register of %u",
         shape.rt, shape.ct, run->program->device.dst_tiles);
  }
  set_init(compute_of(thread), call, matmul_key(shape));
}

void matmul(Call call, uint32_t cb0, uint32_t cb1, uint32_t tile0, uint32_t tile1, uint32_t dst,
            MatmulShape shape) {
  Thread& thread = begin(call, Op::matmul);
  Compute& compute = compute_of(thread);
  const CircularBuffer& in0 = cb_at(thread, cb0);
  const CircularBuffer& in1 = cb_at(thread, cb1);
  if (!shape.block && compute.init.unit == Unit::matmul) {
    shape.transpose = compute.init.detail[0] != 0;  // matmul_tiles takes it from its init
  }
  require_init(compute, matmul_key(shape));
  require_fpu_operand(in0);
  require_fpu_operand(in1);
  require_source_b(compute, in0);
  require_source_a(compute, in1);
  run_operation(thread, work_of_product(in0.config->page_bytes, in1.config->page_bytes, shape.rt,
                                        shape.ct, shape.block));
  run->tile_products += uint64_t{shape.rt} * shape.ct;
  alignas(64) float turned[tile_elements];
  const auto accumulate = [&](DstTile& out, uint32_t row_tile, uint32_t column_tile, Views views) {
    const float* left = operand_kept(thread, cb0, row_tile, views.b);
    const float* right = operand_kept(thread, cb1, column_tile, views.a);
    if (shape.transpose) {
      transpose_tile_words(right, turned);
      right = turned;
    }
    matmul_tile(out.values, left, right);
  };
  for (uint32_t r = 0; r < shape.rt; ++r) {
    for (uint32_t c = 0; c < shape.ct; ++c) {
      DstTile& out = dst_accumulate(thread, dst + r * shape.ct + c);
      accumulate(out, tile0 + r * shape.kt, tile1 + c, main_views());
      if (has_third_phase()) {
        accumulate(out, tile0 + r * shape.kt, tile1 + c, third_phase);
      }
      dst_store_float(out, in0.config->format);
    }
  }
}

namespace {

bool reduce_swaps_sources(PoolType pool, ReduceDim dim) {
  return dim == ReduceDim::REDUCE_ROW && pool != PoolType::MAX;
}

Init reduce_key(PoolType pool, ReduceDim dim) {
  return {Unit::reduce, {uint32_t(pool), uint32_t(dim), 0, 0}};
}

constexpr uint32_t face_side = 16;

// The scaler's row 0 repeats every face.
float scaler_at(const float* scaler, uint32_t i) { return scaler[i % face_side]; }

void reduce_sum(DstTile& out, const float* in, const float* scaler, ReduceDim dim) {
  float total = 0;
  for (uint32_t i = 0; i < tile_side; ++i) {
    float sum = 0;
    for (uint32_t k = 0; k < tile_side; ++k) {
      const float value =
          dim == ReduceDim::REDUCE_ROW ? in[i * tile_side + k] : in[k * tile_side + i];
      sum += value * scaler_at(scaler, k);
    }
    total += sum * scaler_at(scaler, i);
    if (dim != ReduceDim::REDUCE_SCALAR) {
      out.values[dim == ReduceDim::REDUCE_ROW ? i * tile_side : i] += sum;
    }
  }
  if (dim == ReduceDim::REDUCE_SCALAR) {
    out.values[0] += total;
  }
}

// The registers of a fresh section count as minus infinity for a maximum.
void reduce_max(DstTile& out, bool fresh, const float* in, ReduceDim dim) {
  const auto update = [&](uint32_t at, float value, bool first) {
    out.values[at] = first ? value : std::max(out.values[at], value);
  };
  for (uint32_t i = 0; i < tile_side; ++i) {
    float best = dim == ReduceDim::REDUCE_ROW ? in[i * tile_side] : in[i];
    for (uint32_t k = 1; k < tile_side; ++k) {
      best = std::max(best,
                      dim == ReduceDim::REDUCE_ROW ? in[i * tile_side + k] : in[k * tile_side + i]);
    }
    switch (dim) {
      case ReduceDim::REDUCE_ROW:
        update(i * tile_side, best, fresh);
        break;
      case ReduceDim::REDUCE_COL:
        update(i, best, fresh);
        break;
      case ReduceDim::REDUCE_SCALAR:
        update(0, best, fresh && i == 0);
        break;
    }
  }
}

}  // namespace

void reduce_init(Call call, PoolType pool, ReduceDim dim, uint32_t cb, uint32_t cb_scaler,
                 uint32_t cb_out) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  cb_at(thread, cb_scaler);
  cb_at(thread, cb_out);
  Compute& compute = compute_of(thread);
  set_init(compute, call, reduce_key(pool, dim));
  constexpr ReduceMask masks[] = {ReduceMask::first_column, ReduceMask::first_row,
                                  ReduceMask::first_element};
  on_packer([&compute, mask = masks[uint32_t(dim)]] { compute.mask = mask; });
}

void reduce(Call call, PoolType pool, ReduceDim dim, BinaryOperands operands) {
  Thread& thread = begin(call, Op::reduce);
  Compute& compute = compute_of(thread);
  const CircularBuffer& data = cb_at(thread, operands.cb_a);
  const CircularBuffer& scaler = cb_at(thread, operands.cb_b);
  require_init(compute, reduce_key(pool, dim));
  require_fpu_operand(data);
  require_fpu_operand(scaler);
  const bool swapped = reduce_swaps_sources(pool, dim);
  require_source_a(compute, swapped ? scaler : data);
  require_source_b(compute, swapped ? data : scaler);
  if (pool == PoolType::MIN) {
    fail_unsupported("operation", "reduce_tile has no minimum");
  }
  const View view = pool == PoolType::MAX ? View::full : swapped ? main_views().b : main_views().a;
  const float* in = operand(thread, operands.cb_a, operands.tile_a, view, scratch_a.words);
  const float* factors =
      operand(thread, operands.cb_b, operands.tile_b, View::full, scratch_b.words);
  const bool fresh = !dst_is_written(thread, operands.dst);
  DstTile& out = dst_accumulate(thread, operands.dst);
  run_operation(thread, work_of_two(data.config->page_bytes, scaler.config->page_bytes,
                                    run->timing.math.reduce));
  if (pool == PoolType::MAX) {
    reduce_max(out, fresh, in, dim);
  } else {
    reduce_sum(out, in, factors, dim);
  }
  dst_store_float(out, data.config->format);
}

void reduce_uninit(Call call) {
  Compute& compute = compute_of(begin(call, Op::init));
  on_packer([&compute] { compute.mask = ReduceMask::none; });
}

}  // namespace tt_mock
