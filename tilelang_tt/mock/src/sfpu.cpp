// The vector engine: one row of a table per operation, on whole tiles of the destination register.
#define TT_MOCK_COMPUTE
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <utility>

#include "compute_state.h"
#include "tile.h"
#include "tt_mock/compute.h"

namespace tt_mock {
namespace {

float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

float truth(bool value) { return value ? 1.0F : 0.0F; }

// x is the element, p and q the scalar parameters.
struct UnaryRow {
  Sfpu op;
  float (*function)(float x, float p, float q);
};

constexpr float half_sqrt = 0.70710678118654752440F;

constexpr UnaryRow unary_rows[] = {
    {Sfpu::add_scalar, [](float x, float p, float) { return x + p; }},
    {Sfpu::sub_scalar, [](float x, float p, float) { return x - p; }},
    {Sfpu::mul_scalar, [](float x, float p, float) { return x * p; }},
    {Sfpu::div_scalar,
     [](float x, float p, float) { return x * p; }},  // the kernel passes the reciprocal
    {Sfpu::rsub_scalar, [](float x, float p, float) { return p - x; }},
    {Sfpu::max_scalar, [](float x, float p, float) { return x > p ? x : p; }},
    {Sfpu::min_scalar, [](float x, float p, float) { return x < p ? x : p; }},
    {Sfpu::relu, [](float x, float, float) { return x > 0.0F ? x : 0.0F; }},
    {Sfpu::relu_max, [](float x, float p, float) { return x > p      ? p
                                                          : x > 0.0F ? x
                                                                     : 0.0F; }},
    {Sfpu::relu_min, [](float x, float p, float) { return x > p ? x : p; }},
    {Sfpu::leaky_relu, [](float x, float p, float) { return x < 0.0F ? x * p : x; }},
    {Sfpu::exp, [](float x, float, float) { return std::exp(x); }},
    {Sfpu::exp2, [](float x, float, float) { return std::exp2(x); }},
    {Sfpu::expm1, [](float x, float, float) { return std::expm1(x); }},
    {Sfpu::log, [](float x, float, float) { return std::log(x); }},
    {Sfpu::log1p, [](float x, float, float) { return std::log1p(x); }},
    {Sfpu::sqrt, [](float x, float, float) { return std::sqrt(x); }},
    {Sfpu::rsqrt, [](float x, float, float) { return 1.0F / std::sqrt(x); }},
    {Sfpu::recip, [](float x, float, float) { return 1.0F / x; }},
    {Sfpu::tanh, [](float x, float, float) { return std::tanh(x); }},
    {Sfpu::sigmoid, [](float x, float, float) { return 1.0F / (1.0F + std::exp(-x)); }},
    {Sfpu::silu, [](float x, float, float) { return x / (1.0F + std::exp(-x)); }},
    {Sfpu::gelu, [](float x, float, float) { return 0.5F * x * (1.0F + std::erf(x * half_sqrt)); }},
    {Sfpu::erf, [](float x, float, float) { return std::erf(x); }},
    {Sfpu::erfc, [](float x, float, float) { return std::erfc(x); }},
    {Sfpu::sin, [](float x, float, float) { return std::sin(x); }},
    {Sfpu::cos, [](float x, float, float) { return std::cos(x); }},
    {Sfpu::tan, [](float x, float, float) { return std::tan(x); }},
    {Sfpu::abs, [](float x, float, float) { return std::fabs(x); }},
    {Sfpu::negative, [](float x, float, float) { return -x; }},
    {Sfpu::square, [](float x, float, float) { return x * x; }},
    {Sfpu::sign, [](float x, float, float) { return truth(x > 0.0F) - truth(x < 0.0F); }},
    {Sfpu::power_scalar, [](float x, float p, float) { return std::pow(x, p); }},
    {Sfpu::clamp, [](float x, float p, float q) { return std::min(std::max(x, p), q); }},
    {Sfpu::floor, [](float x, float, float) { return std::floor(x); }},
    {Sfpu::ceil, [](float x, float, float) { return std::ceil(x); }},
    {Sfpu::trunc, [](float x, float, float) { return std::trunc(x); }},
    {Sfpu::eqz, [](float x, float, float) { return truth(x == 0.0F); }},
    {Sfpu::nez, [](float x, float, float) { return truth(x != 0.0F); }},
    {Sfpu::ltz, [](float x, float, float) { return truth(x < 0.0F); }},
    {Sfpu::gtz, [](float x, float, float) { return truth(x > 0.0F); }},
    {Sfpu::lez, [](float x, float, float) { return truth(x <= 0.0F); }},
    {Sfpu::gez, [](float x, float, float) { return truth(x >= 0.0F); }},
    {Sfpu::eq_scalar, [](float x, float p, float) { return truth(x == p); }},
    {Sfpu::ne_scalar, [](float x, float p, float) { return truth(x != p); }},
    {Sfpu::gt_scalar, [](float x, float p, float) { return truth(x > p); }},
    {Sfpu::ge_scalar, [](float x, float p, float) { return truth(x >= p); }},
    {Sfpu::lt_scalar, [](float x, float p, float) { return truth(x < p); }},
    {Sfpu::le_scalar, [](float x, float p, float) { return truth(x <= p); }},
    {Sfpu::logical_not, [](float x, float, float) { return truth(x == 0.0F); }},
};

struct BinaryRow {
  Sfpu op;
  float (*function)(float a, float b);
};

constexpr BinaryRow binary_rows[] = {
    {Sfpu::add_binary, [](float a, float b) { return a + b; }},
    {Sfpu::sub_binary, [](float a, float b) { return a - b; }},
    {Sfpu::mul_binary, [](float a, float b) { return a * b; }},
    {Sfpu::div_binary, [](float a, float b) { return a / b; }},
    {Sfpu::rsub_binary, [](float a, float b) { return b - a; }},
    {Sfpu::power_binary, [](float a, float b) { return std::pow(a, b); }},
    {Sfpu::max_binary, [](float a, float b) { return a > b ? a : b; }},
    {Sfpu::min_binary, [](float a, float b) { return a < b ? a : b; }},
    {Sfpu::eq_binary, [](float a, float b) { return truth(a == b); }},
    {Sfpu::ne_binary, [](float a, float b) { return truth(a != b); }},
    {Sfpu::lt_binary, [](float a, float b) { return truth(a < b); }},
    {Sfpu::gt_binary, [](float a, float b) { return truth(a > b); }},
    {Sfpu::le_binary, [](float a, float b) { return truth(a <= b); }},
    {Sfpu::ge_binary, [](float a, float b) { return truth(a >= b); }},
};

// The tables as loops over a tile: the row is a template argument, so its function is inlined and
// vectorised.

using UnaryTile = void (*)(float* values, float p, float q);
using BinaryTile = void (*)(float* out, const float* a, const float* b);

template <size_t Row>
void unary_tile(float* values, float p, float q) {
  constexpr auto function = unary_rows[Row].function;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    values[i] = function(values[i], p, q);
  }
}

template <size_t Row>
void binary_tile(float* out, const float* a, const float* b) {
  constexpr auto function = binary_rows[Row].function;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    out[i] = function(a[i], b[i]);
  }
}

