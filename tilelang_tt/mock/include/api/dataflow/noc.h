// A NoC as an object. What a transfer can name as its source or destination is described by
// noc_traits_t: `source` and `destination` give a local L1 address, `source_noc` and
// `destination_noc` a NoC address, `multicast` the NoC address of a rectangle of cores.
#pragma once

#include "api/dataflow/dataflow_api.h"

enum class NocOptions : uint32_t {
  DEFAULT = 0,
  TXN_ID = 1,
  POSTED = 2,
  CUSTOM_VC = 4,
  MCAST_INCL_SRC = 8,
  INLINE_L1 = 16,
  INLINE_REG = 32,
};

constexpr NocOptions operator|(NocOptions a, NocOptions b) noexcept {
  return static_cast<NocOptions>(uint32_t(a) | uint32_t(b));
}

constexpr bool has_flag(NocOptions options, NocOptions flag) noexcept {
  return (uint32_t(options) & uint32_t(flag)) != 0;
}

struct NocOptVals {
  uint32_t vc = NOC_UNICAST_WRITE_VC;
  uint32_t trid = 0;
};

template <typename T>
struct noc_traits_t {
  static_assert(sizeof(T) == 0, "NoC transfers cannot name this type");
};

class Noc {
  template <typename T>
  using src_args_t = typename noc_traits_t<T>::src_args_type;
  template <typename T>
  using dst_args_t = typename noc_traits_t<T>::dst_args_type;
  template <typename T>
  using dst_args_mcast_t = typename noc_traits_t<T>::dst_args_mcast_type;

 public:
  enum class AddressType { NOC, LOCAL_L1 };
  static constexpr uint32_t INVALID_TXN_ID = 0xFFFFFFFF;

  constexpr Noc() : noc_id_(noc_index) {}
  explicit constexpr Noc(uint8_t noc_id) : noc_id_(noc_id) {}

  constexpr uint8_t get_noc_id() const { return noc_id_; }

  bool is_local_bank(uint32_t x, uint32_t y) const {
    return x == tt_mock::core_x(false) && y == tt_mock::core_y(false);
  }
  bool is_local_addr(uint64_t noc_addr, tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::is_own_l1({"Noc::is_local_addr", site}, noc_addr);
  }

  template <NocOptions options = NocOptions::DEFAULT,
            uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, bool enable_noc_tracing = true,
            typename Src, typename Dst>
  void async_read(const Src& src, const Dst& dst, uint32_t size_bytes,
                  const src_args_t<Src>& src_args, const dst_args_t<Dst>& dst_args,
                  const NocOptVals& values = {}, tt_mock::Site site = tt_mock::here()) const {
    const tt_mock::Call call{"Noc::async_read", site};
    if constexpr (has_flag(options, NocOptions::TXN_ID)) {
      tt_mock::noc_read_transaction(call, values.trid);
    }
    const uint32_t destination = noc_traits_t<Dst>::destination(dst, dst_args, site);
    const uint64_t source = noc_traits_t<Src>::source_noc(src, *this, src_args, site);
    tt_mock::noc_read(call, source, destination, size_bytes);
  }

  template <NocOptions options = NocOptions::DEFAULT,
            uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, typename Src>
  void set_async_read_state(const Src& src, uint32_t size_bytes, const src_args_t<Src>& src_args,
                            const NocOptVals& values = {},
                            tt_mock::Site site = tt_mock::here()) const {
    const tt_mock::Call call{"Noc::set_async_read_state", site};
    if constexpr (has_flag(options, NocOptions::TXN_ID)) {
      tt_mock::noc_read_transaction(call, values.trid);
    }
    tt_mock::noc_read_state(call, noc_traits_t<Src>::source_noc(src, *this, src_args, site),
                            max_page_size <= NOC_MAX_BURST_SIZE ? size_bytes : 0);
  }

  template <NocOptions options = NocOptions::DEFAULT,
            uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, typename Src, typename Dst>
  void async_read_with_state(const Src& src, const Dst& dst, uint32_t size_bytes,
                             const src_args_t<Src>& src_args, const dst_args_t<Dst>& dst_args,
                             const NocOptVals& values = {},
                             tt_mock::Site site = tt_mock::here()) const {
    const tt_mock::Call call{"Noc::async_read_with_state", site};
    if constexpr (has_flag(options, NocOptions::TXN_ID)) {
      tt_mock::noc_read_transaction(call, values.trid);
    }
    const auto source = uint32_t(noc_traits_t<Src>::source_noc(src, *this, src_args, site));
    tt_mock::noc_read_with_state(call, source,
                                 noc_traits_t<Dst>::destination(dst, dst_args, site),
                                 max_page_size <= NOC_MAX_BURST_SIZE ? 0 : size_bytes);
  }

