// Limits to a range.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(hardtanh_tile_init, hardtanh)
TT_MOCK_SFPU_UNARY_2(hardtanh_tile, hardtanh)
TT_MOCK_SFPU_INIT_PACK(hardtanh_tile_init_pack, hardtanh)
TT_MOCK_SFPU_UNARY_2_PACK(hardtanh_tile_pack, hardtanh)

}  // namespace ckernel