constexpr size_t sfpu_count = static_cast<size_t>(Sfpu::logical_not) + 1;

struct Tables {
  UnaryTile unary[sfpu_count];
  BinaryTile binary[sfpu_count];
};

template <size_t... Unary, size_t... Binary>
constexpr Tables make_tables(std::index_sequence<Unary...>, std::index_sequence<Binary...>) {
  Tables tables{};
  ((tables.unary[static_cast<size_t>(unary_rows[Unary].op)] = unary_tile<Unary>), ...);
  ((tables.binary[static_cast<size_t>(binary_rows[Binary].op)] = binary_tile<Binary>), ...);
  return tables;
}

constexpr Tables tables = make_tables(std::make_index_sequence<std::size(unary_rows)>(),
                                      std::make_index_sequence<std::size(binary_rows)>());

// The init an operation needs: its own, except where one serves several.
Sfpu init_of(Sfpu op) {
  switch (op) {
    case Sfpu::add_scalar:
    case Sfpu::sub_scalar:
    case Sfpu::mul_scalar:
    case Sfpu::div_scalar:
    case Sfpu::rsub_scalar:
      return Sfpu::scalar_init;
    case Sfpu::floor:
    case Sfpu::ceil:
    case Sfpu::trunc:
      return Sfpu::rounding_init;
    case Sfpu::fill_bits:
    case Sfpu::fill_int:
      return Sfpu::fill;
    default:
      return op;
  }
}

