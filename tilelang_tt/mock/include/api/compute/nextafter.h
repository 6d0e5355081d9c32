#pragma once

#include "tt_mock/unavailable.h"

namespace ckernel {

TT_MOCK_UNAVAILABLE(nextafter_binary_tile)
TT_MOCK_UNAVAILABLE(nextafter_binary_tile_init)
TT_MOCK_UNAVAILABLE(nextafter_bf16_binary_tile)
TT_MOCK_UNAVAILABLE(nextafter_bf16_binary_tile_init)

}  // namespace ckernel
