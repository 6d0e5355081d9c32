// Bitwise operations of two registers.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(binary_bitwise_tile_init, bitwise_init)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(bitwise_and_binary_tile, and_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(bitwise_or_binary_tile, or_int, data_format)
template <DataFormat data_format>
TT_MOCK_INTEGER_BINARY(bitwise_xor_binary_tile, xor_int, data_format)

}  // namespace ckernel