Thread& begin_sfpu(Call call, Sfpu op, uint32_t parameter = 0) {
  Thread& thread = begin(call, Op::sfpu);
  const Compute& compute = compute_of(thread);
  if (compute.sfpu_init != uint32_t(init_of(op)) || compute.sfpu_parameter != parameter) {
    likely("each SFPU operation needs its own init after the init of another one");
    fail("missing_init", -1, "the last SFPU init is %s", compute.sfpu_init_name);
  }
  run_math(thread, run->timing.sfpu[uint32_t(op)]);
  return thread;
}

DstTile& float_tile(Thread& thread, uint32_t slot) {
  DstTile& tile = dst_read(thread, slot);
  if (tile.kind == DstKind::integer) {
    likely("typecast_tile is missing");
    fail("dst_kind", -1, "destination tile %u holds integers, the operation needs floats", slot);
  }
  return tile;
}

DstKind float_kind(DataFormat format) {
  if (run->program->device.fp32_dest != 0) {
    return DstKind::float32;
  }
  return format == DataFormat::Float16 ? DstKind::float16 : DstKind::bfloat16;
}

// Float to integer: 32-bit results are cut off, narrower ones rounded; all saturate.
uint32_t to_integer(float value, DataFormat format) {
  if (std::isnan(value)) {
    return 0;
  }
  const auto limited = [](double number, double low, double high) {
    return static_cast<int64_t>(std::min(std::max(number, low), high));
  };
  switch (format) {
    case DataFormat::Int32:
      return uint32_t(limited(std::trunc(double{value}), -2147483648.0, 2147483647.0));
    case DataFormat::UInt32:
      return uint32_t(limited(std::trunc(double{value}), 0, 4294967295.0));
    case DataFormat::UInt16:
      return uint32_t(limited(std::nearbyint(double{value}), 0, 65535.0));
    default:
      return uint32_t(limited(std::nearbyint(double{value}), 0, 255.0));
  }
}

float to_float(uint32_t word, DataFormat format) {
  return format == DataFormat::Int32 ? static_cast<float>(static_cast<int32_t>(word))
                                     : static_cast<float>(word);
}

uint32_t narrow(uint32_t word, DataFormat from, DataFormat to) {
  const int64_t value =
      from == DataFormat::Int32 ? int64_t{static_cast<int32_t>(word)} : int64_t{word};
  const int64_t high = to == DataFormat::UInt16  ? 0xFFFF
                       : to == DataFormat::UInt8 ? 0xFF
                                                 : 0xFFFFFFFF;
  const bool same_width = high == 0xFFFFFFFF;
  return same_width ? word : static_cast<uint32_t>(std::min(std::max(value, int64_t{0}), high));
}

uint32_t converted(uint32_t word, DataFormat from, DataFormat to) {
  const bool integer_from = is_integer(uint32_t(from));
  const bool integer_to = is_integer(uint32_t(to));
  if (integer_from && integer_to) {
    return narrow(word, from, to);
  }
  if (integer_from) {
    return bits_of(to_float(word, from));
  }
  return integer_to ? to_integer(float_of(word), to) : word;
}

