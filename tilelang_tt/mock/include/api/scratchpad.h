// Plain memory of a core, by name.
#pragma once

#include "api/core_local_mem.h"
#include "api/scratchpad_binding_token.h"
#include "tt_mock/circular_buffer.h"

template <typename T>
class Scratchpad {
 public:
  explicit Scratchpad(ScratchpadBindingToken token, tt_mock::Site site = tt_mock::here())
      : start_(uintptr_t{
            tt_mock::cb_base_pointer({"Scratchpad", site}, token.circular_buffer)}),
        bytes_(tt_mock::cb_page_bytes({"Scratchpad", site}, token.circular_buffer) *
               tt_mock::cb_pages({"Scratchpad", site}, token.circular_buffer)) {}

  T& operator[](uint32_t index) const { return start_[index]; }
  uint32_t size() const { return bytes_ / sizeof(T); }
  uint32_t size_in_bytes() const { return bytes_; }
  uint32_t get_base_address() const { return uint32_t(start_.get_address()); }
  CoreLocalMem<T> begin() const { return start_; }
  CoreLocalMem<T> end() const { return start_ + size(); }
  CoreLocalMem<T> local_mem() const { return start_; }
  auto scoped_lock(uint32_t offset, uint32_t count) const {
    return (start_ + offset).scoped_lock(count);
  }

 private:
  CoreLocalMem<T> start_;
  uint32_t bytes_;
};

#ifndef TT_MOCK_COMPUTE

template <typename T>
struct noc_traits_t<Scratchpad<T>> : tt_mock::LocalEndpoint {
  static uint32_t source(const Scratchpad<T>& memory, const src_args_type& args, tt_mock::Site) {
    return memory.get_base_address() + args.offset_bytes;
  }
  static uint32_t destination(const Scratchpad<T>& memory, const dst_args_type& args,
                              tt_mock::Site) {
    return memory.get_base_address() + args.offset_bytes;
  }
};

#endif
