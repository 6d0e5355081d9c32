// The part of an L1 tensor that the running core holds.
#pragma once

#include "api/core_local_mem.h"
#include "api/tensor/tensor_binding_token.h"

template <typename T>
class LocalTensorAccessor {
 public:
  template <uint32_t CTA_OFFSET, uint32_t ADDR_CRTA_OFFSET>
  explicit LocalTensorAccessor(tensor_accessor::TensorBindingToken<CTA_OFFSET, ADDR_CRTA_OFFSET>)
      : LocalTensorAccessor(get_common_arg_val<uint32_t>(ADDR_CRTA_OFFSET / 4)) {
    static_assert(
        !tensor_accessor::TensorBindingToken<CTA_OFFSET, ADDR_CRTA_OFFSET>::args_t::is_dram,
        "a tensor in DRAM has no part on the core");
  }
  explicit LocalTensorAccessor(uint32_t bank_base_address)
      : memory_(uintptr_t{bank_base_address}) {}

  T& operator[](uint32_t index) const { return memory_[index]; }
  uint32_t get_bank_base_address() const { return uint32_t(memory_.get_address()); }
  CoreLocalMem<T> local_mem() const { return memory_; }
  auto scoped_lock(uint32_t offset, uint32_t count) const {
    return (memory_ + offset).scoped_lock(count);
  }

 private:
  CoreLocalMem<T> memory_;
};

#ifndef TT_MOCK_COMPUTE

template <typename T>
struct noc_traits_t<LocalTensorAccessor<T>> : tt_mock::LocalEndpoint {
  static uint32_t source(const LocalTensorAccessor<T>& tensor, const src_args_type& args,
                         tt_mock::Site) {
    return tensor.get_bank_base_address() + args.offset_bytes;
  }
  static uint32_t destination(const LocalTensorAccessor<T>& tensor, const dst_args_type& args,
                              tt_mock::Site) {
    return tensor.get_bank_base_address() + args.offset_bytes;
  }
};

#endif
