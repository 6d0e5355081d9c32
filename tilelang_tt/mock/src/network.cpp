#include "network.h"

#include <algorithm>
#include <cmath>

#include "engine.h"

namespace tt_mock {
namespace {

Place place_of(const Core& core) {
  const NocTiming& noc = run->timing.noc;
  return {noc.columns[core.x], noc.rows[core.y]};
}

Place place_of(End end, uint32_t noc) {
  return end.core != nullptr ? place_of(*end.core) : run->timing.noc.dram_ports[noc][end.bank];
}

uint32_t number_of(const Core& core) { return core.y * run->program->device.grid_x + core.x; }

// Serves requests in the order they are asked for: done after what it has been asked before.
Cycles occupy(Resource& resource, Cycles at, Cycles service) {
  resource.free = std::max(resource.free, at) + service;
  resource.busy += service;
  return resource.free;
}

// NoC 0 leads to higher x and then to higher y, NoC 1 to lower y and then to lower x; both wrap.
template <typename Action>
uint32_t for_each_link(uint32_t noc, Place from, Place to, Action action) {
  const uint32_t width = run->timing.noc.width;
  const uint32_t height = run->timing.noc.height;
  uint32_t hops = 0;
  const auto along_x = [&] {
    for (; from.x != to.x; ++hops) {
      action(((noc * height + from.y) * width + from.x) * 2);
      from.x = noc == 0 ? (from.x + 1 == width ? 0 : from.x + 1)
                        : (from.x == 0 ? width - 1 : from.x - 1);
    }
  };
  const auto along_y = [&] {
    for (; from.y != to.y; ++hops) {
      action(((noc * height + from.y) * width + from.x) * 2 + 1);
      from.y = noc == 0 ? (from.y + 1 == height ? 0 : from.y + 1)
                        : (from.y == 0 ? height - 1 : from.y - 1);
    }
  };
  if (noc == 0) {
    along_x();
    along_y();
  } else {
    along_y();
    along_x();
  }
  return hops;
}

uint32_t hops_between(uint32_t noc, Place from, Place to) {
  const uint32_t width = run->timing.noc.width;
  const uint32_t height = run->timing.noc.height;
  const uint32_t right = (to.x + width - from.x) % width;
  const uint32_t down = (to.y + height - from.y) % height;
  return noc == 0 ? right + down : (width - right) % width + (height - down) % height;
}

struct Route {
  Cycles done;
  uint32_t hops;
};

Route occupy_links(uint32_t noc, Place from, Place to, uint32_t bytes, Cycles at) {
  const Cycles service = transfer_costs(bytes).link;
  Cycles done = at;
  const uint32_t hops = for_each_link(noc, from, to, [&](uint32_t link) {
    Resource& resource = run->network.links[link];
    resource.written_bytes += bytes;
    done = std::max(done, occupy(resource, at, service));
  });
  return {done, hops};
}

// There and back again is once around the torus in each direction that is gone at all.
uint32_t round_trip_hops(Place a, Place b) {
  const NocTiming& noc = run->timing.noc;
  return (a.x != b.x ? noc.width : 0) + (a.y != b.y ? noc.height : 0);
}

// The cube root of a^3 + b^3, by Newton's method: a library's may differ from host to host.
Cycles smooth_max(Cycles a, Cycles b) {
  const double sum = a * a * a + b * b * b;
  double root = std::max(a, b);
  constexpr int steps = 4;
  for (int i = 0; i < steps; ++i) {
    root = (2 * root + sum / (root * root)) / 3;
  }
  return root;
}

TransferCosts costs_of(uint32_t bytes) {
  const NocTiming& noc = run->timing.noc;
  const DramTiming& dram = run->timing.dram;
  const double commands = std::ceil(bytes / noc.packet_bytes);
  const double packets = std::max(1.0, bytes / noc.packet_bytes);
  TransferCosts costs;
  costs.bytes = bytes;
  costs.read_commands = commands * noc.read_interval;
  costs.write_commands = commands * noc.write_interval;
  costs.read_port = bytes / noc.read_bytes;
  costs.write_port = bytes / noc.write_bytes;
  costs.link = bytes / noc.link_bytes;
  costs.bank = bytes / dram.bytes / dram.efficiency;
  costs.bank_port = smooth_max(packets * dram.request, bytes / dram.bytes) / dram.efficiency;
  costs.stream = bytes / dram.stream_bytes;
  return costs;
}

Cycles occupy_bank(uint32_t noc, uint32_t bank, uint32_t bytes, bool is_read, Cycles at) {
  const TransferCosts& costs = transfer_costs(bytes);
  Resource& whole = run->network.banks[bank];
  (is_read ? whole.read_bytes : whole.written_bytes) += bytes;
  const Cycles port = occupy(run->network.bank_ports[noc][bank], at, costs.bank_port);
  const Cycles queued = occupy(whole, at, costs.bank);
  return std::max({port, queued, at + (is_read ? costs.stream : 0)});
}

}  // namespace

const TransferCosts& transfer_costs(uint32_t bytes) {
  TransferCosts& costs = run->network.costs;
  if (costs.bytes != bytes) {
    costs = costs_of(bytes);
  }
  return costs;
}

void create_network(Network& network) {
  const TtMockDevice& device = run->program->device;
  const NocTiming& noc = run->timing.noc;
  const size_t cores = size_t{device.grid_x} * device.grid_y;
  network.links.resize(size_t{noc.width} * noc.height * 4);
  network.marks.resize(network.links.size());
  network.banks.resize(device.dram_banks);
  for (uint32_t i = 0; i < 2; ++i) {
    network.in[i].resize(cores);
    network.out[i].resize(cores);
    network.bank_ports[i].resize(device.dram_banks);
  }
}

// Every resource on the way queues the transfer from its issue on; the slowest one decides. So a
// transfer that waits at one of them keeps no other one idle.
Cycles time_read(const Core& to, uint32_t noc, End from, uint32_t bytes, Cycles at) {
  const NocTiming& costs = run->timing.noc;
  Network& network = run->network;
  const Place source = place_of(from, noc);
  const Place target = place_of(to);
  const Cycles port = transfer_costs(bytes).read_port;
  Cycles latency = costs.read_base;
  Resource& in = network.in[noc][number_of(to)];
  in.read_bytes += bytes;
  Cycles done = occupy(in, at, port);
  if (from.core != nullptr) {
    done = std::max(done, occupy(network.out[noc][number_of(*from.core)], at, port));
  } else {
    done = std::max(done, occupy_bank(noc, from.bank, bytes, true, at));
    latency += run->timing.dram.read_extra;
  }
  done = std::max(done, occupy_links(noc, source, target, bytes, at).done);
  return done + latency + round_trip_hops(source, target) * costs.hop;
}

Arrival time_write(const Core& from, uint32_t noc, End to, uint32_t bytes, Cycles at) {
  const NocTiming& costs = run->timing.noc;
  Network& network = run->network;
  const Place source = place_of(from);
  const Place target = place_of(to, noc);
  const Cycles port = transfer_costs(bytes).write_port;
  Cycles latency = costs.write_base;
  Resource& out = network.out[noc][number_of(from)];
  out.written_bytes += bytes;
  const Cycles left = occupy(out, at, port);
  Cycles done = left;
  if (to.core != nullptr) {
    done = std::max(done, occupy(network.in[noc][number_of(*to.core)], at, port));
  } else {
    done = std::max(done, occupy_bank(noc, to.bank, bytes, false, at));
    latency += run->timing.dram.write_extra;
  }
  const Route route = occupy_links(noc, source, target, bytes, at);
  done = std::max(done, route.done);
  const Cycles around = round_trip_hops(source, target) * costs.hop;
  return {left, done + latency / 2 + route.hops * costs.hop, done + latency + around};
}

Multicast::Multicast(const Core& from, uint32_t noc, uint32_t bytes, Cycles at)
    : from_(from), noc_(noc), bytes_(bytes), at_(at) {
  ++run->network.mark;
}

void Multicast::add(const Core& to) {
  Network& network = run->network;
  const Cycles service = bytes_ / run->timing.noc.multicast_bytes;
  const auto occupy_once = [&](uint32_t link) {
    if (network.marks[link] != network.mark) {
      network.marks[link] = network.mark;
      network.links[link].written_bytes += bytes_;
      sent_ = std::max(sent_, occupy(network.links[link], at_, service));
    }
  };
  const uint32_t hops = for_each_link(noc_, place_of(from_), place_of(to), occupy_once);
  longest_ = std::max(longest_, hops);
  one_column_ &= to.x == from_.x;
  one_row_ &= to.y == from_.y;
  if (&to != &from_) {
    sent_ = std::max(sent_, occupy(network.in[noc_][number_of(to)], at_, service));
  }
}

void Multicast::finish(bool opens, bool loopback) {
  const NocTiming& costs = run->timing.noc;
  const Cycles line = one_column_ || one_row_ ? costs.multicast_line : 0;
  const Cycles open = loopback ? costs.loopback_open + costs.loopback_hop * longest_
                               : costs.multicast_open + costs.multicast_hop * longest_ + line;
  const Cycles fixed = opens ? open : costs.multicast_linked;
  Resource& out = run->network.out[noc_][number_of(from_)];
  out.written_bytes += bytes_;
  sent_ = std::max(sent_, occupy(out, at_, fixed + bytes_ / costs.multicast_bytes));
}

Cycles Multicast::arrival_at(const Core& to) const {
  const NocTiming& costs = run->timing.noc;
  return sent_ + costs.write_base / 2 +
         hops_between(noc_, place_of(from_), place_of(to)) * costs.hop;
}

Arrival Multicast::sender() const {
  const NocTiming& costs = run->timing.noc;
  return {sent_, sent_ + costs.write_base / 2, sent_ + costs.write_base + 2 * longest_ * costs.hop};
}

}  // namespace tt_mock
