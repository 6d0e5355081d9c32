// Integer functions of the vector unit: one row of a table per operation.
#define TT_MOCK_COMPUTE
#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "sfpu.h"
#include "tile.h"

namespace tt_mock {
namespace {

struct Row {
  Sfpu op;
  int64_t (*function)(int64_t a, int64_t b, int64_t c);
};

using Number = int64_t;

constexpr Number shift_limit = 32;
constexpr bool shifts(Number by) { return by >= 0 && by < shift_limit; }

constexpr Number floor_quotient(Number a, Number b) {
  const Number quotient = a / b;
  return quotient - Number((a % b != 0) && ((a < 0) != (b < 0)));
}

// Values are exact; what does not fit the format is cut to its low bits when it is stored.
constexpr Row rows[] = {
    {Sfpu::add_int, [](Number a, Number b, Number) { return a + b; }},
    {Sfpu::sub_int, [](Number a, Number b, Number) { return a - b; }},
    {Sfpu::rsub_int, [](Number a, Number b, Number) { return b - a; }},
    {Sfpu::mul_int, [](Number a, Number b, Number) { return Number(uint64_t(a) * uint64_t(b)); }},
    {Sfpu::div_int_floor,
     [](Number a, Number b, Number) { return b == 0 ? Number{-1} : floor_quotient(a, b); }},
    {Sfpu::div_int_trunc, [](Number a, Number b, Number) { return b == 0 ? Number{-1} : a / b; }},
    {Sfpu::fmod_int, [](Number a, Number b, Number) { return b == 0 ? a : a % b; }},
    {Sfpu::remainder_int,
     [](Number a, Number b, Number) { return b == 0 ? a : a - b * floor_quotient(a, b); }},
    {Sfpu::gcd, [](Number a, Number b, Number) { return std::gcd(a, b); }},
    {Sfpu::lcm, [](Number a, Number b, Number) { return std::lcm(a, b); }},
    {Sfpu::max_int, [](Number a, Number b, Number) { return a > b ? a : b; }},
    {Sfpu::min_int, [](Number a, Number b, Number) { return a < b ? a : b; }},
    {Sfpu::eq_int, [](Number a, Number b, Number) { return Number(a == b); }},
    {Sfpu::ne_int, [](Number a, Number b, Number) { return Number(a != b); }},
    {Sfpu::lt_int, [](Number a, Number b, Number) { return Number(a < b); }},
    {Sfpu::gt_int, [](Number a, Number b, Number) { return Number(a > b); }},
    {Sfpu::le_int, [](Number a, Number b, Number) { return Number(a <= b); }},
    {Sfpu::ge_int, [](Number a, Number b, Number) { return Number(a >= b); }},
    {Sfpu::and_int, [](Number a, Number b, Number) { return a & b; }},
    {Sfpu::or_int, [](Number a, Number b, Number) { return a | b; }},
    {Sfpu::xor_int, [](Number a, Number b, Number) { return a ^ b; }},
    {Sfpu::left_shift_int,
     [](Number a, Number b, Number) { return shifts(b) ? Number(uint64_t(a) << b) : 0; }},
    {Sfpu::right_shift_int, [](Number a, Number b, Number) { return shifts(b) ? a >> b : 0; }},
    {Sfpu::logical_right_shift_int,
     [](Number a, Number b, Number) { return shifts(b) ? Number(uint32_t(a) >> b) : 0; }},
    {Sfpu::add_int_scalar, [](Number a, Number b, Number) { return a + b; }},
    {Sfpu::sub_int_scalar, [](Number a, Number b, Number) { return a - b; }},
    {Sfpu::rsub_int_scalar, [](Number a, Number b, Number) { return b - a; }},
    {Sfpu::max_int_scalar, [](Number a, Number b, Number) { return a > b ? a : b; }},
    {Sfpu::min_int_scalar, [](Number a, Number b, Number) { return a < b ? a : b; }},
    {Sfpu::eq_int_scalar, [](Number a, Number b, Number) { return Number(a == b); }},
    {Sfpu::ne_int_scalar, [](Number a, Number b, Number) { return Number(a != b); }},
    {Sfpu::gt_int_scalar, [](Number a, Number b, Number) { return Number(a > b); }},
    {Sfpu::ge_int_scalar, [](Number a, Number b, Number) { return Number(a >= b); }},
    {Sfpu::lt_int_scalar, [](Number a, Number b, Number) { return Number(a < b); }},
    {Sfpu::le_int_scalar, [](Number a, Number b, Number) { return Number(a <= b); }},
    {Sfpu::and_int_scalar, [](Number a, Number b, Number) { return a & b; }},
    {Sfpu::or_int_scalar, [](Number a, Number b, Number) { return a | b; }},
    {Sfpu::xor_int_scalar, [](Number a, Number b, Number) { return a ^ b; }},
    {Sfpu::left_shift_int_scalar,
     [](Number a, Number b, Number) { return shifts(b) ? Number(uint64_t(a) << b) : 0; }},
    {Sfpu::right_shift_int_scalar,
     [](Number a, Number b, Number) { return a >> (shifts(b) ? b : shift_limit - 1); }},
    {Sfpu::remainder_int_scalar,
     [](Number a, Number b, Number) { return b == 0 ? a : a - b * floor_quotient(a, b); }},
    {Sfpu::relu_int, [](Number a, Number, Number) { return a > 0 ? a : 0; }},
    {Sfpu::relu_max_int, [](Number a, Number b, Number) { return a > b ? b : a > 0 ? a : 0; }},
    {Sfpu::relu_min_int, [](Number a, Number b, Number) { return a > b ? a : b; }},
    {Sfpu::clamp_int, [](Number a, Number b, Number c) { return std::min(std::max(a, b), c); }},
    {Sfpu::not_int, [](Number a, Number, Number) { return ~a; }},
    {Sfpu::abs_int, [](Number a, Number, Number) { return a < 0 ? -a : a; }},
    {Sfpu::identity_int, [](Number a, Number, Number) { return a; }},
    {Sfpu::negative_int, [](Number a, Number, Number) { return -a; }},
    {Sfpu::signbit_int, [](Number a, Number, Number) { return Number(a < 0); }},
    {Sfpu::eqz_int, [](Number a, Number, Number) { return Number(a == 0); }},
    {Sfpu::nez_int, [](Number a, Number, Number) { return Number(a != 0); }},
    {Sfpu::ltz_int, [](Number a, Number, Number) { return Number(a < 0); }},
    {Sfpu::gtz_int, [](Number a, Number, Number) { return Number(a > 0); }},
    {Sfpu::lez_int, [](Number a, Number, Number) { return Number(a <= 0); }},
    {Sfpu::gez_int, [](Number a, Number, Number) { return Number(a >= 0); }},
    {Sfpu::logical_not_int, [](Number a, Number, Number) { return Number(a == 0); }},
};

int64_t number(uint32_t word, IntegerFormat format) {
  return int64_t{word & format.mask} - (int64_t{word & format.sign} << 1);
}

template <size_t Index>
void tile_function(Word* out, const Word* a, const Word* b, const Word* c, IntegerFormat format) {
  constexpr auto function = rows[Index].function;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    out[i] = uint32_t(function(number(a[i], format), number(b[i], format), number(c[i], format))) &
             format.mask;
  }
}

constexpr size_t operations = 256;

struct Table {
  IntegerTile functions[operations];
};

template <size_t... Index>
constexpr Table make_table(std::index_sequence<Index...>) {
  Table table{};
  ((table.functions[static_cast<size_t>(rows[Index].op)] = tile_function<Index>), ...);
  return table;
}

constexpr Table table = make_table(std::make_index_sequence<std::size(rows)>());

const Word* words_of(const DstTile& tile) { return reinterpret_cast<const Word*>(tile.values); }

Word* words_of(DstTile& tile) { return reinterpret_cast<Word*>(tile.values); }

}  // namespace

