// Instantiates SFPU routines of many kinds, so that the stand-in for sfpi.h has to carry their bodies.
#include <cstdint>
#include "api/compute/common.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/eltwise_binary_sfpu.h"
#include "api/compute/eltwise_unary/binop_with_scalar.h"
#include "api/compute/eltwise_unary/erf_erfc.h"
#include "api/compute/eltwise_unary/exp.h"
#include "api/compute/eltwise_unary/fill.h"
#include "api/compute/eltwise_unary/gelu.h"
#include "api/compute/eltwise_unary/recip.h"
#include "api/compute/eltwise_unary/relu.h"
#include "api/compute/eltwise_unary/rsqrt.h"
#include "api/compute/eltwise_unary/trigonometry.h"
#include "api/compute/eltwise_unary/typecast.h"
#include "api/compute/eltwise_unary/where.h"
#include "api/compute/tile_move_copy.h"

void kernel_main() {
    compute_kernel_hw_startup(0, 0, 16);
    copy_init(0);
    tile_regs_acquire();
    copy_tile(0, 0, 0);
    exp_tile_init();
    exp_tile(0);
    gelu_tile_init();
    gelu_tile(0);
    recip_tile_init();
    recip_tile(0);
    rsqrt_tile_init();
    rsqrt_tile(0);
    sin_tile_init();
    sin_tile(0);
    erf_tile_init();
    erf_tile(0);
    relu_tile_init();
    relu_tile(0);
    fill_tile_init();
    fill_tile(1, 1.0f);
    binop_with_scalar_tile_init();
    mul_unary_tile(0, 0x3f800000);
    add_binary_tile_init();
    add_binary_tile(0, 1, 0);
    div_binary_tile_init();
    div_binary_tile(0, 1, 0);
    where_tile_init();
    where_tile<DataFormat::Float16_b>(0, 1, 2, 0);
    typecast_tile_init<(uint32_t)DataFormat::Float16_b, (uint32_t)DataFormat::Int32>();
    typecast_tile<(uint32_t)DataFormat::Float16_b, (uint32_t)DataFormat::Int32>(0);
    tile_regs_commit();
    tile_regs_wait();
    pack_tile(0, 16);
    tile_regs_release();
}
