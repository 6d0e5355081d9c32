// Data-movement API: arguments, circular buffers, NoC transfers, semaphores. One function per real
// one.
#pragma once

#include "api/compile_time_args.h"
#include "api/debug/assert.h"
#include "tt_mock/dataflow.h"

constexpr uint8_t noc_index = NOC_INDEX;
constexpr uint8_t NOC_UNICAST_WRITE_VC = 1;
constexpr uint8_t NOC_MULTICAST_WRITE_VC = 4;
constexpr uint32_t NOC_MAX_TRANSACTION_ID = tt_mock::transaction_ids - 1;
constexpr uint32_t NOC_L1_READ_ALIGNMENT_BYTES = 16;
constexpr uint32_t NOC_L1_WRITE_ALIGNMENT_BYTES = 16;
constexpr uint32_t NOC_DRAM_WRITE_ALIGNMENT_BYTES = 16;
constexpr uint32_t L1_ALIGNMENT = 16;
#ifdef ARCH_BLACKHOLE
constexpr uint32_t NOC_DRAM_READ_ALIGNMENT_BYTES = 64;
#else
constexpr uint32_t NOC_DRAM_READ_ALIGNMENT_BYTES = 32;
#endif
constexpr uint32_t DRAM_ALIGNMENT = NOC_DRAM_READ_ALIGNMENT_BYTES;

// A block of zeros in every L1, to be copied from.
constexpr uint32_t MEM_ZEROS_BASE = 2048;
constexpr uint32_t MEM_ZEROS_SIZE = 512;

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

inline bool cb_pages_reservable_at_back(int32_t operand, int32_t num_pages,
                                        tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_can_reserve({"cb_pages_reservable_at_back", site}, uint32_t(operand),
                                 uint32_t(num_pages));
}

inline bool cb_pages_available_at_front(int32_t operand, int32_t num_pages,
                                        tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_has_filled({"cb_pages_available_at_front", site}, uint32_t(operand),
                                uint32_t(num_pages));
}

inline uint32_t get_write_ptr(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_write_pointer({"get_write_ptr", site}, operand);
}

inline uint32_t get_read_ptr(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_read_pointer({"get_read_ptr", site}, operand);
}

// Constant expressions where the index is one.

constexpr uint32_t get_tile_size(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return __builtin_is_constant_evaluated()
             ? tt_mock::cb_facts[operand].tile_bytes
             : tt_mock::cb_tile_bytes({"get_tile_size", site}, operand);
}

constexpr DataFormat get_dataformat(uint32_t operand, tt_mock::Site site = tt_mock::here()) {
  return __builtin_is_constant_evaluated()
             ? static_cast<DataFormat>(tt_mock::cb_facts[operand].format)
             : tt_mock::cb_format({"get_dataformat", site}, operand);
}

constexpr uint32_t get_tile_hw(uint32_t) { return tt::constants::TILE_HW; }
constexpr uint32_t get_tile_num_faces(uint32_t) { return 4; }

// NoC addresses.

inline uint64_t get_noc_addr(uint32_t noc_x, uint32_t noc_y, uint32_t addr, uint8_t = noc_index,
                             tt_mock::Site site = tt_mock::here()) {
  return tt_mock::l1_address({"get_noc_addr", site}, noc_x, noc_y, addr);
}

inline uint64_t get_noc_addr(uint32_t addr, uint8_t = noc_index,
                             tt_mock::Site site = tt_mock::here()) {
  return tt_mock::l1_own_address({"get_noc_addr", site}, addr);
}

template <typename Accessor>
auto get_noc_addr(uint32_t id, const Accessor& accessor, uint32_t offset = 0,
                  uint8_t noc = noc_index, tt_mock::Site site = tt_mock::here())
    -> decltype(accessor.get_noc_addr(id, offset, noc, site)) {
  return accessor.get_noc_addr(id, offset, noc, site);
}

