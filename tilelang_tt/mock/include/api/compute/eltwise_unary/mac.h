// a * b + c.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

template <DataFormat data_format>
TT_MOCK_SFPU_INIT(mac_tile_init, mac)
template <DataFormat data_format>
TT_MOCK_SFPU_TERNARY(mac_tile, mac)

}  // namespace ckernel
