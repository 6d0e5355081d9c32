#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(isclose_binary_tile)
TT_MOCK_UNAVAILABLE(isclose_binary_tile_init)

}  // namespace ckernel
