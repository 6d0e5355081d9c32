// What things cost, in cycles. The numbers come from the host by name: see data/timing_*.toml.
#pragma once

#include <string>
#include <vector>

#include "op.h"
#include "program.h"

namespace tt_mock {

struct Place {
  uint32_t x, y;
};

// A torus of routers, and where the cores and the DRAM banks sit on it.
struct NocTiming {
  uint32_t width, height;
  std::vector<uint32_t> columns, rows;     // of the cores, by logical coordinate
  std::vector<Place> dram_ports[2];        // by NoC and bank
  Cycles read_interval, write_interval;    // between two packets' commands
  Cycles hop;                              // from one router to the next
  Cycles read_base, write_base;            // a round trip without its hops
  double read_bytes, write_bytes;          // per cycle, at a core's port
  double link_bytes;                       // per cycle, of one link
  double packet_bytes;                     // the longest packet
  double multicast_bytes;                  // per cycle
  Cycles multicast_linked;                 // of a packet on a path that was kept
  Cycles multicast_open, multicast_hop;    // of reserving a path, and per router of the longest
  Cycles multicast_line;                   // more where that path is one line
  Cycles loopback_open, loopback_hop;      // the same, where the sender is a destination
};

struct DramTiming {
  double bytes;                    // per cycle, of one bank
  double stream_bytes;             // per cycle, of one read alone
  double efficiency;               // what refreshes and turn-arounds leave of it
  Cycles request;                  // between two requests at a bank's port
  Cycles read_extra, write_extra;  // latency on top of a transfer between cores
};

struct UnpackTiming {
  double bytes;         // per cycle, one operand
  double joint_bytes;   // per cycle, two operands at the same time
  double matmul_bytes;  // per cycle, the operands of a block product, one after the other
};

struct MathTiming {
  Cycles copy, transpose, broadcast, reduce;
  Cycles add;                        // and subtract
  Cycles multiply_phase;             // of an element-wise product
  Cycles reuse;                      // of moving a register back into a source first
  Cycles matmul_phase, matmul_tile;  // of a tile product: per phase, and once
  Cycles matmul_single;              // once more where a call makes one product
};

struct PackTiming {
  Cycles tile, wide_tile;  // of up to 16 bits an element, of 32
  double accumulate;       // factor of adding to what L1 holds
};

struct Timing {
  Cycles launch;                   // from the command to the first instruction of a kernel
  Cycles data_movement[op_count] = {};  // of a RISC-V that moves data, per call
  Cycles compute[op_count] = {};        // of the compute thread concerned, per call
  Cycles startup;                  // of the first configuration of a compute kernel
  Cycles cb_visible;               // from a push or pop to the other side
  Cycles dst_visible;              // from a commit or release to the other side
  std::vector<Cycles> sfpu;        // per tile, by operation
  NocTiming noc;
  DramTiming dram;
  UnpackTiming unpack;
  MathTiming math;
  PackTiming pack;
};

// Fills `timing` from the program's table; the answer names what is missing, and is empty if
// nothing is.
std::string read_timing(const TtMockProgram& program, Timing& timing);

}  // namespace tt_mock
