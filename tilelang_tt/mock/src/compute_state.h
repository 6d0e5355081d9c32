// Shared by the compute operations: checks of formats, inits and destination registers.
#pragma once

#include "engine.h"

namespace tt_mock {

void set_init(Compute& compute, Call call, Init init);
void require_startup(const Compute& compute);
void require_init(const Compute& compute, const Init& expected);
void require_init_of(const Compute& compute, Unit unit);
void require_source_a(const Compute& compute, const CircularBuffer& cb);
void require_source_b(const Compute& compute, const CircularBuffer& cb);
// An operand of the FPU: floats, and not a circular buffer that bypasses the source registers.
void require_fpu_operand(const CircularBuffer& cb);

// A tile the consumer may read, as seen by the unit. `scratch` has room for it. The kept one stays
// with its page, for operations that use a tile many times.
const float* operand(Thread& thread, uint32_t cb, uint32_t tile, View view, float* scratch);
const float* operand_kept(Thread& thread, uint32_t cb, uint32_t tile, View view);
const uint8_t* operand_bytes(Thread& thread, uint32_t cb, uint32_t tile);

// A slot of the acquired section. A slot not written since acquire reads as zero for accumulation.
DstTile& dst_accumulate(Thread& thread, uint32_t slot);
DstTile& dst_overwrite(Thread& thread, uint32_t slot);
bool dst_is_written(Thread& thread, uint32_t slot);
DstTile& dst_read(Thread& thread, uint32_t slot);
// The packer's side: a written slot of the oldest committed section.
DstTile& dst_packed(Thread& thread, uint32_t slot);

// How a result becomes 16 bits where the register has no more: the matrix unit rounds halves away
// from zero, the vector unit's store cuts, and some of its routines round to even before that.
enum class Rounding : uint8_t { away, cut, even };
void dst_round(DstTile& tile, Rounding rounding);

// The kind of float that a register holds which was made from this format.
DstKind float_kind(DataFormat format);
// After a tile was unpacked, as what the circular buffer holds.
void store_unpacked(DstTile& tile, const CircularBuffer& cb);
// After a float result of the matrix unit.
void dst_store_float(DstTile& tile, uint32_t operand_format);

// What the packer needs of its configuration, and of the kind of a value.
void require_pack_format(const Compute& compute, const CircularBuffer& cb);
void require_packable_kind(const CircularBuffer& cb, const DstTile& tile);

const char* format_name(uint32_t format);

}  // namespace tt_mock
