// A dataflow buffer: on these chips a circular buffer whose pages are called entries.
#pragma once

#ifndef TT_MOCK_COMPUTE
#include "api/dataflow/noc.h"
#endif
#include "api/core_local_mem.h"
#include "api/dataflow/dfb_access.h"
#include "api/dataflow/dfb_binding_token.h"
#include "tt_mock/circular_buffer.h"

namespace tt_mock {

// The pages a scoped lock covers; its pointer is that of the first.
template <typename Element>
class DfbScopedLock {
 public:
  explicit DfbScopedLock(uint32_t pointer) : pointer_(pointer) {}
  DfbScopedLock(const DfbScopedLock&) = delete;
  DfbScopedLock& operator=(const DfbScopedLock&) = delete;

  template <typename T = uint32_t>
  CoreLocalMem<std::conditional_t<std::is_const_v<Element>, const T, T>> get_ptr() const {
    return {pointer_};
  }

 private:
  uint32_t pointer_;
};

}  // namespace tt_mock

class DataflowBuffer {
 public:
  template <dfb::AccessPattern Producer, dfb::AccessPattern Consumer>
  constexpr DataflowBuffer(DFBBindingToken<Producer, Consumer> token) : id_(uint16_t(token)) {}
  constexpr DataflowBuffer(uint16_t logical_dfb_id) : id_(logical_dfb_id) {}

  constexpr uint16_t get_id() const { return id_; }

  void reserve_back(uint16_t num_entries, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_reserve({"DataflowBuffer::reserve_back", site}, id_, num_entries);
  }
  void push_back(uint16_t num_entries, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_push({"DataflowBuffer::push_back", site}, id_, num_entries);
  }
  void wait_front(uint16_t num_entries, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_wait({"DataflowBuffer::wait_front", site}, id_, num_entries);
  }
  void pop_front(uint16_t num_entries, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_pop({"DataflowBuffer::pop_front", site}, id_, num_entries);
  }
  void finish() const {}

  uint32_t get_write_ptr(tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::cb_write_pointer({"DataflowBuffer::get_write_ptr", site}, id_);
  }
  uint32_t get_read_ptr(tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::cb_read_pointer({"DataflowBuffer::get_read_ptr", site}, id_);
  }

  uint32_t get_entry_size(tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::cb_page_bytes({"DataflowBuffer::get_entry_size", site}, id_);
  }
  uint32_t get_stride_size(tt_mock::Site site = tt_mock::here()) const {
    return get_entry_size(site);
  }
  uint32_t get_total_num_entries(tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::cb_pages({"DataflowBuffer::get_total_num_entries", site}, id_);
  }
  uint32_t get_local_num_entries(tt_mock::Site site = tt_mock::here()) const {
    return get_total_num_entries(site);
  }
  uint32_t get_total_size_bytes(tt_mock::Site site = tt_mock::here()) const {
    return get_total_num_entries(site) * get_entry_size(site);
  }
  uint32_t get_local_size_bytes(tt_mock::Site site = tt_mock::here()) const {
    return get_total_size_bytes(site);
  }

  constexpr uint32_t get_tile_size(tt_mock::Site site = tt_mock::here()) const {
    return __builtin_is_constant_evaluated()
               ? tt_mock::cb_facts[id_].tile_bytes
               : tt_mock::cb_tile_bytes({"DataflowBuffer::get_tile_size", site}, id_);
  }
  constexpr DataFormat get_dataformat(tt_mock::Site site = tt_mock::here()) const {
    return __builtin_is_constant_evaluated()
               ? static_cast<DataFormat>(tt_mock::cb_facts[id_].format)
               : tt_mock::cb_format({"DataflowBuffer::get_dataformat", site}, id_);
  }
  constexpr uint32_t get_tile_r_dim() const { return tt::constants::TILE_HEIGHT; }
  constexpr uint32_t get_tile_c_dim() const { return tt::constants::TILE_WIDTH; }
  constexpr uint32_t get_tile_hw() const { return tt::constants::TILE_HW; }
  constexpr uint32_t get_tile_num_faces() const { return 4; }
  constexpr uint32_t get_face_r_dim() const { return tt::constants::FACE_HEIGHT; }
  constexpr uint32_t get_num_faces_r_dim() const { return 2; }
  constexpr uint32_t get_num_faces_c_dim() const { return 2; }
  constexpr uint32_t get_partial_face() const { return 0; }
  constexpr uint32_t get_narrow_tile() const { return 0; }

#ifdef TT_MOCK_COMPUTE
  uint32_t get_tile_address(uint32_t tile_index, tt_mock::Site site = tt_mock::here()) const {
    return get_read_ptr(site) + tile_index * get_entry_size(site);
  }
  template <typename T = uint32_t>
  T read_tile_value(uint32_t tile_index, uint32_t element_offset,
                    tt_mock::Site site = tt_mock::here()) const {
    static_assert(sizeof(T) == 4, "the mock reads words of a tile");
    return tt_mock::from_bits<T>(tt_mock::cb_tile_value(
        {"DataflowBuffer::read_tile_value", site}, id_, tile_index, element_offset));
  }
#else
  bool pages_reservable_at_back(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    return cb_pages_reservable_at_back(id_, num_pages, site);
  }
  bool pages_available_at_front(int32_t num_pages, tt_mock::Site site = tt_mock::here()) const {
    return cb_pages_available_at_front(id_, num_pages, site);
  }
  void write_barrier(const Noc& noc, tt_mock::Site site = tt_mock::here()) const {
    noc_async_write_barrier(noc.get_noc_id(), site);
  }
#endif

  void evil_set_write_ptr(uint32_t address, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_move_pointer({"DataflowBuffer::evil_set_write_ptr", site}, id_, true, address);
  }
  void evil_set_read_ptr(uint32_t address, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::cb_move_pointer({"DataflowBuffer::evil_set_read_ptr", site}, id_, false, address);
  }

  [[nodiscard]] auto scoped_write_lock(uint16_t = 1, tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::DfbScopedLock<uint8_t>(get_write_ptr(site));
  }
  [[nodiscard]] auto scoped_read_lock(uint16_t = 1, tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::DfbScopedLock<const uint8_t>(get_read_ptr(site));
  }

 private:
  uint16_t id_;
};

#ifndef TT_MOCK_COMPUTE

template <>
struct noc_traits_t<DataflowBuffer> : tt_mock::LocalEndpoint {
  static uint32_t source(const DataflowBuffer& buffer, const src_args_type& args,
                         tt_mock::Site site) {
    return buffer.get_read_ptr(site) + args.offset_bytes;
  }
  static uint32_t destination(const DataflowBuffer& buffer, const dst_args_type& args,
                              tt_mock::Site site) {
    return buffer.get_write_ptr(site) + args.offset_bytes;
  }
  static uint64_t multicast(const DataflowBuffer& buffer, const Noc& noc,
                            const dst_args_mcast_type& args, tt_mock::Site site) {
    return tt_mock::multicast_address(noc, args, buffer.get_write_ptr(site) + args.offset_bytes,
                                      site);
  }
};

#endif
