#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(div_int32_tile)
TT_MOCK_UNAVAILABLE(div_int32_tile_init)

}  // namespace ckernel
