// The functions of the vector unit, by operation, on whole tiles.
#pragma once

#include <cstdint>
#include <cstring>

#include "compute_state.h"
#include "tt_mock/compute.h"

namespace tt_mock {

inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The scalar parameters of an operation on floats.
struct Scalars {
  float p, q, r;
};

using UnaryTile = void (*)(float* values, Scalars scalars);
using BinaryTile = void (*)(float* out, const float* a, const float* b);
using TernaryTile = void (*)(float* out, const float* a, const float* b, const float* c,
                             Scalars scalars);

// The function of an operation; there is none for an operation of another kind.
UnaryTile unary_function(Sfpu op);
BinaryTile binary_function(Sfpu op);
TernaryTile ternary_function(Sfpu op);

// How words of an integer format are read and written.
struct IntegerFormat {
  uint32_t mask;  // the bits of a value
  uint32_t sign;  // the bit that counts negative, or 0
};

IntegerFormat integer_format(DataFormat format);

// A register keeps integers in the words of its floats.
using Word = uint32_t __attribute__((may_alias));
using IntegerTile = void (*)(Word* out, const Word* a, const Word* b, const Word* c,
                             IntegerFormat format);
IntegerTile integer_function(Sfpu op);

// What becomes of the bits that a 16-bit register has no room for.
enum class Store : uint8_t { bits, cut, even };
Store store_of(Sfpu op);

// Starts an operation: the call is marked, its init is checked, its time is charged.
Thread& begin_sfpu(Call call, Sfpu op, uint32_t parameter = 0);
DstTile& float_tile(Thread& thread, uint32_t slot);
DstTile& integer_tile(Thread& thread, uint32_t slot);

}  // namespace tt_mock
