// The flat C ABI: what the host passes in. Mirrored field by field in executable.py.
#pragma once

#include <cstdint>

extern "C" {

struct TtMockDevice {
  uint32_t grid_x, grid_y;
  uint32_t l1_bytes, cb_base, cb_count;
  uint32_t dram_banks, dram_read_alignment;
  uint32_t dst_tiles;  // of one section
  uint32_t dst_sections;
  uint32_t fp32_dest;
  uint32_t fidelity;  // phases of a multiplication, 1 (LoFi) to 4
  uint32_t ieee;      // registers hold float32, products see all bits
};

struct TtMockCircularBuffer {
  const char* name;
  uint32_t index, format, page_bytes, pages, unpack_to_dest_fp32;
  uint32_t offset;       // of the first page in L1
  uint32_t is_tensor;    // the pages are those of a tensor in L1, so none has to be popped
  const uint8_t* cores;  // one byte for each core of the grid, 0 where the core does not have it
};

// Where one page of a tensor is in L1.
struct TtMockPlace {
  uint32_t core;    // row-major over the grid
  uint32_t offset;  // from the tensor's address
};

// A tensor as the host's matrices of elements, whose tiles are the pages.
struct TtMockMatrices {
  const uint64_t* offsets;  // of each matrix, in bytes from the first
  int64_t row_bytes;        // from one row to the next; the elements of a row lie side by side
  uint32_t row_tiles, column_tiles, element_bytes;
};

struct TtMockBuffer {
  const char* name;
  uint8_t* data;
  uint64_t bytes;
  uint32_t page_bytes, address;
  uint32_t contents;  // 0: of the host; 1: a result, all of which kernels write; 2: scratch; 3: an input, not written
  const TtMockPlace* places;  // of each page in L1; null: the pages are interleaved over DRAM banks
  uint32_t l1_bytes;          // that the tensor takes on each core, 0 in DRAM
  const TtMockMatrices* matrices;  // null: `data` has the pages in order
};

struct TtMockKernel {
  const char* name;
  void (*entry)();
  uint32_t role;
  uint32_t core_count;
  const uint32_t* cores;        // x, y pairs
  const uint32_t* args;         // of all cores, concatenated
  const uint32_t* arg_offsets;  // core_count + 1
  const uint32_t* common_args;
  uint32_t common_arg_count;
};

// One entry of the table of costs, see timing.h.
struct TtMockParameter {
  const char* name;
  double value;
};

struct TtMockProgram {
  TtMockDevice device;
  const TtMockKernel* kernels;
  const TtMockCircularBuffer* circular_buffers;
  const TtMockBuffer* buffers;
  const uint32_t* semaphores;
  const TtMockParameter* parameters;
  uint32_t kernel_count, circular_buffer_count, buffer_count, semaphore_count;
  uint32_t parameter_count;
  uint32_t record;  // whether the answer lists intervals
};

// Runs to the end or to the first error. The answer is a JSON document, valid until the next call.
const char* tt_mock_run(const TtMockProgram* program);

// What each core and each link did when in the last run, as another document, valid as long.
const char* tt_mock_times();
}
