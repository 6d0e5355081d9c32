// A semaphore as an object.
#pragma once

#include "api/dataflow/noc.h"
#include "api/dataflow/semaphore_binding_token.h"

template <ProgrammableCoreType core_type = ProgrammableCoreType::TENSIX>
class Semaphore {
  template <ProgrammableCoreType>
  friend class Semaphore;

 public:
  explicit Semaphore(SemaphoreBindingToken token, tt_mock::Site site = tt_mock::here())
      : address_(tt_mock::semaphore_address({"Semaphore", site}, token.id)) {}
  explicit Semaphore(uint32_t semaphore_id, tt_mock::Site site = tt_mock::here())
      : address_(tt_mock::semaphore_address({"Semaphore", site}, semaphore_id)) {}

  void set(uint32_t value, tt_mock::Site site = tt_mock::here()) {
    tt_mock::semaphore_set({"Semaphore::set", site}, address_, value);
  }
  uint32_t value() const {
    return *reinterpret_cast<volatile uint32_t*>(uintptr_t{address_});
  }
  void wait(uint32_t value, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::semaphore_wait({"Semaphore::wait", site}, address_, value, false);
  }
  void wait_min(uint32_t value, tt_mock::Site site = tt_mock::here()) const {
    tt_mock::semaphore_wait({"Semaphore::wait_min", site}, address_, value, true);
  }
  // Of the own core: a plain read and a plain write.
  void up(uint32_t value, tt_mock::Site site = tt_mock::here()) {
    const tt_mock::Call call{"Semaphore::up", site};
    tt_mock::semaphore_set(call, address_, this->value() + value);
  }
  void down(uint32_t value, tt_mock::Site site = tt_mock::here()) {
    const tt_mock::Call call{"Semaphore::down", site};
    tt_mock::semaphore_wait(call, address_, value, true);
    tt_mock::semaphore_set(call, address_, this->value() - value);
  }

  // Of another core: an atomic increment over the NoC.
  void up(const Noc& noc, uint32_t noc_x, uint32_t noc_y, uint32_t value,
          uint8_t = NOC_UNICAST_WRITE_VC, tt_mock::Site site = tt_mock::here()) {
    tt_mock::semaphore_increment({"Semaphore::up", site}, at(noc, noc_x, noc_y, site), value);
  }
  template <ProgrammableCoreType dst_core_type = core_type>
  void relay_unicast(const Noc& noc, const Semaphore<dst_core_type>& dst, uint32_t noc_x,
                     uint32_t noc_y, tt_mock::Site site = tt_mock::here()) {
    tt_mock::noc_write({"Semaphore::relay_unicast", site}, address_,
                       dst.at(noc, noc_x, noc_y, site), 4);
  }
  template <NocOptions options = NocOptions::DEFAULT>
  void set_multicast(const Noc& noc, uint32_t x_start, uint32_t y_start, uint32_t x_end,
                     uint32_t y_end, uint32_t num_dests, bool linked = false,
                     tt_mock::Site site = tt_mock::here()) {
    send<options>({"Semaphore::set_multicast", site}, *this, noc, {x_start, y_start, x_end, y_end},
                  num_dests, linked);
  }
  template <NocOptions options = NocOptions::DEFAULT,
            ProgrammableCoreType dst_core_type = core_type>
  void relay_multicast(const Noc& noc, const Semaphore<dst_core_type>& dst, uint32_t x_start,
                       uint32_t y_start, uint32_t x_end, uint32_t y_end, uint32_t num_dests,
                       bool linked = false, tt_mock::Site site = tt_mock::here()) {
    send<options>({"Semaphore::relay_multicast", site}, dst, noc,
                  {x_start, y_start, x_end, y_end}, num_dests, linked);
  }
  void inc_multicast(const Noc& noc, uint32_t x_start, uint32_t y_start, uint32_t x_end,
                     uint32_t y_end, uint32_t value, uint32_t num_dests,
                     tt_mock::Site site = tt_mock::here()) {
    noc_semaphore_inc_multicast(
        ::get_noc_multicast_addr(x_start, y_start, x_end, y_end, address_, noc.get_noc_id(), site),
        value, num_dests, noc.get_noc_id(), NOC_MULTICAST_WRITE_VC, site);
  }

 private:
  uint64_t at(const Noc& noc, uint32_t x, uint32_t y, tt_mock::Site site) const {
    return ::get_noc_addr(x, y, address_, noc.get_noc_id(), site);
  }

  template <NocOptions options, ProgrammableCoreType dst_core_type>
  void send(tt_mock::Call call, const Semaphore<dst_core_type>& dst, const Noc&,
            tt_mock::Rectangle cores, uint32_t num_dests, bool linked) {
    tt_mock::noc_multicast(call, address_,
                           tt_mock::l1_multicast_address(call, cores, dst.address_), 4,
                           {num_dests, has_flag(options, NocOptions::MCAST_INCL_SRC), linked});
  }

  uint32_t address_;
};