  template <NocOptions options = NocOptions::DEFAULT,
            uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, bool enable_noc_tracing = true,
            typename Src, typename Dst>
  void async_write(const Src& src, const Dst& dst, uint32_t size_bytes,
                   const src_args_t<Src>& src_args, const dst_args_t<Dst>& dst_args,
                   const NocOptVals& values = {}, tt_mock::Site site = tt_mock::here()) const {
    const uint32_t source = noc_traits_t<Src>::source(src, src_args, site);
    const uint64_t destination = noc_traits_t<Dst>::destination_noc(dst, *this, dst_args, site);
    tt_mock::noc_write({"Noc::async_write", site}, source, destination, size_bytes,
                       has_flag(options, NocOptions::TXN_ID) ? values.trid : 0);
  }

  template <NocOptions options = NocOptions::DEFAULT,
            uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, typename Dst>
  void set_async_write_state(const Dst& dst, uint32_t size_bytes, const dst_args_t<Dst>& dst_args,
                             const NocOptVals& = {}, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::noc_write_state({"Noc::set_async_write_state", site},
                             noc_traits_t<Dst>::destination_noc(dst, *this, dst_args, site),
                             max_page_size <= NOC_MAX_BURST_SIZE ? size_bytes : 0);
  }

  template <NocOptions options = NocOptions::DEFAULT,
            uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, typename Src, typename Dst>
  void async_write_with_state(const Src& src, const Dst& dst, uint32_t size_bytes,
                              const src_args_t<Src>& src_args, const dst_args_t<Dst>& dst_args,
                              const NocOptVals& = {},
                              tt_mock::Site site = tt_mock::here()) const {
    const uint32_t source = noc_traits_t<Src>::source(src, src_args, site);
    const auto destination =
        uint32_t(noc_traits_t<Dst>::destination_noc(dst, *this, dst_args, site));
    tt_mock::noc_write_with_state({"Noc::async_write_with_state", site}, source, destination,
                                  max_page_size <= NOC_MAX_BURST_SIZE ? 0 : size_bytes);
  }

  template <NocOptions options = NocOptions::DEFAULT,
            uint32_t max_page_size = NOC_MAX_BURST_SIZE + 1, bool enable_noc_tracing = true,
            typename Src, typename Dst>
  void async_write_multicast(const Src& src, const Dst& dst, uint32_t size_bytes,
                             uint32_t num_dsts, const src_args_t<Src>& src_args,
                             const dst_args_mcast_t<Dst>& dst_args, bool linked = false,
                             tt_mock::Site site = tt_mock::here()) const {
    static_assert(!has_flag(options, NocOptions::TXN_ID), "a multicast has no transaction id");
    static_assert(!has_flag(options, NocOptions::POSTED), "a multicast is never posted");
    const uint32_t source = noc_traits_t<Src>::source(src, src_args, site);
    const uint64_t destination = noc_traits_t<Dst>::multicast(dst, *this, dst_args, site);
    tt_mock::noc_multicast({"Noc::async_write_multicast", site}, source, destination, size_bytes,
                           {num_dsts, has_flag(options, NocOptions::MCAST_INCL_SRC), linked});
  }

  template <NocOptions options = NocOptions::DEFAULT, typename Dst>
  void inline_dw_write(const Dst& dst, uint32_t value, const dst_args_t<Dst>& dst_args,
                       uint8_t byte_enable = 0xF, const NocOptVals& = {},
                       tt_mock::Site site = tt_mock::here()) const {
    tt_mock::noc_write_word({"Noc::inline_dw_write", site},
                            noc_traits_t<Dst>::destination_noc(dst, *this, dst_args, site), value,
                            byte_enable);
  }

