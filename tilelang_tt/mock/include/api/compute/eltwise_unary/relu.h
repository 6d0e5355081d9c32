// Rectified linear units.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(relu_tile_init, relu)
TT_MOCK_SFPU_UNARY(relu_tile, relu)
TT_MOCK_INTEGER_UNARY(relu_tile_int32, relu_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(relu_max_tile_init, relu_max)
TT_MOCK_SFPU_UNARY_1(relu_max_tile, relu_max)
TT_MOCK_INTEGER_UNARY_1(relu_max_tile_int32, relu_max_int, DataFormat::Int32)
TT_MOCK_INTEGER_UNARY_1(relu_max_tile_uint32, relu_max_int, DataFormat::UInt32)
TT_MOCK_INTEGER_UNARY_1(relu_max_tile_uint16, relu_max_int, DataFormat::UInt16)
TT_MOCK_SFPU_INIT(relu_min_tile_init, relu_min)
TT_MOCK_SFPU_UNARY_1(relu_min_tile, relu_min)
TT_MOCK_INTEGER_UNARY_1(relu_min_tile_int32, relu_min_int, DataFormat::Int32)
TT_MOCK_INTEGER_UNARY_1(relu_min_tile_uint32, relu_min_int, DataFormat::UInt32)
TT_MOCK_INTEGER_UNARY_1(relu_min_tile_uint16, relu_min_int, DataFormat::UInt16)
TT_MOCK_SFPU_INIT_PACK(relu_max_tile_init_pack, relu_max)
TT_MOCK_SFPU_UNARY_1_PACK(relu_max_tile_pack, relu_max)
TT_MOCK_SFPU_INIT(leaky_relu_tile_init, leaky_relu)

inline void leaky_relu_tile(uint32_t idst, uint32_t slope = 0, TT_MOCK_SITE) {
  tt_mock::sfpu_unary({"leaky_relu_tile", site}, tt_mock::Sfpu::leaky_relu, idst, {slope, 0, 0});
}

}  // namespace ckernel
