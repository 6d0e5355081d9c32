// An address of the core's L1 as a pointer to elements, and as an endpoint of transfers.
#pragma once

#ifndef TT_MOCK_COMPUTE
#include "api/dataflow/noc.h"
#endif
#include <type_traits>

#include "api/lock.h"
#include "tt_mock/common.h"

template <typename T, typename AddressType = uintptr_t>
class CoreLocalMem {
 public:
  using difference_type = std::ptrdiff_t;

  CoreLocalMem(AddressType address) : address_(tt_mock::l1_pointer(uint32_t(address))) {}
  CoreLocalMem(T* pointer) : address_(reinterpret_cast<AddressType>(pointer)) {}

  T* get_unsafe_ptr() const { return reinterpret_cast<T*>(address_); }
  AddressType get_address() const { return address_; }

  T& operator[](uint32_t index) const { return get_unsafe_ptr()[index]; }
  T& operator*() const { return *get_unsafe_ptr(); }
  T* operator->() const { return get_unsafe_ptr(); }

  CoreLocalMem& operator+=(difference_type count) {
    address_ += AddressType(count) * sizeof(T);
    return *this;
  }
  CoreLocalMem& operator-=(difference_type count) { return *this += -count; }
  CoreLocalMem& operator++() { return *this += 1; }
  CoreLocalMem& operator--() { return *this -= 1; }
  CoreLocalMem operator++(int) {
    const CoreLocalMem before = *this;
    ++*this;
    return before;
  }
  CoreLocalMem operator--(int) {
    const CoreLocalMem before = *this;
    --*this;
    return before;
  }
  CoreLocalMem operator+(difference_type count) const {
    return CoreLocalMem(address_ + AddressType(count) * sizeof(T));
  }
  CoreLocalMem operator-(difference_type count) const { return *this + -count; }
  difference_type operator-(const CoreLocalMem& other) const {
    return (difference_type(address_) - difference_type(other.address_)) /
           difference_type(sizeof(T));
  }

  bool operator==(const CoreLocalMem& other) const { return address_ == other.address_; }
  bool operator!=(const CoreLocalMem& other) const { return address_ != other.address_; }
  bool operator<(const CoreLocalMem& other) const { return address_ < other.address_; }
  bool operator<=(const CoreLocalMem& other) const { return address_ <= other.address_; }
  bool operator>(const CoreLocalMem& other) const { return address_ > other.address_; }
  bool operator>=(const CoreLocalMem& other) const { return address_ >= other.address_; }
  explicit operator bool() const { return address_ != 0; }

  auto scoped_lock(size_t) const {
    return Lock([] {});
  }

 private:
  AddressType address_;
};

#ifndef TT_MOCK_COMPUTE

template <typename T, typename AddressType>
struct noc_traits_t<CoreLocalMem<T, AddressType>> {
  struct src_args_type {
    AddressType offset_bytes = 0;
  };
  struct dst_args_type {
    AddressType offset_bytes = 0;
  };
  static uint32_t source(const CoreLocalMem<T, AddressType>& memory, const src_args_type& args,
                         tt_mock::Site) {
    return uint32_t(memory.get_address() + args.offset_bytes);
  }
  static uint32_t destination(const CoreLocalMem<T, AddressType>& memory,
                              const dst_args_type& args, tt_mock::Site) {
    return uint32_t(memory.get_address() + args.offset_bytes);
  }
};

#endif
