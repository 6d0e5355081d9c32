"""C++ functions that generated kernels call and Metalium does not have, by name.

A function comes after those that it calls.
"""

from __future__ import annotations

HELPERS: dict[str, str] = {
    "floor_div": (
        "inline int32_t floor_div(int32_t a, int32_t b) { return a / b - (a % b < 0 ? 1 : 0); }"
    ),
    "floor_mod": (
        "inline int32_t floor_mod(int32_t a, int32_t b) { return a % b + (a % b < 0 ? b : 0); }"
    ),
    "float_bits": """\
inline uint32_t float_bits(int32_t value) {
  return __builtin_bit_cast(uint32_t, static_cast<float>(value));
}""",
    "bfloat16_bits": """\
// Of an integer that a bfloat16 holds exactly.
inline uint16_t bfloat16_bits(int32_t value) { return float_bits(value) >> 16; }""",
    "float16_bits": """\
// Of an integer that a float16 holds exactly.
inline uint16_t float16_bits(int32_t value) {
  const uint32_t bits = float_bits(value);
  const uint32_t exponent = (bits >> 23 & 0xff) - 112;
  return value == 0 ? 0 : (bits >> 16 & 0x8000) | exponent << 10 | (bits >> 13 & 0x3ff);
}""",
    "zero_page": """\
inline void zero_page(uint32_t address, uint32_t bytes) {
  auto* const words = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(address);
  for (uint32_t i = 0; i < bytes / 4; ++i) {
    words[i] = 0;
  }
}""",
    "write_affine_tile": """\
// Element (r, c) is r * per_row + c * per_column; a tile is four faces of 16x16.
template <typename Word, auto encode>
void write_affine_tile(uint32_t address, int32_t per_row, int32_t per_column) {
  auto* const words = reinterpret_cast<volatile tt_l1_ptr Word*>(address);
  for (int32_t r = 0; r < 32; ++r) {
    for (int32_t c = 0; c < 32; ++c) {
      const int32_t face = r / 16 * 2 + c / 16;
      words[face * 256 + r % 16 * 16 + c % 16] = encode(r * per_row + c * per_column);
    }
  }
}""",
}
