// Tensors in DRAM banks: interleaved only, so the arguments are [configuration bits, aligned page
// size].
#pragma once

#include "api/compile_time_args.h"
#include "tt_mock/dataflow.h"

template <uint32_t CTA_OFFSET, uint32_t CRTA_OFFSET = 0>
struct TensorAccessorArgs {
  static constexpr uint32_t config = tt_mock::compile_time_arg<CTA_OFFSET>();
  static constexpr uint32_t AlignedPageSize = tt_mock::compile_time_arg<CTA_OFFSET + 1>();
  static constexpr uint32_t is_dram_bit = 2;
  static_assert(config == is_dram_bit, "the mock knows interleaved DRAM tensors only");

  static constexpr uint32_t next_compile_time_args_offset() { return CTA_OFFSET + 2; }
  static constexpr uint32_t next_common_runtime_args_offset() { return CRTA_OFFSET; }
};

class TensorAccessor {
 public:
  template <uint32_t CTA_OFFSET, uint32_t CRTA_OFFSET>
  TensorAccessor(const TensorAccessorArgs<CTA_OFFSET, CRTA_OFFSET>&, uint32_t bank_base_address,
                 uint32_t page_size = TensorAccessorArgs<CTA_OFFSET, CRTA_OFFSET>::AlignedPageSize)
      : bank_base_address_(bank_base_address), page_size_(page_size) {}

  uint64_t get_noc_addr(uint32_t page_id, uint32_t offset = 0, uint8_t = NOC_INDEX,
                        tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::dram_page_address({"TensorAccessor::get_noc_addr", site}, page_id,
                                      bank_base_address_, page_size_, offset);
  }
  uint32_t get_aligned_page_size() const { return page_size_; }
  uint32_t get_bank_base_address() const { return bank_base_address_; }

 private:
  uint32_t bank_base_address_;
  uint32_t page_size_;
};
