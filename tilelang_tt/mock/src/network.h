// The NoCs and the DRAM banks: what a transfer occupies, and when it is done.
#pragma once

#include <vector>

#include "clock.h"

namespace tt_mock {

// Something that serves one request at a time at some rate.
struct Resource {
  Cycles free = 0;
  Cycles busy = 0;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
};

// One end of a transfer: a core, or a DRAM bank where `core` is null.
struct End {
  const Core* core;
  uint32_t bank;
};

// What a transfer of so many bytes takes of each resource on its way.
struct TransferCosts {
  uint32_t bytes = 0;
  Cycles read_commands, write_commands;  // of a RISC-V
  Cycles read_port, write_port;          // of a core's port
  Cycles link;
  Cycles bank, bank_port;                // of a DRAM bank
  Cycles stream;                         // from a DRAM bank, the read alone
};

struct Network {
  std::vector<Resource> links;         // by NoC, y, x, direction (0: along x)
  std::vector<Resource> in[2], out[2];  // ports of the cores, by NoC
  std::vector<Resource> banks;
  std::vector<Resource> bank_ports[2];  // by NoC
  std::vector<uint32_t> marks;          // of links, to count each once in a multicast
  uint32_t mark = 0;
  TransferCosts costs;  // of the last transfer; most are like the one before
};

struct Arrival {
  Cycles left;      // the source may be overwritten
  Cycles arrived;   // the destination has the bytes
  Cycles done;      // the barrier of the sender may end
};

void create_network(Network& network);
const TransferCosts& transfer_costs(uint32_t bytes);

// Transfers are asked for in the order of their issue: the scheduler sees to that.
Cycles time_read(const Core& to, uint32_t noc, End from, uint32_t bytes, Cycles at);
Arrival time_write(const Core& from, uint32_t noc, End to, uint32_t bytes, Cycles at);

// One multicast of `bytes` to `cores`; `opens`: its path has to be reserved first.
class Multicast {
 public:
  Multicast(const Core& from, uint32_t noc, uint32_t bytes, Cycles at);
  void add(const Core& to);
  // After the last destination; `loopback`: the sender counts as one.
  void finish(bool opens, bool loopback);
  Cycles arrival_at(const Core& to) const;
  Arrival sender() const;

 private:
  const Core& from_;
  uint32_t noc_, bytes_, longest_ = 0;
  bool one_column_ = true, one_row_ = true;  // with the sender
  Cycles at_, sent_ = 0;
};

}  // namespace tt_mock
