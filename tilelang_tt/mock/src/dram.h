// The tensors in DRAM: what an address there means, and the bytes, which stay where the host has
// them: pages in order, or tiles of the host's matrices.
#pragma once

#include <cstdint>
#include <vector>

#include "program.h"

namespace tt_mock {

// Division by a number that a whole run has, which is a power of two more often than not.
class Divisor {
 public:
  Divisor() = default;
  explicit Divisor(uint32_t value)
      : value_(value),
        shift_((value & (value - 1)) == 0 ? uint32_t(__builtin_ctz(value)) : no_shift) {}

  uint32_t value() const { return value_; }
  uint32_t divide(uint32_t number) const {
    return shift_ != no_shift ? number >> shift_ : number / value_;
  }
  uint32_t rest(uint32_t number) const { return number - divide(number) * value_; }

 private:
  static constexpr uint32_t no_shift = 32;
  uint32_t value_ = 1;
  uint32_t shift_ = 0;
};

struct DramTensor {
  const TtMockBuffer* config = nullptr;
  Divisor slot;        // bytes from one page of a bank to the next
  uint64_t pages = 0;  // 0: the tensor is not in DRAM
  std::vector<uint64_t> marks;  // of the bytes that hold something, see shadow.h
};

// A page, and the bytes of it that an access is about.
struct DramPlace {
  uint32_t tensor;  // its number in the program
  uint64_t page;
  uint32_t offset;  // in the page
};

void dram_create();

// What the address of a bank means. `meant` is a tensor's number counted from 1, or 0: the call
// fails where the address is not one of its pages.
DramPlace dram_resolve(uint32_t bank, uint32_t address, uint32_t meant);

// The number of the tensor that begins at the address, counted from 1, or 0 if none does.
uint32_t dram_tensor_from(uint32_t base);

void dram_load(const DramPlace& place, uint8_t* to, uint32_t bytes);
void dram_store(const DramPlace& place, const uint8_t* from, uint32_t bytes);

}  // namespace tt_mock
