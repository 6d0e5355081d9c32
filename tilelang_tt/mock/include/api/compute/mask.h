// Clears a tile where the tile of the next register is zero.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(mask_tile_init, mask)

inline void mask_tile(uint32_t idst_data, uint32_t idst2_mask,
                      DataFormat data_format = DataFormat::Float16_b, TT_MOCK_SITE) {
  static_cast<void>(data_format);
  tt_mock::sfpu_mask({"mask_tile", site}, tt_mock::Sfpu::mask, idst_data, idst2_mask);
}

inline void mask_posinf_tile(uint32_t idst_data, uint32_t idst2_mask, TT_MOCK_SITE) {
  tt_mock::sfpu_mask({"mask_posinf_tile", site}, tt_mock::Sfpu::mask_posinf, idst_data, idst2_mask);
}

}  // namespace ckernel
