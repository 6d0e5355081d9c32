// Block formats: sixteen elements of a face row share one exponent, and each keeps a sign and a few
// bits of magnitude. A tile holds the exponents of all rows first.
#pragma once

#include <cstdint>

namespace tt_mock {

bool is_block_format(uint32_t format);
uint32_t block_tile_bytes(uint32_t format);
void block_unpack(uint32_t format, const uint8_t* page, float* words);
void block_pack(uint32_t format, const float* words, uint8_t* page);
void round_to_block(uint32_t format, float* words);

}  // namespace tt_mock