void round_narrow(DataFormat to, float* values) {
  if (to == DataFormat::Float16_b) {
    round_to_bfloat16(values);
  } else if (to == DataFormat::Float16) {
    round_to_float16(values);
  }
}

}  // namespace

void sfpu_init(Call call, Sfpu init, uint32_t parameter) {
  Thread& thread = begin(call, Op::init);
  Compute& compute = compute_of(thread);
  require_startup(compute);
  run_math(thread, run->timing.compute[uint32_t(Op::init)]);
  compute.sfpu_init = uint32_t(init);
  compute.sfpu_parameter = parameter;
  compute.sfpu_init_name = call.name;
}

void sfpu_unary(Call call, Sfpu op, uint32_t dst, uint32_t bits0, uint32_t bits1) {
  Thread& thread = begin_sfpu(call, op);
  DstTile& tile = float_tile(thread, dst);
  tables.unary[size_t(op)](tile.values, float_of(bits0), float_of(bits1));
  dst_store_float(tile);
}

void sfpu_binary(Call call, Sfpu op, uint32_t dst0, uint32_t dst1, uint32_t out) {
  Thread& thread = begin_sfpu(call, op);
  const DstTile& a = float_tile(thread, dst0);
  const DstTile& b = float_tile(thread, dst1);
  DstTile& to = dst_overwrite(thread, out);
  tables.binary[size_t(op)](to.values, a.values, b.values);
  to.kind = a.kind;
  dst_store_float(to);
}

void sfpu_where(Call call, uint32_t condition, uint32_t dst_true, uint32_t dst_false,
                uint32_t out) {
  Thread& thread = begin_sfpu(call, Sfpu::where);
  const DstTile& chosen = dst_read(thread, condition);
  const DstTile& a = dst_read(thread, dst_true);
  const DstTile& b = dst_read(thread, dst_false);
  DstTile& to = dst_overwrite(thread, out);
  const DstKind kind = a.kind;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    const bool zero = (bits_of(chosen.values[i]) & 0x7FFFFFFF) == 0;
    to.values[i] = zero ? b.values[i] : a.values[i];
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
  dst_store_float(to);
}

void sfpu_typecast(Call call, DataFormat from, DataFormat to, uint32_t dst) {
  Thread& thread = begin_sfpu(call, Sfpu::typecast, uint32_t(from) * 256 + uint32_t(to));
  if (tile_bytes(uint32_t(from)) == 0 || tile_bytes(uint32_t(to)) == 0) {
    fail_unsupported("format", "typecast from format %u to %u", uint32_t(from), uint32_t(to));
  }
  DstTile& tile = dst_read(thread, dst);
  if (is_integer(uint32_t(from)) != (tile.kind == DstKind::integer)) {
    fail("dst_kind", -1, "destination tile %u holds %s, the conversion is from %s", dst,
         tile.kind == DstKind::integer ? "integers" : "floats", format_name(uint32_t(from)));
  }
  for (uint32_t i = 0; i < tile_elements; ++i) {
    tile.values[i] = float_of(converted(bits_of(tile.values[i]), from, to));
  }
  if (is_integer(uint32_t(to))) {
    tile.kind = DstKind::integer;
    return;
  }
  round_narrow(to, tile.values);
  tile.kind = float_kind(to);
  dst_store_float(tile);
}

void sfpu_copy(Call call, uint32_t from, uint32_t to) {
  Thread& thread = begin_sfpu(call, Sfpu::copy_values);
  const DstTile& source = dst_read(thread, from);
  DstTile& target = dst_overwrite(thread, to);
  std::copy_n(source.values, tile_elements, target.values);
  target.kind = source.kind;
}

}  // namespace tt_mock
