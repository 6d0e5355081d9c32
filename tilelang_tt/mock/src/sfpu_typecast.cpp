// Conversions between data formats in the destination register.
#define TT_MOCK_COMPUTE
#include <algorithm>
#include <cmath>

#include "sfpu.h"
#include "tile.h"

namespace tt_mock {
namespace {

bool is_byte(DataFormat format) {
  return format == DataFormat::Int8 || format == DataFormat::UInt8;
}

bool is_wide(DataFormat format) {
  return format == DataFormat::Int32 || format == DataFormat::UInt32;
}

// A finite float without its fraction modulo 256; what is not below 2^31 counts as 0.
uint32_t to_byte(float value) {
  return std::fabs(value) < 0x1p31F ? uint32_t(int32_t(value)) & 0xFF : 0;
}

uint32_t saturated(double whole, double low, double high) {
  return uint32_t(int64_t(std::min(std::max(whole, low), high)));
}

// A byte keeps the number modulo 256. Of the others, 32 bits cut the fraction off and 16 bits round
// to even; both saturate.
uint32_t to_integer(float value, DataFormat format) {
  if (std::isnan(value)) {
    return 0;
  }
  switch (format) {
    case DataFormat::Int32:
      return saturated(std::trunc(double{value}), -2147483648.0, 2147483647.0);
    case DataFormat::UInt32:
      return saturated(std::trunc(double{value}), 0, 4294967295.0);
    case DataFormat::UInt16:
      return saturated(std::nearbyint(double{value}), 0, 65535.0);
    default:
      return to_byte(value);
  }
}

// An Int8 is the byte of two's complement that a UInt8 circular buffer brings.
int64_t number_of(uint32_t word, DataFormat format) {
  switch (format) {
    case DataFormat::Int32:
      return int32_t(word);
    case DataFormat::Int8:
      return int32_t((word ^ 0x80) - 0x80);
    default:
      return word;
  }
}

// Equal widths keep the bits; 16 bits saturate, a byte is what fits.
uint32_t narrowed(uint32_t word, DataFormat from, DataFormat to) {
  if (is_byte(from) && is_byte(to)) {
    return word;
  }
  const int64_t number = number_of(word, from);
  if (to == DataFormat::UInt16) {
    return uint32_t(std::min<int64_t>(std::max<int64_t>(number, 0), 0xFFFF));
  }
  return uint32_t(number) & (is_wide(to) ? 0xFFFFFFFF : 0xFF);
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
  if ((from == DataFormat::Int8 || to == DataFormat::Int8) &&
      run->program->device.fp32_dest == 0) {
    likely("the program needs fp32_dest_acc");
    fail("dst_width", -1, "conversions of Int8 need 32-bit destination registers");
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
