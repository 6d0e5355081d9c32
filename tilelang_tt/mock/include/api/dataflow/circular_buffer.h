// A circular buffer as an object, in both kinds of kernel.
#pragma once

#ifndef TT_MOCK_COMPUTE
#include "api/dataflow/noc.h"
#endif
#include "api/lock.h"
#include "tt_mock/circular_buffer.h"

class CircularBuffer {
 public:
  enum class AddrSelector { WRITE_PTR, READ_PTR };

  explicit constexpr CircularBuffer(uint32_t cb_id) : cb_id_(cb_id) {}

  constexpr uint32_t get_cb_id() const { return cb_id_; }

  void reserve_back(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_reserve({"CircularBuffer::reserve_back", site}, cb_id_, uint32_t(num_pages));
  }
  void push_back(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_push({"CircularBuffer::push_back", site}, cb_id_, uint32_t(num_pages));
  }
  void wait_front(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_wait({"CircularBuffer::wait_front", site}, cb_id_, uint32_t(num_pages));
  }
  void pop_front(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_pop({"CircularBuffer::pop_front", site}, cb_id_, uint32_t(num_pages));
  }

  uint32_t get_write_ptr(tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::cb_write_pointer({"CircularBuffer::get_write_ptr", site}, cb_id_);
  }
  uint32_t get_read_ptr(tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::cb_read_pointer({"CircularBuffer::get_read_ptr", site}, cb_id_);
  }

#ifdef TT_MOCK_COMPUTE
  uint32_t get_tile_address(uint32_t tile_index, tt_mock::Site site = tt_mock::here()) const {
    const tt_mock::Call call{"CircularBuffer::get_tile_address", site};
    return tt_mock::cb_read_pointer(call, cb_id_) +
           tile_index * tt_mock::cb_page_bytes(call, cb_id_);
  }
  uint32_t read_tile_value(uint32_t tile_index, uint32_t element_offset,
                           tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::cb_tile_value({"CircularBuffer::read_tile_value", site}, cb_id_, tile_index,
                                  element_offset);
  }
#else
  constexpr uint32_t get_tile_size(tt_mock::Site site = tt_mock::here()) const {
    return ::get_tile_size(cb_id_, site);
  }
  constexpr uint32_t get_tile_hw() const { return ::get_tile_hw(cb_id_); }
  constexpr DataFormat get_dataformat(tt_mock::Site site = tt_mock::here()) const {
    return ::get_dataformat(cb_id_, site);
  }
  bool pages_reservable_at_back(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    return cb_pages_reservable_at_back(int32_t(cb_id_), num_pages, site);
  }
  bool pages_available_at_front(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    return cb_pages_available_at_front(int32_t(cb_id_), num_pages, site);
  }
#endif

  auto scoped_lock() const {
    return Lock([] {});
  }

 private:
  uint32_t cb_id_;
};

#ifndef TT_MOCK_COMPUTE

// use<...READ_PTR>(cb): the other end than the one a transfer takes by itself.
template <CircularBuffer::AddrSelector Selector>
struct CircularBufferView {
  const CircularBuffer& cb;
};

template <CircularBuffer::AddrSelector Selector>
constexpr CircularBufferView<Selector> use(const CircularBuffer& cb) {
  return {cb};
}

template <>
struct noc_traits_t<CircularBuffer> : tt_mock::LocalEndpoint {
  static uint32_t source(const CircularBuffer& cb, const src_args_type& args, tt_mock::Site site) {
    return cb.get_read_ptr(site) + args.offset_bytes;
  }
  static uint32_t destination(const CircularBuffer& cb, const dst_args_type& args,
                              tt_mock::Site site) {
    return cb.get_write_ptr(site) + args.offset_bytes;
  }
  static uint64_t multicast(const CircularBuffer& cb, const Noc& noc,
                            const dst_args_mcast_type& args, tt_mock::Site site) {
    return tt_mock::multicast_address(noc, args, cb.get_write_ptr(site) + args.offset_bytes, site);
  }
};

template <CircularBuffer::AddrSelector Selector>
struct noc_traits_t<CircularBufferView<Selector>> : tt_mock::LocalEndpoint {
  static uint32_t source(const CircularBufferView<Selector>& view, const src_args_type& args,
                         tt_mock::Site site) {
    return pointer(view, site) + args.offset_bytes;
  }
  static uint32_t destination(const CircularBufferView<Selector>& view, const dst_args_type& args,
                              tt_mock::Site site) {
    return pointer(view, site) + args.offset_bytes;
  }
  static uint64_t multicast(const CircularBufferView<Selector>& view, const Noc& noc,
                            const dst_args_mcast_type& args, tt_mock::Site site) {
    return tt_mock::multicast_address(noc, args, pointer(view, site) + args.offset_bytes, site);
  }

 private:
  static uint32_t pointer(const CircularBufferView<Selector>& view, tt_mock::Site site) {
    return Selector == CircularBuffer::AddrSelector::READ_PTR ? view.cb.get_read_ptr(site)
                                                              : view.cb.get_write_ptr(site);
  }
};

#endif
