// Endpoints of transfers that are given by coordinates or by the number of a bank.
#pragma once

#include "api/dataflow/noc.h"

struct UnicastEndpoint {
  uint64_t get_noc_unicast_addr(uint32_t noc_x, uint32_t noc_y, uint32_t addr, uint8_t noc,
                                tt_mock::Site site = tt_mock::here()) const {
    return ::get_noc_addr(noc_x, noc_y, addr, noc, site);
  }
};

struct PrecomposedUnicastEndpoint {};

struct MulticastEndpoint {
  uint64_t get_noc_multicast_addr(uint32_t x_start, uint32_t y_start, uint32_t x_end,
                                  uint32_t y_end, uint32_t addr, uint8_t noc,
                                  tt_mock::Site site = tt_mock::here()) const {
    return ::get_noc_multicast_addr(x_start, y_start, x_end, y_end, addr, noc, site);
  }
};

enum class AllocatorBankType { L1, DRAM };

template <AllocatorBankType bank_type>
struct AllocatorBank {
  uint64_t get_noc_addr_from_bank_id(uint32_t bank_id, uint32_t addr, uint8_t noc,
                                     tt_mock::Site site = tt_mock::here()) const {
    return ::get_noc_addr_from_bank_id<bank_type == AllocatorBankType::DRAM>(bank_id, addr, noc,
                                                                             site);
  }
};

template <>
struct noc_traits_t<UnicastEndpoint> {
  struct src_args_type {
    uint32_t noc_x{};
    uint32_t noc_y{};
    uint32_t addr{};
  };
  using dst_args_type = src_args_type;
  static uint64_t source_noc(const UnicastEndpoint& endpoint, const Noc& noc,
                             const src_args_type& args, tt_mock::Site site) {
    return endpoint.get_noc_unicast_addr(args.noc_x, args.noc_y, args.addr, noc.get_noc_id(),
                                         site);
  }
  static uint64_t destination_noc(const UnicastEndpoint& endpoint, const Noc& noc,
                                  const dst_args_type& args, tt_mock::Site site) {
    return source_noc(endpoint, noc, args, site);
  }
  static uint32_t source(const UnicastEndpoint&, const src_args_type& args, tt_mock::Site) {
    return args.addr;
  }
  static uint32_t destination(const UnicastEndpoint&, const dst_args_type& args, tt_mock::Site) {
    return args.addr;
  }
};

template <>
struct noc_traits_t<PrecomposedUnicastEndpoint> {
  struct src_args_type {
    uint64_t noc_addr{};
  };
  using dst_args_type = src_args_type;
  static uint64_t source_noc(const PrecomposedUnicastEndpoint&, const Noc&,
                             const src_args_type& args, tt_mock::Site) {
    return args.noc_addr;
  }
  static uint64_t destination_noc(const PrecomposedUnicastEndpoint&, const Noc&,
                                  const dst_args_type& args, tt_mock::Site) {
    return args.noc_addr;
  }
};

template <>
struct noc_traits_t<MulticastEndpoint> {
  struct dst_args_mcast_type {
    uint32_t noc_x_start{};
    uint32_t noc_y_start{};
    uint32_t noc_x_end{};
    uint32_t noc_y_end{};
    uint32_t addr{};
  };
  static uint64_t multicast(const MulticastEndpoint&, const Noc& noc,
                            const dst_args_mcast_type& args, tt_mock::Site site) {
    return tt_mock::multicast_address(noc, args, args.addr, site);
  }
};

template <AllocatorBankType bank_type>
struct noc_traits_t<AllocatorBank<bank_type>> {
  struct src_args_type {
    uint32_t bank_id{};
    uint32_t addr{};
  };
  using dst_args_type = src_args_type;
  static uint64_t source_noc(const AllocatorBank<bank_type>& bank, const Noc& noc,
                             const src_args_type& args, tt_mock::Site site) {
    return bank.get_noc_addr_from_bank_id(args.bank_id, args.addr, noc.get_noc_id(), site);
  }
  static uint64_t destination_noc(const AllocatorBank<bank_type>& bank, const Noc& noc,
                                  const dst_args_type& args, tt_mock::Site site) {
    return source_noc(bank, noc, args, site);
  }
};
