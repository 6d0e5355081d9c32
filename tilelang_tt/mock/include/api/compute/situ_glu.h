#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(situ_glu_tile)
TT_MOCK_UNAVAILABLE(situ_glu_tile_init)

}  // namespace ckernel
