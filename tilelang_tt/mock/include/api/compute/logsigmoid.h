// log(sigmoid(a)), given a and exp(-a).
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(logsigmoid_tile_init, logsigmoid)
TT_MOCK_SFPU_BINARY(logsigmoid_tile, logsigmoid)

}  // namespace ckernel
