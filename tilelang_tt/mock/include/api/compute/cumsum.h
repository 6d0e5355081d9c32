// Running sums down the columns of a tile.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(cumsum_tile_init, cumsum)

// The sums go on from those of the tile before, unless this is the first one.
inline void cumsum_tile(uint32_t idst, bool first = true, TT_MOCK_SITE) {
  tt_mock::sfpu_cumsum({"cumsum_tile", site}, idst, first);
}

}  // namespace ckernel
