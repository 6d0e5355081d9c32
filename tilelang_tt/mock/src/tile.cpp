#include "tile.h"

#include <cstring>

#include "block_float.h"
#include "tt_mock/common.h"

namespace tt_mock {
namespace {

constexpr uint32_t side = 32;
constexpr uint32_t face_side = 16;
constexpr uint32_t elements = side * side;

template <typename To, typename From>
To bits_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

float bfloat16_to_float(uint16_t value) { return bits_cast<float>(uint32_t{value} << 16); }

// Scaling by 2^112 moves the exponent bias and makes denormals right; an all-ones exponent is put
// back.
float float16_to_float(uint16_t value) {
  const float scaled = bits_cast<float>(uint32_t(value & 0x7FFF) << 13) * 0x1p112F;
  const uint32_t infinite = (value & 0x7C00) == 0x7C00 ? 0x7F800000U : 0U;
  return bits_cast<float>(bits_cast<uint32_t>(scaled) | infinite |
                          (uint32_t(value & 0x8000) << 16));
}

// Comparisons below are signed, which vector units have; the numbers are not negative.
bool is_nan_bits(uint32_t bits) { return static_cast<int32_t>(bits & 0x7FFFFFFF) > 0x7F800000; }

// The upper half is the bfloat16.
uint32_t round_bfloat16_away(float value) {
  const auto bits = bits_cast<uint32_t>(value);
  return is_nan_bits(bits) ? bits | 0x400000 : bits + 0x8000;
}

uint16_t float_to_bfloat16_away(float value) {
  return static_cast<uint16_t>(round_bfloat16_away(value) >> 16);
}

float round_bfloat16_even(float value) {
  const auto bits = bits_cast<uint32_t>(value);
  const uint32_t rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  return bits_cast<float>((is_nan_bits(bits) ? bits | 0x400000 : rounded) & 0xFFFF0000);
}

// Magnitude bits of a half, given float bits without sign and what rounding adds below the kept
// bits. Without branches, so that loops over it become vector code.
uint32_t half_magnitude(uint32_t magnitude, uint32_t rounding) {
  constexpr int32_t infinity = 0x7F800000;
  constexpr int32_t smallest_normal = 0x38800000;
  constexpr int32_t largest_half = 0x7C00;
  const auto bits = static_cast<int32_t>(magnitude);
  const int32_t below = bits < smallest_normal ? bits : smallest_normal;
  const float scaled = bits_cast<float>(below) * 0x1p24F + (rounding == 0 ? 0.0F : 0.5F);
  const auto denormal = static_cast<int32_t>(scaled);
  const int32_t finite = bits < infinity ? bits : infinity;
  const int32_t shifted = (finite - 0x38000000 + static_cast<int32_t>(rounding)) >> 13;
  const int32_t normal = shifted < largest_half ? shifted : largest_half;
  const int32_t half = bits < smallest_normal ? denormal : normal;
  return static_cast<uint32_t>(bits > infinity ? 0x7E00 : half);
}

uint16_t float_to_float16_away(float value) {
  const auto bits = bits_cast<uint32_t>(value);
  return static_cast<uint16_t>(((bits >> 16) & 0x8000) | half_magnitude(bits & 0x7FFFFFFF, 0x1000));
}

uint16_t float_to_float16_even(float value) {
  const auto bits = bits_cast<uint32_t>(value);
  const uint32_t even = 0xFFF + ((bits >> 13) & 1);
  return static_cast<uint16_t>(((bits >> 16) & 0x8000) | half_magnitude(bits & 0x7FFFFFFF, even));
}

uint16_t float_to_float16_cut(float value) {
  const auto bits = bits_cast<uint32_t>(value);
  return static_cast<uint16_t>(((bits >> 16) & 0x8000) | half_magnitude(bits & 0x7FFFFFFF, 0));
}

uint32_t saturate(uint32_t word, int32_t low, int32_t high) {
  const auto value = static_cast<int32_t>(word);
  return static_cast<uint32_t>(value < low ? low : value > high ? high : value);
}

// Calls row(words of 16 elements, index of their first element in the page) for each row of each
// face.
template <typename Row>
void for_each_face_row(Row row) {
  for (uint32_t face = 0; face < 4; ++face) {
    const uint32_t corner = (face / 2) * face_side * side + (face % 2) * face_side;
    for (uint32_t r = 0; r < face_side; ++r) {
      row(corner + r * side, (face * face_side + r) * face_side);
    }
  }
}

template <typename Element, typename Convert>
void unpack_elements(const uint8_t* bytes, float* words, uint32_t count, Convert convert) {
  for (uint32_t i = 0; i < count; ++i) {
    Element element;
    memcpy(&element, bytes + i * sizeof element, sizeof element);
    words[i] = convert(element);
  }
}

template <typename Element, typename Convert>
void pack_elements(const float* words, uint8_t* bytes, uint32_t count, Convert convert) {
  for (uint32_t i = 0; i < count; ++i) {
    const Element element = convert(words[i]);
    memcpy(bytes + i * sizeof element, &element, sizeof element);
  }
}

float widen(uint32_t value) { return bits_cast<float>(value); }

uint32_t word(float value) { return bits_cast<uint32_t>(value); }

}  // namespace

uint32_t element_bytes(uint32_t format) {
  switch (static_cast<DataFormat>(format)) {
    case DataFormat::Float32:
    case DataFormat::Int32:
    case DataFormat::UInt32:
      return 4;
    case DataFormat::Float16:
    case DataFormat::Float16_b:
    case DataFormat::UInt16:
      return 2;
    case DataFormat::UInt8:
    case DataFormat::Int8:
      return 1;
    default:
      return 0;
  }
}

uint32_t tile_bytes(uint32_t format) {
  return is_block_format(format) ? block_tile_bytes(format) : elements * element_bytes(format);
}

bool is_integer(uint32_t format) {
  switch (static_cast<DataFormat>(format)) {
    case DataFormat::Int32:
    case DataFormat::UInt32:
    case DataFormat::UInt16:
    case DataFormat::UInt8:
    case DataFormat::Int8:
      return true;
    default:
      return false;
  }
}

namespace {

// Calls visit(an element of the memory's type, its conversion) for the format. Lambdas rather than
// function names: a lambda's type carries its code into the loop.
template <typename Visit>
void with_unpacking(uint32_t format, Visit visit) {
  switch (static_cast<DataFormat>(format)) {
    case DataFormat::Float16_b:
      return visit(uint16_t{}, [](uint16_t v) { return bfloat16_to_float(v); });
    case DataFormat::Float16:
      return visit(uint16_t{}, [](uint16_t v) { return float16_to_float(v); });
    case DataFormat::UInt16:
      return visit(uint16_t{}, [](uint16_t v) { return widen(v); });
    case DataFormat::UInt8:
      return visit(uint8_t{}, [](uint8_t v) { return widen(v); });
    default:
      return visit(uint32_t{}, [](uint32_t v) { return widen(v); });
  }
}

template <typename Visit>
void with_packing(uint32_t format, Visit visit) {
  switch (static_cast<DataFormat>(format)) {
    case DataFormat::Float16_b:
      return visit(uint16_t{}, [](float v) { return float_to_bfloat16_away(v); });
    case DataFormat::Float16:
      return visit(uint16_t{}, [](float v) { return float_to_float16_away(v); });
    case DataFormat::UInt16:
      return visit(uint16_t{}, [](float v) { return uint16_t(saturate(word(v), 0, 0xFFFF)); });
    case DataFormat::UInt8:
      return visit(uint8_t{}, [](float v) { return uint8_t(saturate(word(v), 0, 0xFF)); });
    default:
      return visit(uint32_t{}, [](float v) { return word(v); });
  }
}

}  // namespace

void row_unpack(uint32_t format, const uint8_t* bytes, float* words, uint32_t count) {
  with_unpacking(format, [=](auto element, auto convert) {
    unpack_elements<decltype(element)>(bytes, words, count, convert);
  });
}

void row_pack(uint32_t format, const float* words, uint8_t* bytes, uint32_t count) {
  with_packing(format, [=](auto element, auto convert) {
    pack_elements<decltype(element)>(words, bytes, count, convert);
  });
}

void tile_unpack(uint32_t format, const uint8_t* page, float* words) {
  if (is_block_format(format)) {
    return block_unpack(format, page, words);
  }
  with_unpacking(format, [=](auto element, auto convert) {
    for_each_face_row([=](uint32_t at, uint32_t from) {
      unpack_elements<decltype(element)>(page + from * sizeof element, words + at, face_side,
                                         convert);
    });
  });
}

void tile_pack(uint32_t format, const float* words, uint8_t* page) {
  if (is_block_format(format)) {
    return block_pack(format, words, page);
  }
  with_packing(format, [=](auto element, auto convert) {
    for_each_face_row([=](uint32_t at, uint32_t to) {
      pack_elements<decltype(element)>(words + at, page + to * sizeof element, face_side, convert);
    });
  });
}

void round_to_format(uint32_t format, float* words) {
  if (is_block_format(format)) {
    return round_to_block(format, words);
  }
  if (static_cast<DataFormat>(format) == DataFormat::Float16_b) {
    for (uint32_t i = 0; i < elements; ++i) {
      words[i] = bits_cast<float>(round_bfloat16_away(words[i]) & 0xFFFF0000);
    }
  }
  if (static_cast<DataFormat>(format) == DataFormat::Float16) {
    for (uint32_t i = 0; i < elements; ++i) {
      words[i] = float16_to_float(float_to_float16_away(words[i]));
    }
  }
}

void round_to_bfloat16(float* words) {
  for (uint32_t i = 0; i < elements; ++i) {
    words[i] = round_bfloat16_even(words[i]);
  }
}

void round_to_float16(float* words) {
  for (uint32_t i = 0; i < elements; ++i) {
    words[i] = float16_to_float(float_to_float16_even(words[i]));
  }
}

void cut_to_bfloat16(float* words) { truncate_significand(words, words, 8); }

void cut_to_float16(float* words) {
  for (uint32_t i = 0; i < elements; ++i) {
    words[i] = float16_to_float(float_to_float16_cut(words[i]));
  }
}

void truncate_significand(const float* from, float* to, uint32_t bits) {
  const uint32_t mask = ~((1U << (24 - bits)) - 1);
  for (uint32_t i = 0; i < elements; ++i) {
    to[i] = bits_cast<float>(word(from[i]) & mask);
  }
}

void subtract(const float* from, const float* what, float* to) {
  for (uint32_t i = 0; i < elements; ++i) {
    to[i] = from[i] - what[i];
  }
}

// In blocks that fit the vector registers.
void transpose_tile_words(const float* from, float* to) {
  constexpr uint32_t block = 8;
  for (uint32_t r = 0; r < side; r += block) {
    for (uint32_t c = 0; c < side; c += block) {
      for (uint32_t i = 0; i < block; ++i) {
        for (uint32_t j = 0; j < block; ++j) {
          to[(c + i) * side + r + j] = from[(r + j) * side + c + i];
        }
      }
    }
  }
}

}  // namespace tt_mock
