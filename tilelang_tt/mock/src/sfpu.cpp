// The vector unit: which operation may run, on which registers, and how its result is stored.
#define TT_MOCK_COMPUTE
#include "sfpu.h"

#include <algorithm>

#include "packer.h"
#include "tile.h"

namespace tt_mock {
namespace {

constexpr Sfpu init_rows[] = {
#define TT_MOCK_INIT_ROW(name, init, store) Sfpu::init,
    TT_MOCK_SFPU_OPERATIONS(TT_MOCK_INIT_ROW)
#undef TT_MOCK_INIT_ROW
};

constexpr Store store_rows[] = {
#define TT_MOCK_STORE_ROW(name, init, store) Store::store,
    TT_MOCK_SFPU_OPERATIONS(TT_MOCK_STORE_ROW)
#undef TT_MOCK_STORE_ROW
};

Sfpu init_of(Sfpu op) { return init_rows[size_t(op)]; }

void require_sfpu_init(uint32_t init, uint32_t parameter, Sfpu op, uint32_t wanted,
                       const char* name) {
  if (init != uint32_t(init_of(op)) || parameter != wanted) {
    likely("each SFPU operation needs its own init after the init of another one");
    note("missing_init", -1, "the last SFPU init is %s", name);
  }
}

void require_kind(const DstTile& tile, uint32_t slot, bool integers) {
  if ((tile.kind == DstKind::integer) != integers) {
    likely("typecast_tile is missing");
    fail("dst_kind", -1, "destination tile %u holds %s, the operation needs %s", slot,
         integers ? "floats" : "integers", integers ? "integers" : "floats");
  }
}

// A result in the register, as the operation's routine stores it.
void store_float(DstTile& tile, Sfpu op) {
  if (store_of(op) != Store::bits) {
    dst_round(tile, store_of(op) == Store::even ? Rounding::even : Rounding::cut);
  }
}

Scalars floats(SfpuScalars scalars) {
  return {float_of(scalars.p), float_of(scalars.q), float_of(scalars.r)};
}

constexpr uint32_t face_side = 16;

// Whether an operation in this mode works on the face: R the upper two, C the left two, RC all.
bool covers(VectorMode mode, uint32_t face_row, uint32_t face_column) {
  switch (mode) {
    case VectorMode::R:
      return face_row == 0;
    case VectorMode::C:
      return face_column == 0;
    case VectorMode::None:
      return face_row == 0 && face_column == 0;
    default:
      return true;
  }
}

// Puts back what the mode leaves alone.
void restore_uncovered(VectorMode mode, const float* before, float* values) {
  for (uint32_t row = 0; row < tile_side; ++row) {
    for (uint32_t half = 0; half < 2; ++half) {
      if (!covers(mode, row / face_side, half)) {
        const uint32_t at = row * tile_side + half * face_side;
        std::copy_n(before + at, face_side, values + at);
      }
    }
  }
}

template <typename Apply>
void apply_in_mode(VectorMode mode, DstTile& tile, Apply apply) {
  if (mode == VectorMode::RC) {
    return apply(tile.values);
  }
  alignas(64) float before[tile_elements];
  std::copy_n(tile.values, tile_elements, before);
  apply(tile.values);
  restore_uncovered(mode, before, tile.values);
}

void apply_unary(DstTile& tile, Sfpu op, Scalars scalars, VectorMode mode) {
  apply_in_mode(mode, tile, [&](float* values) { unary_function(op)(values, scalars); });
  store_float(tile, op);
}

}  // namespace

Store store_of(Sfpu op) { return store_rows[size_t(op)]; }

Thread& begin_sfpu(Call call, Sfpu op, uint32_t parameter) {
  Thread& thread = begin(call, Op::sfpu);
  const Compute& compute = compute_of(thread);
  require_sfpu_init(compute.sfpu_init, compute.sfpu_parameter, op, parameter,
                    compute.sfpu_init_name);
  run_math(thread, run->timing.sfpu[uint32_t(op)]);
  return thread;
}

DstTile& float_tile(Thread& thread, uint32_t slot) {
  DstTile& tile = dst_read(thread, slot);
  require_kind(tile, slot, false);
  return tile;
}

DstTile& integer_tile(Thread& thread, uint32_t slot) {
  DstTile& tile = dst_read(thread, slot);
  require_kind(tile, slot, true);
  return tile;
}

void sfpu_init(Call call, Sfpu init, uint32_t parameter) {
  Thread& thread = begin(call, Op::init);
  Compute& compute = compute_of(thread);
  require_startup(compute);
  run_math(thread, run->timing.compute[uint32_t(Op::init)]);
  compute.sfpu_init = uint32_t(init);
  compute.sfpu_parameter = parameter;
  compute.sfpu_init_name = call.name;
}

void sfpu_unary(Call call, Sfpu op, uint32_t dst, SfpuScalars scalars, VectorMode mode) {
  Thread& thread = begin_sfpu(call, op);
  apply_unary(float_tile(thread, dst), op, floats(scalars), mode);
}

void sfpu_unary_of_init(Call call, Sfpu op, uint32_t dst) {
  const uint32_t scalar = run->current->compute->sfpu_parameter;
  Thread& thread = begin_sfpu(call, op, scalar);
  apply_unary(float_tile(thread, dst), op, {float_of(scalar), 0, 0}, VectorMode::RC);
}

void sfpu_exp(Call call, bool approximate, uint32_t scale, uint32_t dst, VectorMode mode) {
  const uint32_t configured = run->current->compute->sfpu_parameter;
  if (approximate != (configured != 0)) {
    likely("exp_tile_init and exp_tile must agree on their first template argument");
  }
  Thread& thread = begin_sfpu(call, Sfpu::exp, approximate == (configured != 0) ? configured : ~0U);
  const uint32_t bits = approximate ? configured : scale << 16;
  apply_unary(float_tile(thread, dst), Sfpu::exp, {float_of(bits), 0, 0}, mode);
}

void sfpu_binary(Call call, Sfpu op, uint32_t dst0, uint32_t dst1, uint32_t out, VectorMode mode) {
  Thread& thread = begin_sfpu(call, op);
  const DstTile& a = float_tile(thread, dst0);
  const DstTile& b = float_tile(thread, dst1);
  if (mode != VectorMode::RC) {
    dst_read(thread, out);  // the rest of the tile stays
  }
  DstTile& to = dst_overwrite(thread, out);
  const DstKind kind = a.kind;
  apply_in_mode(mode, to,
                [&](float* values) { binary_function(op)(values, a.values, b.values); });
  to.kind = kind;
  store_float(to, op);
}

void sfpu_ternary(Call call, Sfpu op, SfpuRegisters registers, SfpuScalars scalars) {
  Thread& thread = begin_sfpu(call, op);
  const DstTile& a = float_tile(thread, registers.a);
  const DstTile& b = float_tile(thread, registers.b);
  const DstTile& c = float_tile(thread, registers.c);
  DstTile& to = dst_overwrite(thread, registers.out);
  const DstKind kind = a.kind;
  ternary_function(op)(to.values, a.values, b.values, c.values, floats(scalars));
  to.kind = kind;
  store_float(to, op);
}

// The unit reads the bits: minus zero is a condition that holds.
void sfpu_where(Call call, uint32_t condition, uint32_t dst_true, uint32_t dst_false,
                uint32_t out) {
  Thread& thread = begin_sfpu(call, Sfpu::where);
  const DstTile& chosen = dst_read(thread, condition);
  const DstTile& a = dst_read(thread, dst_true);
  const DstTile& b = dst_read(thread, dst_false);
  DstTile& to = dst_overwrite(thread, out);
  const DstKind kind = a.kind;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    to.values[i] = bits_of(chosen.values[i]) == 0 ? b.values[i] : a.values[i];
  }
  to.kind = kind;
}

