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
};

struct TtMockCircularBuffer {
  const char* name;
  uint32_t index, format, page_bytes, pages, unpack_to_dest_fp32;
};

struct TtMockBuffer {
  const char* name;
  uint8_t* data;
  uint64_t bytes;
  uint32_t page_bytes, address;
  uint32_t contents;  // 0: of the host; 1: a result, all of which kernels write; 2: scratch
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
}
