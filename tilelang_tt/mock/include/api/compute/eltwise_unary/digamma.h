#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(digamma_tile)
TT_MOCK_UNAVAILABLE(digamma_tile_init)

}  // namespace ckernel