template <bool DRAM>
uint64_t get_noc_addr_from_bank_id(uint32_t bank_id, uint32_t address, uint8_t = noc_index,
                                   tt_mock::Site site = tt_mock::here()) {
  const tt_mock::Call call{"get_noc_addr_from_bank_id", site};
  return DRAM ? tt_mock::dram_bank_address(call, bank_id, address)
              : tt_mock::l1_bank_address(call, bank_id, address);
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

template <bool enable_noc_tracing = true>
void noc_async_read_one_packet(uint64_t src_noc_addr, uint32_t dst_local_l1_addr, uint32_t size,
                               uint8_t = noc_index, uint32_t = 0,
                               tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read({"noc_async_read_one_packet", site}, src_noc_addr, dst_local_l1_addr, size);
}

template <bool enable_noc_tracing = true, bool posted = false>
void noc_async_write_one_packet(uint32_t src_local_l1_addr, uint64_t dst_noc_addr, uint32_t size,
                                uint8_t = noc_index, uint32_t = NOC_UNICAST_WRITE_VC,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write({"noc_async_write_one_packet", site}, src_local_l1_addr, dst_noc_addr, size);
}

// The forms with state: what the first call names stays, the next ones give addresses.

inline void noc_async_read_set_state(uint64_t src_noc_addr, uint8_t = noc_index,
                                     tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read_state({"noc_async_read_set_state", site}, src_noc_addr, 0);
}

template <bool inc_num_issued = true, bool skip_cmdbuf_chk = false>
void noc_async_read_with_state(uint32_t src_local_l1_addr, uint32_t dst_local_l1_addr,
                               uint32_t size, uint8_t = noc_index,
                               tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read_with_state({"noc_async_read_with_state", site}, src_local_l1_addr,
                               dst_local_l1_addr, size);
}

template <bool use_vc = false>
void noc_async_read_one_packet_set_state(uint64_t src_noc_addr, uint32_t size, uint32_t = 0,
                                         uint8_t = noc_index,
                                         tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read_state({"noc_async_read_one_packet_set_state", site}, src_noc_addr, size);
}

template <bool inc_num_issued = true, bool use_vc = false>
void noc_async_read_one_packet_with_state(uint32_t src_local_l1_addr, uint32_t dst_local_l1_addr,
                                          uint32_t = 0, uint8_t = noc_index,
                                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read_with_state({"noc_async_read_one_packet_with_state", site}, src_local_l1_addr,
                               dst_local_l1_addr, 0);
}

template <bool skip_ptr_update = false, bool skip_cmdbuf_chk = false>
void noc_async_read_one_packet_with_state_with_trid(uint32_t src_base_addr, uint32_t src_addr,
                                                    uint32_t dest_addr, uint32_t trid = 0,
                                                    uint8_t = noc_index,
                                                    tt_mock::Site site = tt_mock::here()) {
  const tt_mock::Call call{"noc_async_read_one_packet_with_state_with_trid", site};
  tt_mock::noc_read_transaction(call, trid);
  tt_mock::noc_read_with_state(call, src_base_addr + src_addr, dest_addr, 0);
}

template <bool posted = false>
void noc_async_write_set_state(uint64_t dst_noc_addr, uint8_t = noc_index,
                               uint8_t = NOC_UNICAST_WRITE_VC,
                               tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write_state({"noc_async_write_set_state", site}, dst_noc_addr, 0);
}

template <bool posted = false, bool update_counter = true, bool skip_cmdbuf_chk = false>
void noc_async_write_with_state(uint32_t src_local_l1_addr, uint32_t dst_local_l1_addr,
                                uint32_t size, uint8_t = noc_index,
                                tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write_with_state({"noc_async_write_with_state", site}, src_local_l1_addr,
                                dst_local_l1_addr, size);
}

template <bool posted = false>
void noc_async_write_one_packet_set_state(uint64_t dst_noc_addr, uint32_t size,
                                          uint8_t = noc_index, uint8_t = NOC_UNICAST_WRITE_VC,
                                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write_state({"noc_async_write_one_packet_set_state", site}, dst_noc_addr, size);
}

template <bool posted = false>
void noc_async_write_one_packet_with_state(uint32_t src_local_l1_addr, uint32_t dst_local_l1_addr,
                                           uint8_t = noc_index,
                                           tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write_with_state({"noc_async_write_one_packet_with_state", site},
                                src_local_l1_addr, dst_local_l1_addr, 0);
}

template <bool update_counter = true, bool posted = false>
void noc_async_write_one_packet_with_trid(uint32_t src_local_l1_addr, uint64_t dst_noc_addr,
                                          uint32_t size, uint32_t trid, uint8_t = 0,
                                          uint8_t = noc_index, uint8_t = NOC_UNICAST_WRITE_VC,
                                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write({"noc_async_write_one_packet_with_trid", site}, src_local_l1_addr,
                     dst_noc_addr, size, trid);
}

// Pages of tensors.

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

template <typename Accessor>
void noc_async_read_tile(uint32_t id, const Accessor& accessor, uint32_t dst_local_l1_addr,
                         uint32_t offset = 0, uint8_t noc = noc_index,
                         tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read({"noc_async_read_tile", site}, accessor.get_noc_addr(id, offset, noc, site),
                    dst_local_l1_addr, accessor.get_aligned_page_size());
}

template <typename Accessor>
void noc_async_write_tile(uint32_t id, const Accessor& accessor, uint32_t src_local_l1_addr,
                          uint8_t noc = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write({"noc_async_write_tile", site}, src_local_l1_addr,
                     accessor.get_noc_addr(id, 0, noc, site), accessor.get_aligned_page_size());
}

// Whole shards of sharded tensors.

template <typename Accessor>
void noc_async_read_shard(uint32_t shard_id, const Accessor& accessor, uint32_t dst_local_l1_addr,
                          uint8_t noc = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read({"noc_async_read_shard", site},
                    accessor.get_shard_noc_addr(shard_id, 0, noc, site), dst_local_l1_addr,
                    accessor.get_shard_bytes());
}

template <typename Accessor, bool posted = false>
void noc_async_write_shard(uint32_t shard_id, const Accessor& accessor, uint32_t src_local_l1_addr,
                           uint8_t noc = noc_index, tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write({"noc_async_write_shard", site}, src_local_l1_addr,
                     accessor.get_shard_noc_addr(shard_id, 0, noc, site),
                     accessor.get_shard_bytes());
}

// Multicasts.

template <bool enable_noc_tracing = true>
void noc_async_write_multicast_one_packet(uint32_t src_local_l1_addr,
                                          uint64_t dst_noc_addr_multicast, uint32_t size,
                                          uint32_t num_dests, bool linked = false,
                                          uint8_t = noc_index,
                                          tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_multicast({"noc_async_write_multicast_one_packet", site}, src_local_l1_addr,
                         dst_noc_addr_multicast, size, {num_dests, false, linked});
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

inline void noc_async_posted_writes_flushed(uint8_t = noc_index,
                                            tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_posted_writes_flushed", site}, tt_mock::Barrier::write_flush);
}

// Transaction ids: barriers for some of the transfers.

inline void noc_async_read_set_trid(uint32_t trid = 0, uint8_t = noc_index,
                                    tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_read_transaction({"noc_async_read_set_trid", site}, trid);
}

inline void noc_async_read_barrier_with_trid(uint32_t trid, uint8_t = noc_index,
                                             tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_read_barrier_with_trid", site}, tt_mock::Barrier::read, trid);
}

inline void noc_async_write_barrier_with_trid(uint32_t trid, uint8_t = noc_index,
                                              tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_write_barrier_with_trid", site}, tt_mock::Barrier::write, trid);
}

inline void noc_async_write_flushed_with_trid(uint32_t trid, uint8_t = noc_index,
                                              tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_barrier({"noc_async_write_flushed_with_trid", site}, tt_mock::Barrier::write_flush,
                       trid);
}

inline bool ncrisc_noc_read_with_transaction_id_flushed(uint32_t, uint32_t trid,
                                                        tt_mock::Site site = tt_mock::here()) {
  return tt_mock::noc_reads_arrived({"ncrisc_noc_read_with_transaction_id_flushed", site}, trid);
}

// One word, given by value.

enum class InlineWriteDst { DEFAULT, L1, REG };

template <InlineWriteDst dst_type = InlineWriteDst::DEFAULT, bool posted = false, bool flush = true>
void noc_inline_dw_write(uint64_t addr, uint32_t val, uint8_t be = 0xF, uint8_t = noc_index,
                         uint8_t = NOC_UNICAST_WRITE_VC, uint32_t = 0,
                         tt_mock::Site site = tt_mock::here()) {
  tt_mock::noc_write_word({"noc_inline_dw_write", site}, addr, val, be);
}

// Semaphores.

enum class ProgrammableCoreType { TENSIX, ACTIVE_ETH, IDLE_ETH };

template <ProgrammableCoreType core_type = ProgrammableCoreType::TENSIX>
uint32_t get_semaphore(uint32_t semaphore_id, tt_mock::Site site = tt_mock::here()) {
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

template <bool posted = false>
void noc_semaphore_inc_multicast(uint64_t addr, uint32_t incr, uint32_t num_dests,
                                 uint8_t = noc_index, uint8_t = NOC_MULTICAST_WRITE_VC,
                                 tt_mock::Site site = tt_mock::here()) {
  tt_mock::semaphore_increment_multicast({"noc_semaphore_inc_multicast", site}, addr, incr,
                                         num_dests);
}
