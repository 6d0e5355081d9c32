#include "block_float.h"

#include <cstring>

#include "tt_mock/common.h"

namespace tt_mock {
namespace {

constexpr uint32_t side = 32;
constexpr uint32_t face_side = 16;
constexpr uint32_t rows = 64;  // of sixteen elements
constexpr uint32_t exponent_bias = 127;

// Bits of an element without its sign.
uint32_t magnitude_bits(uint32_t format) {
  return static_cast<DataFormat>(format) == DataFormat::Bfp8_b ? 7 : 3;
}

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

struct BlockRow {
  uint32_t exponent;
  uint8_t elements[face_side];  // sign above magnitude
};

// Magnitudes are cut from the significand, hidden bit included, aligned to the largest exponent, and
// rounded with halves away from zero; what would carry beyond the largest magnitude stays there.
BlockRow encode(const float* words, uint32_t bits) {
  BlockRow row{};
  for (uint32_t i = 0; i < face_side; ++i) {
    const uint32_t exponent = bits_of(words[i]) >> 23 & 0xFF;
    row.exponent = exponent > row.exponent ? exponent : row.exponent;
  }
  const uint32_t largest = (1U << bits) - 1;
  for (uint32_t i = 0; i < face_side; ++i) {
    const uint32_t word = bits_of(words[i]);
    const uint32_t exponent = word >> 23 & 0xFF;
    const uint32_t significand = exponent == 0 ? 0 : (word & 0x7FFFFF) | 0x800000;
    const uint32_t shift = 24 - bits + (row.exponent - exponent);
    const uint32_t rounded =
        shift > 24 ? 0 : ((significand >> (shift - 1)) + 1) >> 1;
    const uint32_t magnitude = rounded > largest ? largest : rounded;
    const uint32_t sign = magnitude == 0 ? 0 : word >> 31;
    row.elements[i] = uint8_t(sign << bits | magnitude);
  }
  return row;
}

void decode(const BlockRow& row, uint32_t bits, float* words) {
  // The weight of the lowest magnitude bit: the highest one stands for the shared exponent.
  const int32_t exponent = int32_t(row.exponent) - int32_t(exponent_bias) - int32_t(bits) + 1;
  const float low = exponent >= -126 ? float_of(uint32_t(exponent + int32_t(exponent_bias)) << 23)
                                     : 0.0F;  // denormal weights count as zero
  const uint32_t largest = (1U << bits) - 1;
  for (uint32_t i = 0; i < face_side; ++i) {
    const float magnitude = float(row.elements[i] & largest) * low;
    words[i] = (row.elements[i] >> bits) != 0 ? -magnitude : magnitude;
  }
}

}  // namespace

bool is_block_format(uint32_t format) {
  const auto name = static_cast<DataFormat>(format);
  return name == DataFormat::Bfp8_b || name == DataFormat::Bfp4_b;
}

uint32_t block_tile_bytes(uint32_t format) {
  return rows + rows * face_side * (magnitude_bits(format) + 1) / 8;
}

void block_unpack(uint32_t format, const uint8_t* page, float* words) {
  const uint32_t bits = magnitude_bits(format);
  const uint32_t per_byte = 8 / (bits + 1);
  const uint8_t* elements = page + rows;
  for (uint32_t r = 0; r < rows; ++r) {
    BlockRow row;
    row.exponent = page[r];
    for (uint32_t i = 0; i < face_side; ++i) {
      const uint32_t at = r * face_side + i;
      const uint32_t shift = at % per_byte * (bits + 1);
      row.elements[i] = uint8_t(elements[at / per_byte] >> shift & ((2U << bits) - 1));
    }
    decode(row, bits, words + words_at(r));
  }
}

void block_pack(uint32_t format, const float* words, uint8_t* page) {
  const uint32_t bits = magnitude_bits(format);
  const uint32_t per_byte = 8 / (bits + 1);
  uint8_t* elements = page + rows;
  memset(elements, 0, block_tile_bytes(format) - rows);
  for (uint32_t r = 0; r < rows; ++r) {
    const BlockRow row = encode(words + words_at(r), bits);
    page[r] = uint8_t(row.exponent);
    for (uint32_t i = 0; i < face_side; ++i) {
      const uint32_t at = r * face_side + i;
      const uint32_t shift = at % per_byte * (bits + 1);
      elements[at / per_byte] = uint8_t(elements[at / per_byte] | row.elements[i] << shift);
    }
  }
}

void round_to_block(uint32_t format, float* words) {
  const uint32_t bits = magnitude_bits(format);
  for (uint32_t r = 0; r < rows; ++r) {
    float* row = words + words_at(r);
    decode(encode(row, bits), bits, row);
  }
}

}  // namespace tt_mock
