// Engine entry points for circular buffers, shared by both kinds of kernel.
#pragma once

#include <new>

#include "tt_mock/common.h"

namespace tt_mock {

void cb_reserve(Call call, uint32_t cb, uint32_t pages);
void cb_push(Call call, uint32_t cb, uint32_t pages);
void cb_wait(Call call, uint32_t cb, uint32_t pages);
void cb_pop(Call call, uint32_t cb, uint32_t pages);

bool cb_can_reserve(Call call, uint32_t cb, uint32_t pages);
bool cb_has_filled(Call call, uint32_t cb, uint32_t pages);

// L1 addresses and sizes in bytes.
uint32_t cb_write_pointer(Call call, uint32_t cb);
uint32_t cb_read_pointer(Call call, uint32_t cb);
uint32_t cb_base_pointer(Call call, uint32_t cb);
// Puts one end of a circular buffer at the beginning of a page.
void cb_move_pointer(Call call, uint32_t cb, bool write, uint32_t address);
uint32_t cb_tile_bytes(Call call, uint32_t cb);
uint32_t cb_page_bytes(Call call, uint32_t cb);
uint32_t cb_pages(Call call, uint32_t cb);
DataFormat cb_format(Call call, uint32_t cb);

uint32_t cb_tile_value(Call call, uint32_t cb, uint32_t tile, uint32_t element);

// What the program says of each circular buffer, known when the kernel is compiled.
struct CircularBufferFacts {
  uint8_t format;
  uint16_t tile_bytes;
  bool unpack_to_dest;
};

#ifndef TT_MOCK_CB_FACTS
#define TT_MOCK_CB_FACTS {255, 0, false}
#endif
constexpr CircularBufferFacts cb_facts[] = {TT_MOCK_CB_FACTS};
constexpr size_t cb_fact_count = sizeof cb_facts / sizeof cb_facts[0];

constexpr std::array<uint8_t, cb_fact_count> cb_memory_formats() {
  std::array<uint8_t, cb_fact_count> formats{};
  for (size_t i = 0; i < cb_fact_count; ++i) {
    formats[i] = cb_facts[i].format;
  }
  return formats;
}

#ifdef DST_ACCUM_MODE
// What a format is in the registers: float32 keeps its bits only on the way past the sources.
constexpr std::array<uint8_t, cb_fact_count> cb_register_formats() {
  std::array<uint8_t, cb_fact_count> formats = cb_memory_formats();
  for (size_t i = 0; i < cb_fact_count; ++i) {
    if (formats[i] == uint8_t(DataFormat::Float32) && !cb_facts[i].unpack_to_dest) {
      formats[i] = uint8_t(DST_ACCUM_MODE ? DataFormat::Tf32 : DataFormat::Float16_b);
    }
  }
  return formats;
}
#endif

constexpr std::array<uint16_t, cb_fact_count> cb_tile_sizes() {
  std::array<uint16_t, cb_fact_count> sizes{};
  for (size_t i = 0; i < cb_fact_count; ++i) {
    sizes[i] = cb_facts[i].tile_bytes;
  }
  return sizes;
}

constexpr std::array<uint8_t, cb_fact_count> cb_constant(uint8_t value) {
  std::array<uint8_t, cb_fact_count> values{};
  for (size_t i = 0; i < cb_fact_count; ++i) {
    values[i] = value;
  }
  return values;
}

}  // namespace tt_mock

// The tables that tt-metal generates for a kernel, by circular buffer.
constexpr auto unpack_src_format = tt_mock::cb_memory_formats();
constexpr auto pack_dst_format = tt_mock::cb_memory_formats();
#ifdef DST_ACCUM_MODE
constexpr auto unpack_dst_format = tt_mock::cb_register_formats();
constexpr auto pack_src_format = tt_mock::cb_register_formats();
#endif
constexpr auto unpack_tile_size = tt_mock::cb_tile_sizes();
constexpr auto pack_tile_size = tt_mock::cb_tile_sizes();
constexpr auto unpack_tile_r_dim = tt_mock::cb_constant(32), pack_tile_r_dim = unpack_tile_r_dim;
constexpr auto unpack_tile_c_dim = tt_mock::cb_constant(32), pack_tile_c_dim = unpack_tile_c_dim;
constexpr auto unpack_tile_num_faces = tt_mock::cb_constant(4);
constexpr auto pack_tile_num_faces = unpack_tile_num_faces;
constexpr auto unpack_tile_face_r_dim = tt_mock::cb_constant(16);
constexpr auto pack_tile_face_r_dim = unpack_tile_face_r_dim;
constexpr auto unpack_partial_face = tt_mock::cb_constant(0);
constexpr auto pack_partial_face = unpack_partial_face;
constexpr auto unpack_narrow_tile = tt_mock::cb_constant(0);
constexpr auto pack_narrow_tile = unpack_narrow_tile;

namespace tt_mock {

// One end of a circular buffer in the firmware's record. Kernels may move it to another page.
class FifoPointer {
 public:
  FifoPointer(Call call, uint32_t cb, bool write, uint32_t shift)
      : call_(call), cb_(cb), write_(write), shift_(shift) {}
  operator uint32_t() const {
    return (write_ ? cb_write_pointer(call_, cb_) : cb_read_pointer(call_, cb_)) >> shift_;
  }
  FifoPointer& operator=(uint32_t address) {
    cb_move_pointer(call_, cb_, write_, address << shift_);
    return *this;
  }
  FifoPointer& operator=(const FifoPointer& other) { return *this = uint32_t(other); }
  FifoPointer(const FifoPointer&) = default;
  FifoPointer& operator+=(uint32_t units) { return *this = *this + units; }
  FifoPointer& operator-=(uint32_t units) { return *this = *this - units; }

 private:
  Call call_;
  uint32_t cb_;
  bool write_;
  uint32_t shift_;
};

}  // namespace tt_mock

// The firmware's record of a circular buffer. A compute kernel sees units of 16 bytes.
struct LocalCBInterface {
  const uint32_t fifo_size, fifo_limit, fifo_page_size, fifo_num_pages;
  tt_mock::FifoPointer fifo_rd_ptr, fifo_wr_ptr;
};

// The record is made anew at each call; its pointers always are those of the running core.
inline LocalCBInterface& get_local_cb_interface(uint32_t cb,
                                                tt_mock::Site site = tt_mock::here()) {
  constexpr uint32_t most = tt::CBIndex::SIZE;
  alignas(LocalCBInterface) static unsigned char records[most][sizeof(LocalCBInterface)];
#ifdef TT_MOCK_COMPUTE
  constexpr uint32_t shift = 4;
#else
  constexpr uint32_t shift = 0;
#endif
  const tt_mock::Call call{"get_local_cb_interface", site};
  const uint32_t page = tt_mock::cb_page_bytes(call, cb), pages = tt_mock::cb_pages(call, cb);
  const uint32_t base = tt_mock::cb_base_pointer(call, cb);
  return *new (records[cb]) LocalCBInterface{page * pages >> shift,
                                             (base + page * pages) >> shift,
                                             page >> shift,
                                             pages,
                                             {call, cb, false, shift},
                                             {call, cb, true, shift}};
}
