// Data-movement API: arguments, circular buffers, NoC transfers, semaphores. One function per real
// one.
#pragma once

#include "api/compile_time_args.h"
#include "api/debug/assert.h"
#include "tt_mock/dataflow.h"

constexpr uint8_t noc_index = NOC_INDEX;
constexpr uint8_t NOC_UNICAST_WRITE_VC = 1;
#ifdef ARCH_BLACKHOLE
constexpr uint32_t NOC_MAX_BURST_SIZE = 16384;
#else
constexpr uint32_t NOC_MAX_BURST_SIZE = 8192;
#endif

#include "api/tensor/tensor_accessor.h"

namespace tt_mock {

// my_x[noc] and my_y[noc] are arrays in the firmware; NoC and logical coordinates coincide here.
struct OwnX {
  uint32_t operator[](uint32_t) const { return core_x(false); }
};
struct OwnY {
  uint32_t operator[](uint32_t) const { return core_y(false); }
};

inline uint32_t pointer_address(const volatile uint32_t* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}

}  // namespace tt_mock

constexpr tt_mock::OwnX my_x;
constexpr tt_mock::OwnY my_y;

// Circular buffers.

inline void cb_reserve_back(int32_t operand, int32_t num_pages,
                            tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_reserve({"cb_reserve_back", site}, uint32_t(operand), uint32_t(num_pages));
}

inline void cb_push_back(int32_t operand, int32_t num_pages, tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_push({"cb_push_back", site}, uint32_t(operand), uint32_t(num_pages));
}

inline void cb_wait_front(int32_t operand, int32_t num_pages,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_wait({"cb_wait_front", site}, uint32_t(operand), uint32_t(num_pages));
}

inline void cb_pop_front(int32_t operand, int32_t num_pages, tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_pop({"cb_pop_front", site}, uint32_t(operand), uint32_t(num_pages));
}

inline uint32_t get_write_ptr(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_write_pointer({"get_write_ptr", site}, operand);
}

inline uint32_t get_read_ptr(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_read_pointer({"get_read_ptr", site}, operand);
}

inline uint32_t get_tile_size(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_tile_bytes({"get_tile_size", site}, operand);
}

inline DataFormat get_dataformat(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_format({"get_dataformat", site}, operand);
}

// NoC addresses.

inline uint64_t get_noc_addr(uint32_t noc_x, uint32_t noc_y, uint32_t addr, uint8_t = noc_index,
                             tt_mock::Site site = tt_mock::here()) {
  return tt_mock::l1_address({"get_noc_addr", site}, noc_x, noc_y, addr);
}

inline uint64_t get_noc_addr(uint32_t addr, uint8_t = noc_index,
                             tt_mock::Site site = tt_mock::here()) {
  return tt_mock::l1_own_address({"get_noc_addr", site}, addr);
}

inline uint64_t get_noc_addr(uint32_t id, const TensorAccessor& accessor, uint32_t offset = 0,
                             uint8_t noc = noc_index, tt_mock::Site site = tt_mock::here()) {
  return accessor.get_noc_addr(id, offset, noc, site);
}

template <bool DRAM>
uint64_t get_noc_addr_from_bank_id(uint32_t bank_id, uint32_t address, uint8_t = noc_index,
                                   tt_mock::Site site = tt_mock::here()) {
  static_assert(DRAM, "the mock has no L1 banks yet");
  return tt_mock::dram_bank_address({"get_noc_addr_from_bank_id", site}, bank_id, address);
}

inline uint64_t get_noc_multicast_addr(uint32_t x_start, uint32_t y_start, uint32_t x_end,
                                       uint32_t y_end, uint32_t addr, uint8_t = noc_index,
                                       tt_mock::Site site = tt_mock::here()) {
  return tt_mock::l1_multicast_address({"get_noc_multicast_addr", site},
                                       {x_start, y_start, x_end, y_end}, addr);
}

// NoC transfers.

template <uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, bool enable_noc_tracing = true>
void noc_async_read(uint64_t src_noc_addr, uint32_t dst_local_l1_addr, uint32_t size,
                    uint8_t = noc_index, uint32_t = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read({"noc_async_read", site}, src_noc_addr, dst_local_l1_addr, size);
}

template <uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, bool enable_noc_tracing = true,
          bool posted = false>
void noc_async_write(uint32_t src_local_l1_addr, uint64_t dst_noc_addr, uint32_t size,
                     uint8_t = noc_index, uint32_t = NOC_UNICAST_WRITE_VC,
                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write({"noc_async_write", site}, src_local_l1_addr, dst_noc_addr, size);
}

