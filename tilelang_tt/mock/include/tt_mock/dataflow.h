// Engine entry points of the data-movement API.
#pragma once

#include "tt_mock/circular_buffer.h"

#ifndef TT_MOCK_DATA_MOVEMENT
#error "the dataflow API is for reader and writer kernels; this is a compute kernel"
#endif

namespace tt_mock {

enum class Barrier : uint8_t { read, write, write_flush, atomic, full };

struct MulticastOptions {
  uint32_t count;
  bool loopback;
  bool linked;  // keeps the path for the next one
};

struct Rectangle {
  uint32_t x_start, y_start, x_end, y_end;
};

uint32_t cb_write_pointer(Call call, uint32_t cb);
uint32_t cb_read_pointer(Call call, uint32_t cb);
uint32_t cb_tile_bytes(Call call, uint32_t cb);
uint32_t cb_page_bytes(Call call, uint32_t cb);
DataFormat cb_format(Call call, uint32_t cb);

uint64_t dram_page_address(Call call, uint32_t page, uint32_t base, uint32_t page_bytes,
                           uint32_t offset);
uint64_t dram_bank_address(Call call, uint32_t bank, uint32_t address);
uint64_t l1_address(Call call, uint32_t x, uint32_t y, uint32_t address);
uint64_t l1_own_address(Call call, uint32_t address);
uint64_t l1_multicast_address(Call call, Rectangle cores, uint32_t address);

void noc_read(Call call, uint64_t source, uint32_t destination, uint32_t bytes);
void noc_write(Call call, uint32_t source, uint64_t destination, uint32_t bytes);
void noc_multicast(Call call, uint32_t source, uint64_t destination, uint32_t bytes,
                   MulticastOptions options);
void noc_barrier(Call call, Barrier kind);

uint32_t semaphore_address(Call call, uint32_t id);
void semaphore_wait(Call call, uint32_t address, uint32_t value, bool at_least);
void semaphore_set(Call call, uint32_t address, uint32_t value);
void semaphore_increment(Call call, uint64_t destination, uint32_t amount);

}  // namespace tt_mock
