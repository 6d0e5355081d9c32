// Gated unit of limited operands: the gate times its sigmoid, times the second operand. Blackhole
// has it.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

#ifdef ARCH_BLACKHOLE
TT_MOCK_SFPU_INIT(clamped_silu_glu_tile_init, clamped_silu_glu)
TT_MOCK_SFPU_BINARY_MODE(clamped_silu_glu_tile, clamped_silu_glu)
#endif

}  // namespace ckernel
