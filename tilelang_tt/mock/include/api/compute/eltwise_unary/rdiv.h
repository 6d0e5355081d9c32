// A scalar divided by each element, as it is or rounded to an integer.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(rdiv_tile_init, rdiv)

template <RoundingMode rounding_mode = RoundingMode::None,
          bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void rdiv_tile(uint32_t dst_index, uint32_t value, VectorMode vector_mode = VectorMode::RC,
               TT_MOCK_SITE) {
  tt_mock::sfpu_unary({"rdiv_tile", site}, tt_mock::Sfpu::rdiv, dst_index,
                      {value, static_cast<uint32_t>(rounding_mode), 0}, vector_mode);
}

}  // namespace ckernel
