"""C++ functions that generated kernels call and Metalium does not have, by name.

A function comes after those that it calls.
"""

from __future__ import annotations

HELPERS: dict[str, str] = {
    "floor_div": (
        "inline int32_t floor_div(int32_t a, int32_t b) { return a / b - (a % b < 0 ? 1 : 0); }"
    ),
    "floor_mod": (
        "inline int32_t floor_mod(int32_t a, int32_t b) { return a % b + (a % b < 0 ? b : 0); }"
    ),
    "float_bits": """\
inline uint32_t float_bits(int32_t value) {
  return __builtin_bit_cast(uint32_t, static_cast<float>(value));
}""",
    "bfloat16_bits": """\
// Of an integer that a bfloat16 holds exactly.
inline uint16_t bfloat16_bits(int32_t value) { return float_bits(value) >> 16; }""",
    "float16_bits": """\
// Of an integer that a float16 holds exactly.
inline uint16_t float16_bits(int32_t value) {
  const uint32_t bits = float_bits(value);
  const uint32_t exponent = (bits >> 23 & 0xff) - 112;
  return value == 0 ? 0 : (bits >> 16 & 0x8000) | exponent << 10 | (bits >> 13 & 0x3ff);
}""",
    "zero_page": """\
inline void zero_page(uint32_t address, uint32_t bytes) {
  auto* const words = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(address);
  for (uint32_t i = 0; i < bytes / 4; ++i) {
    words[i] = 0;
  }
}""",
    "write_affine_tile": """\
// Element (r, c) is r * per_row + c * per_column; a tile is four faces of 16x16.
template <typename Word, auto encode>
void write_affine_tile(uint32_t address, int32_t per_row, int32_t per_column) {
  auto* const words = reinterpret_cast<volatile tt_l1_ptr Word*>(address);
  for (int32_t r = 0; r < 32; ++r) {
    for (int32_t c = 0; c < 32; ++c) {
      const int32_t face = r / 16 * 2 + c / 16;
      words[face * 256 + r % 16 * 16 + c % 16] = encode(r * per_row + c * per_column);
    }
  }
}""",
    "block_after": """\
// The block after another in a circular buffer of which the first and the number are known.
inline uint32_t block_after(uint32_t block, uint32_t bytes, uint32_t first, uint32_t blocks) {
  return block + bytes == first + blocks * bytes ? first : block + bytes;
}""",
    "tensor_take": """\
// The reader takes a tensor that the writer writes, and waits until it is given back.
inline void tensor_take(uint32_t semaphore) {
  auto* const taken = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(semaphore);
  noc_semaphore_wait(taken, 0);
  noc_semaphore_set(taken, 1);
}""",
    "tensor_give": """\
// The writer gives a tensor back once all that it wrote has arrived.
inline void tensor_give(uint32_t semaphore) {
  noc_async_write_barrier();
  noc_semaphore_set(reinterpret_cast<volatile tt_l1_ptr uint32_t*>(semaphore), 0);
}""",
    "read_scalar": """\
// The page of a tensor that was read last, of numbers that steer the kernel.
struct HeldPage {
  uint32_t address;
  uint32_t page = ~0u;
};

// An element in units of `by`, of which it is a multiple.
template <typename Word, typename Tensor>
int32_t read_scalar(
    HeldPage& held, const Tensor& tensor, uint32_t page, uint32_t element, int32_t by) {
  if (held.page != page) {
    noc_async_read_page(page, tensor, held.address);
    noc_async_read_barrier();
    held.page = page;
  }
  const int32_t value = reinterpret_cast<volatile tt_l1_ptr Word*>(held.address)[element];
  ASSERT(value % by == 0, DebugAssertTripped);
  return value / by;
}""",
    "give_scalar": """\
// Hands a number to the compute engine, in a page of its own.
inline void give_scalar(uint32_t cb, int32_t value) {
  cb_reserve_back(cb, 1);
  *reinterpret_cast<volatile tt_l1_ptr int32_t*>(get_write_ptr(cb)) = value;
  cb_push_back(cb, 1);
}""",
    "take_scalar": """\
// The next number from the reader.
inline int32_t take_scalar(uint32_t cb) {
  cb_wait_front(cb, 1);
  const int32_t value = read_tile_value(cb, 0, 0);
  cb_pop_front(cb, 1);
  return value;
}""",
    "multicast": """\
// Cores that take the same pages: the sender reads them for all. A receiver may offer room for a
// block before the one before it has come; so blocks have two semaphores in turn, and offers for
// one are never taken for offers for the next.
struct MulticastGroup {
  uint32_t room[2];  // semaphores of the sender: how many receivers have room
  uint32_t arrival;  // semaphore of a receiver: how many blocks have come
  uint32_t receivers;
  uint32_t sender_x, sender_y;
  uint32_t x_start, y_start, x_end, y_end;
  uint32_t offered;  // blocks, so far
  uint32_t passed;
};

inline MulticastGroup multicast_group(uint32_t even, uint32_t odd, uint32_t arrival, uint32_t arg) {
  return {{get_semaphore(even), get_semaphore(odd)},
          get_semaphore(arrival),
          get_arg_val<uint32_t>(arg),
          get_arg_val<uint32_t>(arg + 1),
          get_arg_val<uint32_t>(arg + 2),
          get_arg_val<uint32_t>(arg + 3),
          get_arg_val<uint32_t>(arg + 4),
          get_arg_val<uint32_t>(arg + 5),
          get_arg_val<uint32_t>(arg + 6),
          0,
          0};
}

inline void multicast_send(MulticastGroup& group, uint32_t address, uint32_t bytes) {
  if (group.receivers == 0) {
    return;
  }
  auto* const room =
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(group.room[group.passed % 2]);
  auto* const arrival = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(group.arrival);
  noc_semaphore_wait(room, group.receivers);
  noc_semaphore_set(room, 0);
  ++group.passed;
  noc_async_writes_flushed();  // the number of the block before has left
  noc_semaphore_set(arrival, group.passed);
  const auto there = [&](uint32_t at) {
    return get_noc_multicast_addr(group.x_start, group.y_start, group.x_end, group.y_end, at);
  };
  // Linked, the pages and the number take the same way, so the number comes last.
  noc_async_write_multicast(address, there(address), bytes, group.receivers, true);
  noc_semaphore_set_multicast(group.arrival, there(group.arrival), group.receivers);
}

// Tells the sender that there is room for one more block.
inline void multicast_offer(MulticastGroup& group) {
  const uint32_t room = group.room[group.offered % 2];
  noc_semaphore_inc(get_noc_addr(group.sender_x, group.sender_y, room), 1);
  ++group.offered;
}

inline void multicast_await(MulticastGroup& group) {
  ++group.passed;
  noc_semaphore_wait_min(
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(group.arrival), group.passed);
}

inline void multicast_receive(MulticastGroup& group) {
  multicast_offer(group);
  multicast_await(group);
}""",
    "peers": """\
// Cores of a team that pages come from or go to, one or several.
struct Peers {
  uint32_t room;     // semaphore of the sender: how many receivers have room
  uint32_t arrival;  // semaphore of a receiver: whether the pages are there
  uint32_t arg;      // the coordinates of the first

  uint64_t at(uint32_t peer, uint32_t address) const {
    const uint32_t place = arg + 2 * peer;
    return get_noc_addr(get_arg_val<uint32_t>(place), get_arg_val<uint32_t>(place + 1), address);
  }
};

inline void part_receive(const Peers& peers, uint32_t peer) {
  auto* const arrival = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(peers.arrival);
  noc_semaphore_set(arrival, 0);
  noc_semaphore_inc(peers.at(peer, peers.room), 1);
  noc_semaphore_wait(arrival, 1);
}

// The buffer there is one block deep: it is at the same address on every core.
inline void part_send(const Peers& peers, uint32_t peer, uint32_t receivers, uint32_t from,
                      uint32_t there, uint32_t bytes) {
  auto* const room = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(peers.room);
  if (peer == 0) {
    noc_semaphore_wait(room, receivers);
    noc_semaphore_set(room, 0);
  }
  noc_async_write(from, peers.at(peer, there), bytes);
  noc_async_write_barrier();
  noc_semaphore_inc(peers.at(peer, peers.arrival), 1);
}""",
}
