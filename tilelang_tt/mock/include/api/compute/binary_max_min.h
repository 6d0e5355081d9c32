// The larger and the smaller of two registers.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(binary_max_tile_init, max_binary)
TT_MOCK_SFPU_BINARY_MODE(binary_max_tile, max_binary)
TT_MOCK_SFPU_INIT(binary_max_int32_tile_init, max_int)
TT_MOCK_INTEGER_BINARY(binary_max_int32_tile, max_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(binary_max_uint32_tile_init, max_int)
TT_MOCK_INTEGER_BINARY(binary_max_uint32_tile, max_int, DataFormat::UInt32)
TT_MOCK_SFPU_INIT(binary_min_tile_init, min_binary)
TT_MOCK_SFPU_BINARY_MODE(binary_min_tile, min_binary)
TT_MOCK_SFPU_INIT(binary_min_int32_tile_init, min_int)
TT_MOCK_INTEGER_BINARY(binary_min_int32_tile, min_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(binary_min_uint32_tile_init, min_int)
TT_MOCK_INTEGER_BINARY(binary_min_uint32_tile, min_int, DataFormat::UInt32)

}  // namespace ckernel