  // Zeros into local L1: reads of the block of zeros, for which the barrier below waits.
  template <typename Dst>
  void async_write_zeros(const Dst& dst, uint32_t size_bytes, const dst_args_t<Dst>& args = {},
                         tt_mock::Site site = tt_mock::here()) const {
    const tt_mock::Call call{"Noc::async_write_zeros", site};
    const uint64_t zeros = tt_mock::l1_own_address(call, MEM_ZEROS_BASE);
    const uint32_t first = noc_traits_t<Dst>::destination(dst, args, site);
    for (uint32_t done = 0; done < size_bytes; done += MEM_ZEROS_SIZE) {
      const uint32_t left = size_bytes - done;
      tt_mock::noc_read(call, zeros, first + done, left < MEM_ZEROS_SIZE ? left : MEM_ZEROS_SIZE);
    }
  }

  // Zeros into a tensor, from a scratch buffer that holds zeros.
  template <typename Dst, typename Scratch>
  void async_write_zeros(const Dst& dst, uint32_t size_bytes, const dst_args_t<Dst>& args,
                         const Scratch& scratch, tt_mock::Site site = tt_mock::here()) const {
    const uint32_t source = noc_traits_t<Scratch>::source(scratch, {}, site);
    const uint64_t first = noc_traits_t<Dst>::destination_noc(dst, *this, args, site);
    for (uint32_t done = 0; done < size_bytes; done += NOC_MAX_BURST_SIZE) {
      const uint32_t left = size_bytes - done;
      tt_mock::noc_write({"Noc::async_write_zeros", site}, source, first + done,
                         left < NOC_MAX_BURST_SIZE ? left : NOC_MAX_BURST_SIZE);
    }
  }

  void write_zeros_l1_barrier(tt_mock::Site site = tt_mock::here()) const {
    noc_async_read_barrier(noc_id_, site);
  }
  void write_zeros_dram_barrier(tt_mock::Site site = tt_mock::here()) const {
    noc_async_write_barrier(noc_id_, site);
  }

  template <NocOptions options = NocOptions::DEFAULT>
  void async_read_barrier(const NocOptVals& values = {},
                          tt_mock::Site site = tt_mock::here()) const {
    tt_mock::noc_barrier({"Noc::async_read_barrier", site}, tt_mock::Barrier::read,
                         transaction<options>(values));
  }
  template <NocOptions options = NocOptions::DEFAULT>
  void async_write_barrier(const NocOptVals& values = {},
                           tt_mock::Site site = tt_mock::here()) const {
    tt_mock::noc_barrier({"Noc::async_write_barrier", site}, tt_mock::Barrier::write,
                         transaction<options>(values));
  }
  template <NocOptions options = NocOptions::DEFAULT>
  void async_writes_flushed(const NocOptVals& values = {},
                            tt_mock::Site site = tt_mock::here()) const {
    tt_mock::noc_barrier({"Noc::async_writes_flushed", site}, tt_mock::Barrier::write_flush,
                         transaction<options>(values));
  }
  void async_atomic_barrier(tt_mock::Site site = tt_mock::here()) const {
    tt_mock::noc_barrier({"Noc::async_atomic_barrier", site}, tt_mock::Barrier::atomic);
  }
  void async_full_barrier(tt_mock::Site site = tt_mock::here()) const {
    tt_mock::noc_barrier({"Noc::async_full_barrier", site}, tt_mock::Barrier::full);
  }
  bool is_read_trid_flushed(uint32_t trid, tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::noc_reads_arrived({"Noc::is_read_trid_flushed", site}, trid);
  }

 private:
  template <NocOptions options>
  static constexpr uint32_t transaction(const NocOptVals& values) {
    return has_flag(options, NocOptions::TXN_ID) ? values.trid : tt_mock::any_transaction;
  }

  uint8_t noc_id_;
};

namespace tt_mock {

// What buffers of the running core have in common as endpoints.
struct LocalEndpoint {
  struct src_args_type {
    uint32_t offset_bytes{};
  };
  struct dst_args_type {
    uint32_t offset_bytes{};
  };
  struct dst_args_mcast_type {
    uint32_t noc_x_start{};
    uint32_t noc_y_start{};
    uint32_t noc_x_end{};
    uint32_t noc_y_end{};
    uint32_t offset_bytes{};
  };
};

template <typename Args>
uint64_t multicast_address(const Noc& noc, const Args& args, uint32_t address, Site site) {
  return ::get_noc_multicast_addr(args.noc_x_start, args.noc_y_start, args.noc_x_end,
                                  args.noc_y_end, address, noc.get_noc_id(), site);
}

}  // namespace tt_mock

#include "api/dataflow/endpoints.h"
