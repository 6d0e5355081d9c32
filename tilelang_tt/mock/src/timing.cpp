// The table of costs, by name.
#define TT_MOCK_COMPUTE
#include "timing.h"

#include <unordered_map>

#include "tt_mock/compute.h"

namespace tt_mock {
namespace {

constexpr const char* sfpu_names[] = {
#define TT_MOCK_NAME(name, init, store) #name,
    TT_MOCK_SFPU_OPERATIONS(TT_MOCK_NAME)
#undef TT_MOCK_NAME
};

constexpr Op data_movement_calls[] = {
    Op::arguments,  Op::cb_reserve,  Op::cb_push,  Op::cb_wait,   Op::cb_pop,        Op::cb_pointer,
    Op::noc_address, Op::noc_read, Op::noc_write, Op::noc_multicast, Op::noc_barrier, Op::semaphore,
};
// Of the other classes, the units' own costs are charged.
constexpr Op compute_calls[] = {
    Op::cb_reserve, Op::cb_push,     Op::cb_wait,   Op::cb_pop,
    Op::cb_pointer, Op::dst_section, Op::configure, Op::init,
};

class Table {
 public:
  explicit Table(const TtMockProgram& program) {
    for (uint32_t i = 0; i < program.parameter_count; ++i) {
      values_.emplace(program.parameters[i].name, program.parameters[i].value);
    }
  }

  bool has(const std::string& name) const { return values_.count(name) != 0; }

  double operator[](const std::string& name) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      missing_ = name;
      return 1;
    }
    return found->second;
  }

  const std::string& missing() const { return missing_; }

 private:
  std::unordered_map<std::string, double> values_;
  std::string missing_;
};

std::vector<uint32_t> list(Table& table, const std::string& name) {
  std::vector<uint32_t> out;
  while (table.has(name + "." + std::to_string(out.size()))) {
    out.push_back(uint32_t(table[name + "." + std::to_string(out.size())]));
  }
  return out;
}

void read_noc(Table& table, NocTiming& noc) {
  noc.width = uint32_t(table["noc.width"]);
  noc.height = uint32_t(table["noc.height"]);
  noc.columns = list(table, "noc.columns");
  noc.rows = list(table, "noc.rows");
  for (uint32_t index = 0; index < 2; ++index) {
    const std::string name = "noc.dram_ports_" + std::to_string(index);
    const std::vector<uint32_t> x = list(table, name + "_x");
    const std::vector<uint32_t> y = list(table, name + "_y");
    for (size_t bank = 0; bank < x.size() && bank < y.size(); ++bank) {
      noc.dram_ports[index].push_back({x[bank], y[bank]});
    }
  }
  noc.read_interval = table["noc.read_interval"];
  noc.write_interval = table["noc.write_interval"];
  noc.hop = table["noc.hop"];
  noc.read_base = table["noc.read_base"];
  noc.write_base = table["noc.write_base"];
  noc.read_bytes = table["noc.read_bytes"];
  noc.write_bytes = table["noc.write_bytes"];
  noc.link_bytes = table["noc.link_bytes"];
  noc.packet_bytes = table["noc.packet_bytes"];
  noc.multicast_bytes = table["noc.multicast_bytes"];
  noc.multicast_linked = table["noc.multicast_linked"];
  noc.multicast_open = table["noc.multicast_open"];
  noc.multicast_hop = table["noc.multicast_hop"];
  noc.multicast_line = table["noc.multicast_line"];
  noc.loopback_open = table["noc.loopback_open"];
  noc.loopback_hop = table["noc.loopback_hop"];
}

void read_engines(Table& table, Timing& timing) {
  timing.unpack = {table["unpack.bytes"], table["unpack.joint_bytes"],
                   table["unpack.matmul_bytes"]};
  timing.math.copy = table["math.copy"];
  timing.math.transpose = table["math.transpose"];
  timing.math.broadcast = table["math.broadcast"];
  timing.math.reduce = table["math.reduce"];
  timing.math.add = table["math.add"];
  timing.math.multiply_phase = table["math.multiply_phase"];
  timing.math.reuse = table["math.reuse"];
  timing.math.matmul_phase = table["math.matmul_phase"];
  timing.math.matmul_tile = table["math.matmul_tile"];
  timing.math.matmul_single = table["math.matmul_single"];
  timing.pack = {table["pack.tile"], table["pack.wide_tile"], table["pack.accumulate"]};
}

}  // namespace

std::string read_timing(const TtMockProgram& program, Timing& timing) {
  Table table(program);
  timing.launch = table["launch"];
  timing.startup = table["startup"];
  timing.cb_visible = table["cb_visible"];
  timing.dst_visible = table["dst_visible"];
  for (const Op op : data_movement_calls) {
    timing.data_movement[uint32_t(op)] =
        table[std::string("data_movement.") + op_names[uint32_t(op)]];
  }
  for (const Op op : compute_calls) {
    timing.compute[uint32_t(op)] = table[std::string("compute.") + op_names[uint32_t(op)]];
  }
  for (const char* name : sfpu_names) {
    timing.sfpu.push_back(table[std::string("sfpu.") + name]);
  }
  timing.dram = {table["dram.bytes"], table["dram.stream_bytes"], table["dram.efficiency"], table["dram.request"],
                 table["dram.read_extra"], table["dram.write_extra"]};
  read_noc(table, timing.noc);
  read_engines(table, timing);
  const TtMockDevice& device = program.device;
  if (timing.noc.columns.size() < device.grid_x || timing.noc.rows.size() < device.grid_y ||
      timing.noc.dram_ports[0].size() < device.dram_banks ||
      timing.noc.dram_ports[1].size() < device.dram_banks) {
    return "places of all cores and banks";
  }
  return table.missing();
}

}  // namespace tt_mock
