#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(rand_tile)
TT_MOCK_UNAVAILABLE(rand_tile_init)

}  // namespace ckernel
