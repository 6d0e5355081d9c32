// beta * tanh(x / beta): beta and its reciprocal. Blackhole has it.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

#ifdef ARCH_BLACKHOLE
TT_MOCK_SFPU_INIT(softcap_tile_init, softcap)
TT_MOCK_SFPU_UNARY_2(softcap_tile, softcap)
#endif

}  // namespace ckernel