IntegerFormat integer_format(DataFormat format) {
  switch (format) {
    case DataFormat::Int32:
      return {0xFFFFFFFF, 0x80000000};
    case DataFormat::UInt32:
      return {0xFFFFFFFF, 0};
    case DataFormat::UInt16:
      return {0xFFFF, 0};
    default:
      fail_unsupported("format", "the vector unit has no integer operations on %s",
                       format_name(uint32_t(format)));
  }
}

IntegerTile integer_function(Sfpu op) { return table.functions[size_t(op)]; }

void sfpu_integer(Call call, Sfpu op, DataFormat format, uint32_t dst, SfpuScalars scalars) {
  Thread& thread = begin_sfpu(call, op);
  DstTile& tile = integer_tile(thread, dst);
  Word p[tile_elements];
  Word q[tile_elements];
  std::fill_n(p, tile_elements, scalars.p);
  std::fill_n(q, tile_elements, scalars.q);
  integer_function(op)(words_of(tile), words_of(tile), p, q, integer_format(format));
}

void sfpu_integer_binary(Call call, Sfpu op, DataFormat format, uint32_t dst0, uint32_t dst1,
                         uint32_t out) {
  const bool format_in_init = op == Sfpu::mul_int || (op >= Sfpu::eq_int && op <= Sfpu::ge_int);
  Thread& thread = begin_sfpu(call, op, format_in_init ? uint32_t(format) : 0);
  const DstTile& a = integer_tile(thread, dst0);
  const DstTile& b = integer_tile(thread, dst1);
  DstTile& to = dst_overwrite(thread, out);
  integer_function(op)(words_of(to), words_of(a), words_of(b), words_of(b),
                       integer_format(format));
  to.kind = DstKind::integer;
}

}  // namespace tt_mock
