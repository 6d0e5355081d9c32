// Engine entry points of the compute API.
#pragma once

#include "tt_mock/circular_buffer.h"

#ifndef TT_MOCK_COMPUTE
#error "the compute API is for compute kernels; this is a data-movement kernel"
#endif

#define MATH(...) __VA_ARGS__
#define PACK(...) __VA_ARGS__
#define UNPACK(...) __VA_ARGS__

namespace ckernel {

enum class BroadcastType : uint8_t { NONE = 0, COL = 1, ROW = 2, SCALAR = 3 };
enum class EltwiseBinaryType : uint8_t { ELWMUL, ELWDIV, ELWADD, ELWSUB, ELWLESS };
enum class EltwiseBinaryReuseDestType { NONE = 0, DEST_TO_SRCA = 1, DEST_TO_SRCB = 2 };
enum class PoolType : uint8_t { SUM, AVG, MAX, MIN };
enum class ReduceDim : uint8_t { REDUCE_ROW, REDUCE_COL, REDUCE_SCALAR };
enum class VectorMode : uint8_t { None = 0, R = 1, C = 2, RC = 4 };
enum class DstRoundingMode : uint8_t { Default = 0, NearestEven = 1 };
enum class SrcOrder : uint8_t { Regular = 0, Reverse = 1 };
enum class ReluType : uint8_t { NO_RELU, ZERO_RELU, MIN_THRESHOLD_RELU, MAX_THRESHOLD_RELU };

}  // namespace ckernel

using namespace ckernel;

namespace tt_mock {

using ckernel::BroadcastType;
using ckernel::EltwiseBinaryReuseDestType;
using ckernel::EltwiseBinaryType;
using ckernel::PoolType;
using ckernel::ReduceDim;
using ckernel::ReluType;

// Every SFPU operation, and the init that has to precede it (several may share one).
#define TT_MOCK_SFPU_OPERATIONS(X)                                                              \
  X(none) X(add_binary) X(sub_binary) X(mul_binary) X(div_binary) X(rsub_binary)                \
  X(power_binary) X(max_binary) X(min_binary) X(eq_binary) X(ne_binary) X(lt_binary)            \
  X(gt_binary) X(le_binary) X(ge_binary) X(scalar_init) X(add_scalar) X(sub_scalar)             \
  X(mul_scalar) X(div_scalar) X(rsub_scalar) X(max_scalar) X(min_scalar) X(relu) X(relu_max)    \
  X(relu_min) X(leaky_relu) X(exp) X(exp2) X(expm1) X(log) X(log1p) X(sqrt) X(rsqrt) X(recip)   \
  X(tanh) X(sigmoid) X(silu) X(gelu) X(erf) X(erfc) X(sin) X(cos) X(tan) X(abs) X(negative)     \
  X(square) X(sign) X(power_scalar) X(clamp) X(rounding_init) X(floor) X(ceil) X(trunc) X(fill) \
  X(fill_bits) X(fill_int) X(typecast) X(copy_values) X(where) X(eqz) X(nez) X(ltz) X(gtz)      \
  X(lez) X(gez) X(eq_scalar) X(ne_scalar) X(gt_scalar) X(ge_scalar) X(lt_scalar) X(le_scalar)   \
  X(logical_not)

enum class Sfpu : uint8_t {
#define TT_MOCK_ENUMERATOR(name) name,
  TT_MOCK_SFPU_OPERATIONS(TT_MOCK_ENUMERATOR)
#undef TT_MOCK_ENUMERATOR
};

// Operand registers: idst is unpack/FPU output, the rest are explicit in each call.
void hw_startup(Call call, uint32_t cb_a, uint32_t cb_b, uint32_t cb_out);
void reconfig_source_a(Call call, uint32_t cb);
void reconfig_source_b(Call call, uint32_t cb);
void reconfig_source_a(Call call, uint32_t old_cb, uint32_t cb);
void reconfig_source_b(Call call, uint32_t old_cb, uint32_t cb);
void reconfig_pack(Call call, uint32_t cb);
void reconfig_pack(Call call, uint32_t old_cb, uint32_t cb);

void dst_acquire(Call call);
void dst_commit(Call call);
void dst_wait(Call call);
void dst_release(Call call);

void copy_init(Call call, uint32_t cb, bool transpose_faces, bool transpose_within);
void copy(Call call, uint32_t cb, uint32_t tile, uint32_t dst);
void transpose_init(Call call, uint32_t cb);
void transpose(Call call, uint32_t cb, uint32_t tile, uint32_t dst);
void unary_broadcast_init(Call call, BroadcastType type, uint32_t cb);
void unary_broadcast_uninit(Call call, uint32_t cb);
void unary_broadcast(Call call, BroadcastType type, uint32_t cb, uint32_t tile, uint32_t dst);

struct BinaryOperation {
  EltwiseBinaryType type;
  BroadcastType broadcast;
};

struct BinaryOperands {
  uint32_t cb_a, cb_b, tile_a, tile_b, dst, broadcast_row;
};

void binary_init(Call call, BinaryOperation operation, uint32_t cb_a, uint32_t cb_b,
                 bool accumulate);
void binary(Call call, BinaryOperation operation, BinaryOperands operands);
void reuse_init(Call call, EltwiseBinaryType type, EltwiseBinaryReuseDestType reuse, uint32_t cb);
void reuse(Call call, EltwiseBinaryType type, EltwiseBinaryReuseDestType reuse, uint32_t cb,
           uint32_t tile, uint32_t dst);

struct MatmulShape {
  bool block;
  bool transpose;
  uint32_t ct, rt, kt;
};

void matmul_init(Call call, uint32_t cb0, uint32_t cb1, MatmulShape shape);
void matmul(Call call, uint32_t cb0, uint32_t cb1, uint32_t tile0, uint32_t tile1, uint32_t dst,
            MatmulShape shape);

void reduce_init(Call call, PoolType pool, ReduceDim dim, uint32_t cb, uint32_t cb_scaler,
                 uint32_t cb_out);
void reduce(Call call, PoolType pool, ReduceDim dim, BinaryOperands operands);
void reduce_uninit(Call call);

void pack_init(Call call, uint32_t cb);
void pack(Call call, uint32_t dst, uint32_t cb, bool explicit_page, uint32_t page);
void pack_l1_accumulate(Call call, bool enable);
void pack_relu(Call call, ReluType type, uint32_t threshold);

void sfpu_init(Call call, Sfpu init, uint32_t parameter);
void sfpu_unary(Call call, Sfpu op, uint32_t dst, uint32_t bits0, uint32_t bits1);
void sfpu_binary(Call call, Sfpu op, uint32_t dst0, uint32_t dst1, uint32_t out);
void sfpu_where(Call call, uint32_t condition, uint32_t dst_true, uint32_t dst_false, uint32_t out);
void sfpu_fill(Call call, Sfpu op, uint32_t dst, uint32_t bits);
void sfpu_typecast(Call call, DataFormat from, DataFormat to, uint32_t dst);
void sfpu_copy(Call call, uint32_t from, uint32_t to);

}  // namespace tt_mock
