// Compiled with contraction on: this is the one place where a product and a sum are fused.
#include "matmul.h"

#include <cstdint>
#include <cstring>

namespace tt_mock {
namespace {

constexpr uint32_t side = 32;
constexpr uint32_t lanes = 8;
using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

Vector load(const float* from) {
  Vector vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}

void store(float* to, Vector vector) { memcpy(to, &vector, sizeof vector); }

constexpr uint32_t block_rows = 4;
constexpr uint32_t block_vectors = 2;

// Four rows by sixteen columns stay in registers while k runs.
void block(float* c, const float* a, const float* b) {
  Vector sum[block_rows][block_vectors];
  for (uint32_t r = 0; r < block_rows; ++r) {
    for (uint32_t v = 0; v < block_vectors; ++v) {
      sum[r][v] = load(c + r * side + v * lanes);
    }
  }
  for (uint32_t k = 0; k < side; ++k) {
    const Vector b0 = load(b + k * side);
    const Vector b1 = load(b + k * side + lanes);
    for (uint32_t r = 0; r < block_rows; ++r) {
      const float scalar = a[r * side + k];
      sum[r][0] += scalar * b0;
      sum[r][1] += scalar * b1;
    }
  }
  for (uint32_t r = 0; r < block_rows; ++r) {
    for (uint32_t v = 0; v < block_vectors; ++v) {
      store(c + r * side + v * lanes, sum[r][v]);
    }
  }
}

}  // namespace

void matmul_tile(float* c, const float* a, const float* b) {
  for (uint32_t row = 0; row < side; row += block_rows) {
    for (uint32_t column = 0; column < side; column += block_vectors * lanes) {
      block(c + row * side + column, a + row * side, b + column);
    }
  }
}

}  // namespace tt_mock
