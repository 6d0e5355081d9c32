// Circular buffers seen from the compute side: wait and pop act on unpack, reserve and push on
// pack.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

inline void cb_wait_front(uint32_t cbid, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_wait({"cb_wait_front", site}, cbid, ntiles);
}

inline void cb_pop_front(uint32_t cbid, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_pop({"cb_pop_front", site}, cbid, ntiles);
}

inline void cb_reserve_back(uint32_t cbid, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_reserve({"cb_reserve_back", site}, cbid, ntiles);
}

inline void cb_push_back(uint32_t cbid, uint32_t ntiles, tt_mock::Site site = tt_mock::here()) {
  tt_mock::cb_push({"cb_push_back", site}, cbid, ntiles);
}

inline uint32_t read_tile_value(uint32_t cb_id, uint32_t tile_index, uint32_t element_offset,
                                tt_mock::Site site = tt_mock::here()) {
  return tt_mock::cb_tile_value({"read_tile_value", site}, cb_id, tile_index, element_offset);
}

}  // namespace ckernel
