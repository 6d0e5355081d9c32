// The inverse of the error function.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(erfinv_tile_init, erfinv)
TT_MOCK_SFPU_UNARY(erfinv_tile, erfinv)

}  // namespace ckernel
