// One bit per byte of a memory: whether it has been written since the run began.
#pragma once

#include <cstdint>
#include <vector>

namespace tt_mock {

void marks_set(uint64_t* marks, uint64_t begin, uint64_t end, bool written);
// The first byte that is not marked, or `end`.
uint64_t marks_first_unset(const uint64_t* marks, uint64_t begin, uint64_t end);

}  // namespace tt_mock
