// Engine entry points of the data-movement API.
#pragma once

#include "tt_mock/circular_buffer.h"

#ifndef TT_MOCK_DATA_MOVEMENT
#error "the dataflow API is for reader and writer kernels; this is a compute kernel"
#endif

namespace tt_mock {

enum class Barrier : uint8_t { read, write, write_flush, atomic, full };

// Barriers of one transaction id wait for its transfers only.
constexpr uint32_t transaction_ids = 16;
constexpr uint32_t any_transaction = 0xFFFF;

struct MulticastOptions {
  uint32_t count;
  bool loopback;
  bool linked;  // keeps the path for the next one
};

struct Rectangle {
  uint32_t x_start, y_start, x_end, y_end;
};

uint64_t dram_page_address(Call call, uint32_t page, uint32_t base, uint32_t page_bytes,
                           uint32_t offset);
uint64_t dram_bank_address(Call call, uint32_t bank, uint32_t address);
uint64_t l1_page_address(Call call, uint32_t page, uint32_t base, uint32_t page_bytes,
                         uint32_t offset);
uint64_t l1_bank_address(Call call, uint32_t bank, uint32_t address);
uint64_t l1_address(Call call, uint32_t x, uint32_t y, uint32_t address);
uint64_t l1_own_address(Call call, uint32_t address);
uint64_t l1_multicast_address(Call call, Rectangle cores, uint32_t address);
bool is_own_l1(Call call, uint64_t noc_address);

void noc_read(Call call, uint64_t source, uint32_t destination, uint32_t bytes);
void noc_write(Call call, uint32_t source, uint64_t destination, uint32_t bytes,
               uint32_t transaction = 0);
void noc_multicast(Call call, uint32_t source, uint64_t destination, uint32_t bytes,
                   MulticastOptions options);
void noc_write_word(Call call, uint64_t destination, uint32_t value, uint8_t byte_enable);
void noc_barrier(Call call, Barrier kind, uint32_t transaction = any_transaction);

// Later reads carry this transaction id.
void noc_read_transaction(Call call, uint32_t transaction);
bool noc_reads_arrived(Call call, uint32_t transaction);

// The forms with state keep core, bank and size of the first call and take addresses from the
// next; bytes 0 stands for the size of the state.
void noc_read_state(Call call, uint64_t source, uint32_t bytes);
void noc_read_with_state(Call call, uint32_t source, uint32_t destination, uint32_t bytes);
void noc_write_state(Call call, uint64_t destination, uint32_t bytes);
void noc_write_with_state(Call call, uint32_t source, uint32_t destination, uint32_t bytes,
                          uint32_t transaction = 0);

uint32_t semaphore_address(Call call, uint32_t id);
void semaphore_wait(Call call, uint32_t address, uint32_t value, bool at_least);
void semaphore_set(Call call, uint32_t address, uint32_t value);
void semaphore_increment(Call call, uint64_t destination, uint32_t amount);
void semaphore_increment_multicast(Call call, uint64_t destination, uint32_t amount,
                                   uint32_t count);

}  // namespace tt_mock