template <typename Accessor, bool enable_noc_tracing = true>
void noc_async_read_page(uint32_t id, const Accessor& accessor, uint32_t dst_local_l1_addr,
                         uint32_t offset = 0, uint8_t noc = noc_index,
                         tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read({"noc_async_read_page", site}, accessor.get_noc_addr(id, offset, noc, site),
                    dst_local_l1_addr, accessor.get_aligned_page_size());
}

template <typename Accessor, bool enable_noc_tracing = true, bool posted = false>
void noc_async_write_page(uint32_t id, const Accessor& accessor, uint32_t src_local_l1_addr,
                          uint32_t size = 0, uint32_t offset = 0, uint8_t noc = noc_index,
                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write({"noc_async_write_page", site}, src_local_l1_addr,
                     accessor.get_noc_addr(id, offset, noc, site),
                     size != 0 ? size : accessor.get_aligned_page_size());
}

template <uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1>
void noc_async_write_multicast(uint32_t src_local_l1_addr, uint64_t dst_noc_addr_multicast,
                               uint32_t size, uint32_t num_dests, bool linked = false,
                               uint8_t = noc_index, uint8_t = 0, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_multicast({"noc_async_write_multicast", site}, src_local_l1_addr,
                         dst_noc_addr_multicast, size, {num_dests, false, linked});
}

inline void noc_async_write_multicast_loopback_src(uint32_t src_local_l1_addr,
                                                   uint64_t dst_noc_addr_multicast, uint32_t size,
                                                   uint32_t num_dests, bool linked = false,
                                                   uint8_t = noc_index,
                                                   tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_multicast({"noc_async_write_multicast_loopback_src", site}, src_local_l1_addr,
                         dst_noc_addr_multicast, size, {num_dests, true, linked});
}

inline void noc_async_read_barrier(uint8_t = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_read_barrier", site}, tt_mock::Barrier::read);
}

inline void noc_async_write_barrier(uint8_t = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_write_barrier", site}, tt_mock::Barrier::write);
}

inline void noc_async_writes_flushed(uint8_t = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_writes_flushed", site}, tt_mock::Barrier::write_flush);
}

inline void noc_async_atomic_barrier(uint8_t = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_atomic_barrier", site}, tt_mock::Barrier::atomic);
}

inline void noc_async_full_barrier(uint8_t = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_full_barrier", site}, tt_mock::Barrier::full);
}

// Semaphores.

inline uint32_t get_semaphore(uint32_t semaphore_id, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::semaphore_address({"get_semaphore", site}, semaphore_id);
}

inline void noc_semaphore_wait(volatile tt_l1_ptr uint32_t* sem_addr, uint32_t val,
                               tt_mock::Site site = tt_mock::here()) {
  tt_mock::semaphore_wait({"noc_semaphore_wait", site}, tt_mock::pointer_address(sem_addr), val,
                          false);
}

inline void noc_semaphore_wait_min(volatile tt_l1_ptr uint32_t* sem_addr, uint32_t val,
                                   tt_mock::Site site = tt_mock::here()) {
  tt_mock::semaphore_wait({"noc_semaphore_wait_min", site}, tt_mock::pointer_address(sem_addr), val,
                          true);
}

inline void noc_semaphore_set(volatile tt_l1_ptr uint32_t* sem_addr, uint32_t val,
                              tt_mock::Site site = tt_mock::here()) {
  tt_mock::semaphore_set({"noc_semaphore_set", site}, tt_mock::pointer_address(sem_addr), val);
}

template <bool posted = false>
void noc_semaphore_inc(uint64_t addr, uint32_t incr, uint8_t = noc_index,
                       uint8_t = NOC_UNICAST_WRITE_VC, tt_mock::Site site = tt_mock::here()) {
  tt_mock::semaphore_increment({"noc_semaphore_inc", site}, addr, incr);
}

inline void noc_semaphore_set_remote(uint32_t src_local_l1_addr, uint64_t dst_noc_addr,
                                     uint8_t = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write({"noc_semaphore_set_remote", site}, src_local_l1_addr, dst_noc_addr, 4);
}

inline void noc_semaphore_set_multicast(uint32_t src_local_l1_addr, uint64_t dst_noc_addr_multicast,
                                        uint32_t num_dests, bool linked = false, uint8_t = noc_index,
                                        tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_multicast({"noc_semaphore_set_multicast", site}, src_local_l1_addr,
                         dst_noc_addr_multicast, 4, {num_dests, false, linked});
}

inline void noc_semaphore_set_multicast_loopback_src(uint32_t src_local_l1_addr,
                                                     uint64_t dst_noc_addr_multicast,
                                                     uint32_t num_dests, bool linked = false,
                                                     uint8_t = noc_index,
                                                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_multicast({"noc_semaphore_set_multicast_loopback_src", site}, src_local_l1_addr,
                         dst_noc_addr_multicast, 4, {num_dests, true, linked});
}
