// Comparisons: one where the relation holds, else zero.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

// With zero.
TT_MOCK_SFPU_INIT(eqz_tile_init, eqz)
TT_MOCK_SFPU_UNARY(eqz_tile, eqz)
TT_MOCK_INTEGER_UNARY(eqz_tile_int32, eqz_int, DataFormat::Int32)
TT_MOCK_INTEGER_UNARY(eqz_tile_uint16, eqz_int, DataFormat::UInt16)
TT_MOCK_INTEGER_UNARY(eqz_tile_uint32, eqz_int, DataFormat::UInt32)
TT_MOCK_SFPU_INIT(nez_tile_init, nez)
TT_MOCK_SFPU_UNARY(nez_tile, nez)
TT_MOCK_INTEGER_UNARY(nez_tile_int32, nez_int, DataFormat::Int32)
TT_MOCK_INTEGER_UNARY(nez_tile_uint16, nez_int, DataFormat::UInt16)
TT_MOCK_INTEGER_UNARY(nez_tile_uint32, nez_int, DataFormat::UInt32)
TT_MOCK_SFPU_INIT(ltz_tile_init, ltz)
TT_MOCK_SFPU_UNARY(ltz_tile, ltz)
TT_MOCK_INTEGER_UNARY(ltz_tile_int32, ltz_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(gtz_tile_init, gtz)
TT_MOCK_SFPU_UNARY(gtz_tile, gtz)
TT_MOCK_INTEGER_UNARY(gtz_tile_int32, gtz_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(lez_tile_init, lez)
TT_MOCK_SFPU_UNARY(lez_tile, lez)
TT_MOCK_INTEGER_UNARY(lez_tile_int32, lez_int, DataFormat::Int32)
TT_MOCK_SFPU_INIT(gez_tile_init, gez)
TT_MOCK_SFPU_UNARY(gez_tile, gez)
TT_MOCK_INTEGER_UNARY(gez_tile_int32, gez_int, DataFormat::Int32)

// With a scalar.
TT_MOCK_SFPU_INIT(unary_eq_tile_init, eq_scalar)
TT_MOCK_SFPU_UNARY_1(unary_eq_tile, eq_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_eq_tile_int32, eq_int_scalar, DataFormat::Int32)
TT_MOCK_SFPU_INIT(unary_ne_tile_init, ne_scalar)
TT_MOCK_SFPU_UNARY_1(unary_ne_tile, ne_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_ne_tile_int32, ne_int_scalar, DataFormat::Int32)
TT_MOCK_SFPU_INIT(unary_gt_tile_init, gt_scalar)
TT_MOCK_SFPU_UNARY_1(unary_gt_tile, gt_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_gt_tile_int32, gt_int_scalar, DataFormat::Int32)
TT_MOCK_SFPU_INIT(unary_ge_tile_init, ge_scalar)
TT_MOCK_SFPU_UNARY_1(unary_ge_tile, ge_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_ge_tile_int32, ge_int_scalar, DataFormat::Int32)
TT_MOCK_SFPU_INIT(unary_lt_tile_init, lt_scalar)
TT_MOCK_SFPU_UNARY_1(unary_lt_tile, lt_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_lt_tile_int32, lt_int_scalar, DataFormat::Int32)
TT_MOCK_SFPU_INIT(unary_le_tile_init, le_scalar)
TT_MOCK_SFPU_UNARY_1(unary_le_tile, le_scalar)
TT_MOCK_INTEGER_UNARY_1(unary_le_tile_int32, le_int_scalar, DataFormat::Int32)

}  // namespace ckernel
