// What kernels use of the compute processors' own header.
#pragma once

#include "tt_mock/common.h"

namespace ckernel {

// A load that later instructions wait for; every load is one here.
template <typename T>
T load_blocking(volatile T* address) {
  return *address;
}

}  // namespace ckernel
