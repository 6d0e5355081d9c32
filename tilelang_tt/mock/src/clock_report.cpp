// The times of a run as JSON: rows of numbers, whose meaning report.py knows.
#include <algorithm>
#include <cmath>

#include "clock.h"
#include "engine.h"
#include "json.h"

namespace tt_mock {
namespace {

// Hundredths of a cycle are enough, and integers print fast.
std::string cycles(Cycles value) {
  const auto hundredths = static_cast<uint64_t>(std::llround(value * 100));
  const uint64_t rest = hundredths % 100;
  return std::to_string(hundredths / 100) + (rest < 10 ? ".0" : ".") + std::to_string(rest);
}

constexpr const char* engine_names[engine_count] = {"reader", "writer", "unpack", "math", "pack"};

bool exists(const Core& core, Engine engine) {
  const Role role = engine <= Engine::writer ? static_cast<Role>(engine) : Role::compute;
  return core.threads[uint32_t(role)].kernel != nullptr;
}

std::string engine_row(const Timeline& line) {
  std::vector<std::string> row = {cycles(line.now), cycles(line.busy)};
  for (const Cycles stall : line.stalls) {
    row.push_back(cycles(stall));
  }
  return array(row);
}

std::string core_json(const Core& core) {
  std::vector<std::string> engines, buffers;
  for (uint32_t i = 0; i < engine_count; ++i) {
    if (exists(core, static_cast<Engine>(i))) {
      engines.push_back(field(engine_names[i], engine_row(core.clock.engines[i])));
    }
  }
  for (const CircularBuffer* cb : core.cb_by_offset) {
    buffers.push_back(array(
        {quoted(cb->config->name), cycles(cb->producer_wait), cycles(cb->consumer_wait)}));
  }
  return object({field("x", number(core.x)), field("y", number(core.y)),
                 field("engines", object(engines)), field("circular_buffers", array(buffers))});
}

std::string resource_row(std::vector<std::string> place, const Resource& resource) {
  place.push_back(number(resource.read_bytes));
  place.push_back(number(resource.written_bytes));
  place.push_back(cycles(resource.busy));
  return array(place);
}

std::vector<std::string> link_rows() {
  const NocTiming& noc = run->timing.noc;
  const std::vector<Resource>& links = run->network.links;
  std::vector<std::string> rows;
  for (size_t i = 0; i < links.size(); ++i) {
    if (links[i].busy > 0) {
      const size_t router = i / 2;
      rows.push_back(resource_row(
          {number(router / (size_t{noc.width} * noc.height)), number(router % noc.width),
           number(router / noc.width % noc.height), number(i % 2)},
          links[i]));
    }
  }
  return rows;
}

void add_intervals(const Core& core, std::vector<std::string>& rows) {
  for (uint32_t i = 0; i < engine_count; ++i) {
    for (const Interval& each : core.clock.engines[i].intervals) {
      rows.push_back(array({number(core.x), number(core.y), quoted(engine_names[i]),
                            quoted(each.name), each.is_wait ? "true" : "false", cycles(each.begin),
                            cycles(each.end)}));
    }
  }
}

}  // namespace

std::string times_json() {
  std::vector<std::string> cores, intervals;
  for (const Core& core : run->cores) {
    if (core.exists) {
      cores.push_back(core_json(core));
      add_intervals(core, intervals);
    }
  }
  return object({field("cores", array(cores)), field("links", array(link_rows())),
                 field("intervals", array(intervals))});
}

std::string clock_json() {
  std::vector<std::string> banks;
  Cycles last = 0;
  for (const Core& core : run->cores) {
    for (const Timeline& line : core.clock.engines) {
      last = std::max(last, line.now);
    }
  }
  for (const Resource& bank : run->network.banks) {
    banks.push_back(resource_row({}, bank));
  }
  return object({field("launch", cycles(run->timing.launch)),
                 field("cycles", cycles(run->timing.launch + last)),
                 field("dram_banks", array(banks)),
                 field("tile_products", number(run->tile_products))});
}

}  // namespace tt_mock
