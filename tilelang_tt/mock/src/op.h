// The classes of work that are counted and that the clock charges.
#pragma once

#include <cstdint>

namespace tt_mock {

using Cycles = double;

enum class Op : uint8_t {
  arguments,
  cb_reserve,
  cb_push,
  cb_wait,
  cb_pop,
  cb_pointer,
  noc_address,
  noc_read,
  noc_write,
  noc_multicast,
  noc_barrier,
  semaphore,
  configure,
  dst_section,
  init,
  copy,
  transpose,
  broadcast,
  binary,
  matmul,
  reduce,
  sfpu,
  pack,
  count,
};
constexpr uint32_t op_count = static_cast<uint32_t>(Op::count);
constexpr const char* op_names[op_count] = {
    "arguments",   "cb_reserve",  "cb_push",   "cb_wait",       "cb_pop",      "cb_pointer",
    "noc_address", "noc_read",    "noc_write", "noc_multicast", "noc_barrier", "semaphore",
    "configure",   "dst_section", "init",      "copy",          "transpose",   "broadcast",
    "binary",      "matmul",      "reduce",    "sfpu",          "pack",
};

}  // namespace tt_mock
