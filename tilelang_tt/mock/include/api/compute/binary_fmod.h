// The remainder with the sign of the dividend.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(fmod_binary_tile_init, fmod_binary)
template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
TT_MOCK_SFPU_BINARY(fmod_binary_tile, fmod_binary)
TT_MOCK_SFPU_INIT(fmod_int32_tile_init, fmod_int)
TT_MOCK_INTEGER_BINARY(fmod_int32_tile, fmod_int, DataFormat::Int32)

}  // namespace ckernel
