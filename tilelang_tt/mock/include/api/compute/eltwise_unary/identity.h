// Leaves a register as it is.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(identity_tile_init, identity)
TT_MOCK_SFPU_UNARY(identity_tile, identity)
TT_MOCK_INTEGER_UNARY(identity_tile_uint32, identity_int, DataFormat::UInt32)

}  // namespace ckernel