void sfpu_fill(Call call, Sfpu op, uint32_t dst, uint32_t bits) {
  Thread& thread = begin_sfpu(call, op);
  DstTile& to = dst_overwrite(thread, dst);
  std::fill_n(to.values, tile_elements, float_of(bits));
  if (op == Sfpu::fill_int) {
    to.kind = DstKind::integer;
    return;
  }
  // 16-bit registers hold what the matrix unit is configured for.
  to.kind = float_kind(DataFormat(compute_of(thread).source_a_format));
  store_float(to, Sfpu::fill);
}

void sfpu_copy(Call call, uint32_t from, uint32_t to) {
  Thread& thread = begin_sfpu(call, Sfpu::copy_values);
  const DstTile& source = dst_read(thread, from);
  DstTile& target = dst_overwrite(thread, to);
  std::copy_n(source.values, tile_elements, target.values);
  target.kind = source.kind;
}

void sfpu_mask(Call call, Sfpu op, uint32_t data, uint32_t mask) {
  Thread& thread = begin_sfpu(call, op);
  if (mask != data + 1) {
    likely("the routine reads the register after the data, whatever the call says");
    fail("args_out_of_range", -1, "the mask is in register %u, the data in %u", mask, data);
  }
  const float filling = op == Sfpu::mask_posinf ? float_of(0x7F800000) : 0.0F;
  const DstTile& chosen = dst_read(thread, mask);
  DstTile& to = dst_read(thread, data);
  for (uint32_t i = 0; i < tile_elements; ++i) {
    const bool zero = (bits_of(chosen.values[i]) & 0x7FFFFFFF) == 0;
    to.values[i] = zero ? filling : to.values[i];
  }
}

void sfpu_init_pack(Call call, Sfpu init) {
  if (deferred([=] { sfpu_init_pack(call, init); })) {
    return;
  }
  Thread& thread = begin(call, Op::init);
  Compute& compute = compute_of(thread);
  require_startup(compute);
  run_pack(thread, run->timing.compute[uint32_t(Op::init)]);
  compute.sfpu_pack_init = uint32_t(init);
  compute.sfpu_pack_init_name = call.name;
}

void sfpu_unary_pack(Call call, Sfpu op, uint32_t dst, SfpuScalars scalars) {
  if (deferred([=] { sfpu_unary_pack(call, op, dst, scalars); })) {
    return;
  }
  Thread& thread = begin(call, Op::sfpu);
  const Compute& compute = compute_of(thread);
  require_sfpu_init(compute.sfpu_pack_init, 0, op, 0, compute.sfpu_pack_init_name);
  run_pack(thread, run->timing.sfpu[uint32_t(op)]);
  DstTile& tile = dst_packed(thread, dst);
  require_kind(tile, dst, false);
  apply_unary(tile, op, floats(scalars), VectorMode::RC);
}

}  // namespace tt_mock
