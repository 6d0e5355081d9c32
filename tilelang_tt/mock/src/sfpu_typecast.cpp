// Conversions between data formats in the destination register.
#define TT_MOCK_COMPUTE
#include <algorithm>
#include <cmath>

#include "sfpu.h"
#include "tile.h"

namespace tt_mock {
namespace {

struct Limits {
  double low, high;
};

Limits limits_of(DataFormat format) {
  switch (format) {
    case DataFormat::Int32:
      return {-2147483648.0, 2147483647.0};
    case DataFormat::UInt32:
      return {0, 4294967295.0};
    case DataFormat::UInt16:
      return {0, 65535.0};
    case DataFormat::Int8:
      return {-128.0, 127.0};
    default:
      return {0, 255.0};
  }
}

bool has_sign(DataFormat format) {
  return format == DataFormat::Int32 || format == DataFormat::Int8;
}

// Float to integer: 32-bit results are cut off, narrower ones rounded to even; all saturate.
uint32_t to_integer(float value, DataFormat format) {
  if (std::isnan(value)) {
    return 0;
  }
  const bool wide = format == DataFormat::Int32 || format == DataFormat::UInt32;
  const Limits limits = limits_of(format);
  const double whole = wide ? std::trunc(double{value}) : std::nearbyint(double{value});
  return uint32_t(int64_t(std::min(std::max(whole, limits.low), limits.high)));
}

int64_t number_of(uint32_t word, DataFormat format) {
  return has_sign(format) ? int64_t{int32_t(word)} : int64_t{word};
}

// Equal widths keep the bits; a narrower format saturates.
uint32_t narrowed(uint32_t word, DataFormat from, DataFormat to) {
  if (to == DataFormat::Int32 || to == DataFormat::UInt32) {
    return word;
  }
  const Limits limits = limits_of(to);
  return uint32_t(
      std::min(std::max(number_of(word, from), int64_t(limits.low)), int64_t(limits.high)));
}

uint32_t converted(uint32_t word, DataFormat from, DataFormat to) {
  const bool integer_from = is_integer(uint32_t(from));
  const bool integer_to = is_integer(uint32_t(to));
  if (integer_from && integer_to) {
    return narrowed(word, from, to);
  }
  if (integer_from) {
    return bits_of(float(number_of(word, from)));
  }
  return integer_to ? to_integer(float_of(word), to) : word;
}

// Block formats are made by the packer: in the register they are bfloat16.
void round_narrow(DataFormat to, float* values) {
  if (to == DataFormat::Float16) {
    round_to_float16(values);
  } else if (to != DataFormat::Float32) {
    round_to_bfloat16(values);
  }
}

}  // namespace

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
  dst_round(tile, Rounding::even);
}

}  // namespace tt_mock
