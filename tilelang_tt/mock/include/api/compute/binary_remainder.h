// The remainder with the sign of the divisor.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(remainder_binary_tile_init, remainder_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(remainder_binary_tile, remainder_binary)
TT_MOCK_SFPU_INIT(remainder_int32_tile_init, remainder_int)
TT_MOCK_INTEGER_BINARY(remainder_int32_tile, remainder_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(remainder_uint32_tile_init, remainder_int)
TT_MOCK_INTEGER_BINARY(remainder_uint32_tile, remainder_int, DataFormat::UInt32)

}  // namespace ckernel
