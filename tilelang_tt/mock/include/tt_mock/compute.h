// Engine entry points of the compute API.
#pragma once

#include "llk_defs.h"
#include "tt_mock/circular_buffer.h"
#include "tt_mock/sfpu_operations.h"

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
enum class VectorMode : uint8_t { None = 0, R = 1, C = 2, RC = 4, RC_custom = 6, Invalid = 0xFF };
enum class RoundingMode : uint8_t { None = 0, Trunc = 1, Floor = 2 };
enum class DstRoundingMode : uint8_t { Default = 0, NearestEven = 1 };
enum class SrcOrder : uint8_t { Regular = 0, Reverse = 1 };
enum class ReluType : uint8_t { NO_RELU, ZERO_RELU, MIN_THRESHOLD_RELU, MAX_THRESHOLD_RELU };

}  // namespace ckernel

using namespace ckernel;

constexpr bool APPROX = false;
#ifdef TT_MOCK_FIDELITY
constexpr ckernel::MathFidelity MATH_FIDELITY = TT_MOCK_FIDELITY;
#endif

namespace tt_mock {

using ckernel::BroadcastType;
using ckernel::EltwiseBinaryReuseDestType;
using ckernel::EltwiseBinaryType;
using ckernel::PoolType;
using ckernel::ReduceDim;
using ckernel::ReluType;

enum class Sfpu : uint8_t {
#define TT_MOCK_ENUMERATOR(name, init, store) name,
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

// Rows of `full` tiles that the packer writes in blocks of `block`.
struct UntilizeShape {
  uint32_t block = 0, full = 0;
};

void tilize_init(Call call, uint32_t cb, uint32_t row_tiles, uint32_t cb_out);
void tilize_uninit(Call call, uint32_t cb, uint32_t cb_out);
void tilize(Call call, uint32_t cb, uint32_t tiles, uint32_t cb_out, uint32_t first_in,
            uint32_t first_out);
void untilize_pack_init(Call call, UntilizeShape shape, uint32_t cb_out);
void untilize_pack_uninit(Call call, uint32_t cb_out);
void untilize_pack(Call call, UntilizeShape shape, uint32_t cb_out, uint32_t row_blocks,
                   uint32_t column_block, uint32_t first_dst);
void untilize(Call call, UntilizeShape shape, uint32_t cb, uint32_t row_blocks, uint32_t cb_out,
              uint32_t column_block);
void unpack_untilize_init(Call call, uint32_t cb);
void unpack_untilize(Call call, uint32_t cb, uint32_t tiles, uint32_t cb_out);
void unpack_untilize_uninit(Call call, uint32_t cb);

void pack_init(Call call, uint32_t cb);
void pack(Call call, uint32_t dst, uint32_t cb, bool explicit_page, uint32_t page);
void pack_l1_accumulate(Call call, bool enable);
void pack_relu(Call call, ReluType type, uint32_t threshold);

// Scalar parameters of a vector operation, as the kernel passes them: bits of floats, or integers.
struct SfpuScalars {
  uint32_t p = 0, q = 0, r = 0;
};

struct SfpuRegisters {
  uint32_t a, b, c, out;
};

constexpr bool is_integer_format(DataFormat format) {
  return format == DataFormat::Int32 || format == DataFormat::UInt32 ||
         format == DataFormat::UInt16 || format == DataFormat::UInt8 || format == DataFormat::Int8;
}

void sfpu_init(Call call, Sfpu init, uint32_t parameter);
void sfpu_unary(Call call, Sfpu op, uint32_t dst, SfpuScalars scalars,
                VectorMode mode = VectorMode::RC);
void sfpu_binary(Call call, Sfpu op, uint32_t dst0, uint32_t dst1, uint32_t out,
                 VectorMode mode = VectorMode::RC);
void sfpu_ternary(Call call, Sfpu op, SfpuRegisters registers, SfpuScalars scalars);
void sfpu_integer(Call call, Sfpu op, DataFormat format, uint32_t dst, SfpuScalars scalars);
void sfpu_integer_binary(Call call, Sfpu op, DataFormat format, uint32_t dst0, uint32_t dst1,
                         uint32_t out);
// With the scalar that its init was given.
void sfpu_unary_of_init(Call call, Sfpu op, uint32_t dst);
void sfpu_exp(Call call, bool approximate, uint32_t scale, uint32_t dst, VectorMode mode);
void sfpu_where(Call call, uint32_t condition, uint32_t dst_true, uint32_t dst_false, uint32_t out);
void sfpu_fill(Call call, Sfpu op, uint32_t dst, uint32_t bits);
void sfpu_typecast(Call call, DataFormat from, DataFormat to, uint32_t dst);
void sfpu_copy(Call call, uint32_t from, uint32_t to);
void sfpu_mask(Call call, Sfpu op, uint32_t data, uint32_t mask);

// On the packer's thread.
void sfpu_init_pack(Call call, Sfpu init);
void sfpu_unary_pack(Call call, Sfpu op, uint32_t dst, SfpuScalars scalars);

// Operations that move values between the elements of tiles.
constexpr uint32_t sfpu_reduce_key(PoolType pool, DataFormat format) {
  return static_cast<uint32_t>(pool) * 256 + static_cast<uint32_t>(format);
}
void sfpu_reduce(Call call, PoolType pool, DataFormat format, ReduceDim dim, uint32_t dst,
                 uint32_t columns, uint32_t rows);
void sfpu_broadcast(Call call, EltwiseBinaryType type, BroadcastType dim, uint32_t data,
                    uint32_t vector);
void sfpu_normalize(Call call, uint32_t data, uint32_t mean, uint32_t inverse_deviation);
void sfpu_cumsum(Call call, uint32_t dst, bool first);

// Sorting networks, see topk.cpp. Equal values stay in no particular order, or are in that of their
// indices: descending where the whole sort is.
struct SortTies {
  bool by_index = false;
  bool descending = false;
};
// The steps count only where there is one phase.
struct SortSteps {
  uint32_t end_phase, start_phase, end_step, start_step;
};
struct RebuildShape {
  uint32_t iteration, k, log_k;
  bool skip_second;  // the second tile of values and of indices
};
void topk_local_sort(Call call, uint32_t dst, bool ascending, SortSteps steps, SortTies ties);
void topk_merge(Call call, uint32_t dst, bool smallest, uint32_t iteration, uint32_t k,
                SortTies ties);
void topk_rebuild(Call call, uint32_t dst, bool ascending, RebuildShape shape, SortTies ties);
void topk_positive_zeros(Call call, uint32_t dst);
void topk_finish_indices(Call call, uint32_t dst);

void transpose_dst_init(Call call, bool wide, bool faces);
void transpose_dst(Call call, bool wide, bool faces, uint32_t dst);

}  // namespace tt_mock
