#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(dropout_tile)
TT_MOCK_UNAVAILABLE(dropout_kernel_init)

}  // namespace ckernel
