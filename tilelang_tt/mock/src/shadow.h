// What the mock knows about memory beside its bytes: what was written, and what is on its way.
#pragma once

#include "engine.h"

namespace tt_mock {

bool shadow_map(uint32_t cores);
uint64_t* shadow_of(uint32_t core);
void shadow_clear(uint32_t core, Range range);
void shadow_create_buffers();

// A transfer or a packer has written the range.
void shadow_written(const Core& core, Range range);
void shadow_unwritten(const Core& core, Range range);
// The range gets bytes of another range, with what is known about them.
void shadow_copied(const Core& from, uint32_t from_offset, const Core& to, Range range);
// Reports a use of bytes that nobody has written, once. `cb` may be -1.
void shadow_check_written(const Core& core, Range range, int cb, const char* use);

// The same for bytes of tensors in DRAM. False: the tensor is an input, which stays what it is.
bool shadow_dram_written(const DramPlace& place, uint32_t bytes);
void shadow_dram_read(const DramPlace& place, uint32_t bytes);
// Results that the kernels have not written.
void shadow_check_results();

// Transfers that the core's threads have begun and not waited for.
void check_not_arriving(const Core& core, Range range, int cb);
void check_not_leaving(const Core& core, Range range, int cb);
bool has_transfers_in(const Core& core, Range range);

}  // namespace tt_mock
