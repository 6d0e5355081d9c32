#pragma once

namespace tt_mock {

// c += a * b for 32x32 row-major tiles of floats, aligned to 64 bytes.
void matmul_tile(float* c, const float* a, const float* b);

}  // namespace tt_mock
