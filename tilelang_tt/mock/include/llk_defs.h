// Names of the compute processors that data-movement kernels use as well.
#pragma once

#include <cstdint>

namespace ckernel {

enum class PoolType : uint8_t { SUM, AVG, MAX, MIN };
enum class ReduceDim : uint8_t { REDUCE_ROW, REDUCE_COL, REDUCE_SCALAR };
enum class MathFidelity : uint8_t { LoFi = 0, HiFi2 = 2, HiFi3 = 3, HiFi4 = 4 };

}  // namespace ckernel

enum class DstSync : uint8_t { SyncHalf = 0, SyncFull = 1 };
