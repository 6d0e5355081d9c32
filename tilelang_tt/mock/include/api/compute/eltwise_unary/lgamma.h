#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(lgamma_stirling_tile)
TT_MOCK_UNAVAILABLE(lgamma_stirling_tile_init)
TT_MOCK_UNAVAILABLE(lgamma_stirling_float_tile)
TT_MOCK_UNAVAILABLE(lgamma_stirling_float_tile_init)
TT_MOCK_UNAVAILABLE(lgamma_adjusted_tile)
TT_MOCK_UNAVAILABLE(lgamma_adjusted_tile_init)

}  // namespace ckernel
