// Gated unit of soft caps: the gate times its sigmoid, times the second operand. Blackhole has it.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

#ifdef ARCH_BLACKHOLE
TT_MOCK_SFPU_INIT(situ_glu_tile_init, situ_glu)
TT_MOCK_SFPU_BINARY_MODE(situ_glu_tile, situ_glu)
#endif

}  // namespace ckernel
