// Tiles in memory (four 16x16 faces of a data format) and in the engine (32x32 words, row-major).
#pragma once

#include <cstdint>

namespace tt_mock {

// Bytes of a tile of this DataFormat code, or 0 where the format has no tiles here.
uint32_t tile_bytes(uint32_t format);
bool is_integer(uint32_t format);

// Bytes of one element, or 0 for a format whose elements share something.
uint32_t element_bytes(uint32_t format);

// Floats as float32; integers widened to 32 bits, kept in the same words.
void tile_unpack(uint32_t format, const uint8_t* page, float* words);

// Rounds to nearest, ties away from zero, as the packer does. Integers are narrowed with
// saturation.
void tile_pack(uint32_t format, const float* words, uint8_t* page);

// The same on a row of elements that lie side by side, as in row-major memory.
void row_unpack(uint32_t format, const uint8_t* bytes, float* words, uint32_t count);
void row_pack(uint32_t format, const float* words, uint8_t* bytes, uint32_t count);

// In-place roundings of a whole tile.
void round_to_format(uint32_t format, float* words);  // as the packer
void round_to_bfloat16(float* words);  // to nearest even, as a 16-bit destination register
void round_to_float16(float* words);
void cut_to_bfloat16(float* words);  // as the vector unit stores into a 16-bit register
void cut_to_float16(float* words);
// Keeps the leading significand bits, the hidden one included: the view of one multiplier phase.
void truncate_significand(const float* from, float* to, uint32_t bits);
void subtract(const float* from, const float* what, float* to);
void transpose_tile_words(const float* from, float* to);

}  // namespace tt_mock
