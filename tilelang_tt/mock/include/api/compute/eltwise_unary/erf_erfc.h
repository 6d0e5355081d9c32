// The error function and its complement.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <bool fast_and_approx = true>
TT_MOCK_SFPU_INIT(erf_tile_init, erf)
template <bool fast_and_approx = true>
TT_MOCK_SFPU_UNARY(erf_tile, erf)
TT_MOCK_SFPU_INIT(erfc_tile_init, erfc)
TT_MOCK_SFPU_UNARY(erfc_tile, erfc)

}  // namespace ckernel
