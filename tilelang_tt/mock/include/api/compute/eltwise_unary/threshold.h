// The value where x does not exceed the threshold: the threshold, then the value.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(threshold_tile_init, threshold)
TT_MOCK_SFPU_UNARY_2(threshold_tile, threshold)

}  // namespace ckernel
