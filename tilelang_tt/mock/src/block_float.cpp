#include "block_float.h"

#include <cstring>

#include "tt_mock/common.h"

namespace tt_mock {
namespace {

constexpr uint32_t side = 32;
constexpr uint32_t face_side = 16;
constexpr uint32_t rows = 64;  // of sixteen elements

uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Where face row `row` begins among the words of a tile.
uint32_t words_at(uint32_t row) {
  const uint32_t face = row / face_side;
  return (face / 2 * face_side + row % face_side) * side + face % 2 * face_side;
}

// Sixteen elements, a byte each: the sign above the magnitude.
struct BlockRow {
  uint32_t exponent;
  uint8_t elements[face_side];
};

// Magnitudes are cut from the significand, hidden bit included, aligned to the largest exponent, and
// rounded with halves away from zero; what would carry beyond the largest magnitude stays there.
template <uint32_t Bits>
BlockRow encode(const float* words) {
  constexpr uint32_t largest = (1U << Bits) - 1;
  constexpr uint32_t longest_shift = 31;  // of a 24-bit significand: nothing is left
  BlockRow row{};
  for (uint32_t i = 0; i < face_side; ++i) {
    const uint32_t exponent = bits_of(words[i]) >> 23 & 0xFF;
    row.exponent = exponent > row.exponent ? exponent : row.exponent;
  }
  for (uint32_t i = 0; i < face_side; ++i) {
    const uint32_t word = bits_of(words[i]);
    const uint32_t exponent = word >> 23 & 0xFF;
    const uint32_t significand = exponent == 0 ? 0 : (word & 0x7FFFFF) | 0x800000;
    const uint32_t distance = 24 - Bits + (row.exponent - exponent);
    const uint32_t shift = distance < longest_shift ? distance : longest_shift;
    const uint32_t rounded = ((significand >> (shift - 1)) + 1) >> 1;
    const uint32_t magnitude = rounded < largest ? rounded : largest;
    const uint32_t sign = magnitude == 0 ? 0 : word >> 31;
    row.elements[i] = uint8_t(sign << Bits | magnitude);
  }
  return row;
}

template <uint32_t Bits>
void decode(const BlockRow& row, float* words) {
  constexpr uint32_t largest = (1U << Bits) - 1;
  // The weight of the lowest magnitude bit: the highest one stands for the shared exponent.
  const int32_t exponent = int32_t(row.exponent) - int32_t(Bits) + 1;
  const float low = exponent >= 1 ? float_of(uint32_t(exponent) << 23) : 0.0F;  // no denormals
  for (uint32_t i = 0; i < face_side; ++i) {
    const uint32_t element = row.elements[i];
    const float magnitude = float(int32_t(element & largest)) * low;
    words[i] = float_of(bits_of(magnitude) | element >> Bits << 31);
  }
}

// Bytes of sixteen elements in memory: a byte each, or two to a byte, the first one low.
template <uint32_t Bits>
constexpr uint32_t row_bytes = face_side * (Bits + 1) / 8;

template <uint32_t Bits>
void store(const BlockRow& row, uint8_t* bytes) {
  if constexpr (Bits == 7) {
    memcpy(bytes, row.elements, face_side);
  } else {
    for (uint32_t i = 0; i < face_side / 2; ++i) {
      bytes[i] = uint8_t(row.elements[2 * i] | row.elements[2 * i + 1] << 4);
    }
  }
}

template <uint32_t Bits>
void load(const uint8_t* bytes, BlockRow& row) {
  if constexpr (Bits == 7) {
    memcpy(row.elements, bytes, face_side);
  } else {
    for (uint32_t i = 0; i < face_side / 2; ++i) {
      row.elements[2 * i] = bytes[i] & 0xF;
      row.elements[2 * i + 1] = uint8_t(bytes[i] >> 4);
    }
  }
}

template <uint32_t Bits>
void unpack_tile(const uint8_t* page, float* words) {
  for (uint32_t r = 0; r < rows; ++r) {
    BlockRow row;
    row.exponent = page[r];
    load<Bits>(page + rows + r * row_bytes<Bits>, row);
    decode<Bits>(row, words + words_at(r));
  }
}

template <uint32_t Bits>
void pack_tile(const float* words, uint8_t* page) {
  for (uint32_t r = 0; r < rows; ++r) {
    const BlockRow row = encode<Bits>(words + words_at(r));
    page[r] = uint8_t(row.exponent);
    store<Bits>(row, page + rows + r * row_bytes<Bits>);
  }
}

template <uint32_t Bits>
void round_tile(float* words) {
  for (uint32_t r = 0; r < rows; ++r) {
    float* row = words + words_at(r);
    decode<Bits>(encode<Bits>(row), row);
  }
}

bool has_8_bits(uint32_t format) { return static_cast<DataFormat>(format) == DataFormat::Bfp8_b; }

}  // namespace

bool is_block_format(uint32_t format) {
  return has_8_bits(format) || static_cast<DataFormat>(format) == DataFormat::Bfp4_b;
}

uint32_t block_tile_bytes(uint32_t format) {
  return rows + rows * (has_8_bits(format) ? row_bytes<7> : row_bytes<3>);
}

void block_unpack(uint32_t format, const uint8_t* page, float* words) {
  has_8_bits(format) ? unpack_tile<7>(page, words) : unpack_tile<3>(page, words);
}

void block_pack(uint32_t format, const float* words, uint8_t* page) {
  has_8_bits(format) ? pack_tile<7>(words, page) : pack_tile<3>(words, page);
}

void round_to_block(uint32_t format, float* words) {
  has_8_bits(format) ? round_tile<7>(words) : round_tile<3>(words);
}

}  // namespace tt_mock
