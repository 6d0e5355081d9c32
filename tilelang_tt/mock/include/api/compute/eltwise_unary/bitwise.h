// Bitwise operations of a register and a scalar.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(bitwise_and_tile_init, and_int_scalar)
template <DataFormat data_format>
TT_MOCK_INTEGER_UNARY_1(bitwise_and_tile, and_int_scalar, data_format)
TT_MOCK_SFPU_INIT(bitwise_or_tile_init, or_int_scalar)
template <DataFormat data_format>
TT_MOCK_INTEGER_UNARY_1(bitwise_or_tile, or_int_scalar, data_format)
TT_MOCK_SFPU_INIT(bitwise_xor_tile_init, xor_int_scalar)
template <DataFormat data_format>
TT_MOCK_INTEGER_UNARY_1(bitwise_xor_tile, xor_int_scalar, data_format)

}  // namespace ckernel
