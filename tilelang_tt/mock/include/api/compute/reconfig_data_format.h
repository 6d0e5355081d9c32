// Format changes between operations. Forms with an old operand do nothing when the formats are
// equal.
#pragma once

#include "api/compute/common_globals.h"
#include "api/compute/src_order.h"

namespace ckernel {

template <SrcOrder src_order = SrcOrder::Regular>
void reconfig_data_format(uint32_t icb0_new_operand, uint32_t icb1_new_operand,
                          tt_mock::Site site = tt_mock::here()) {
  constexpr bool reverse = src_order == SrcOrder::Reverse;
  const tt_mock::Call call{"reconfig_data_format", site};
  tt_mock::reconfig_source_a(call, reverse ? icb1_new_operand : icb0_new_operand);
  tt_mock::reconfig_source_b(call, reverse ? icb0_new_operand : icb1_new_operand);
}

template <SrcOrder src_order = SrcOrder::Regular>
void reconfig_data_format(uint32_t icb0_old_operand, uint32_t icb0_new_operand,
                          uint32_t icb1_old_operand, uint32_t icb1_new_operand,
                          tt_mock::Site site = tt_mock::here()) {
  constexpr bool reverse = src_order == SrcOrder::Reverse;
  const tt_mock::Call call{"reconfig_data_format", site};
  tt_mock::reconfig_source_a(call, reverse ? icb1_old_operand : icb0_old_operand,
                             reverse ? icb1_new_operand : icb0_new_operand);
  tt_mock::reconfig_source_b(call, reverse ? icb0_old_operand : icb1_old_operand,
                             reverse ? icb0_new_operand : icb1_new_operand);
}

inline void reconfig_data_format_srca(uint32_t srca_new_operand,
                                      tt_mock::Site site = tt_mock::here()) {
  tt_mock::reconfig_source_a({"reconfig_data_format_srca", site}, srca_new_operand);
}

inline void reconfig_data_format_srca(uint32_t srca_old_operand, uint32_t srca_new_operand,
                                      tt_mock::Site site = tt_mock::here()) {
  tt_mock::reconfig_source_a({"reconfig_data_format_srca", site}, srca_old_operand,
                             srca_new_operand);
}

inline void reconfig_data_format_srcb(uint32_t srcb_new_operand,
                                      tt_mock::Site site = tt_mock::here()) {
  tt_mock::reconfig_source_b({"reconfig_data_format_srcb", site}, srcb_new_operand);
}

inline void reconfig_data_format_srcb(uint32_t srcb_old_operand, uint32_t srcb_new_operand,
                                      tt_mock::Site site = tt_mock::here()) {
  tt_mock::reconfig_source_b({"reconfig_data_format_srcb", site}, srcb_old_operand,
                             srcb_new_operand);
}

template <bool is_tile_dim_reconfig_en = false>
void pack_reconfig_data_format(uint32_t new_cb_id, tt_mock::Site site = tt_mock::here()) {
  tt_mock::reconfig_pack({"pack_reconfig_data_format", site}, new_cb_id);
}

template <bool is_tile_dim_reconfig_en = false>
void pack_reconfig_data_format(uint32_t old_cb_id, uint32_t new_cb_id,
                               tt_mock::Site site = tt_mock::here()) {
  tt_mock::reconfig_pack({"pack_reconfig_data_format", site}, old_cb_id, new_cb_id);
}

// All tiles of the mock have one shape, so a change of shape is a change of format.

template <SrcOrder src_order = SrcOrder::Regular>
void reconfig_full_operand(uint32_t icb0_new_operand, uint32_t icb1_new_operand,
                           tt_mock::Site site = tt_mock::here()) {
  reconfig_data_format<src_order>(icb0_new_operand, icb1_new_operand, site);
}

template <SrcOrder src_order = SrcOrder::Regular>
void reconfig_full_operand(uint32_t icb0_old_operand, uint32_t icb0_new_operand,
                           uint32_t icb1_old_operand, uint32_t icb1_new_operand,
                           tt_mock::Site site = tt_mock::here()) {
  reconfig_data_format<src_order>(icb0_old_operand, icb0_new_operand, icb1_old_operand,
                                  icb1_new_operand, site);
}

inline void reconfig_full_operand_srca(uint32_t srca_new_operand,
                                       tt_mock::Site site = tt_mock::here()) {
  reconfig_data_format_srca(srca_new_operand, site);
}

inline void reconfig_full_operand_srcb(uint32_t srcb_new_operand,
                                       tt_mock::Site site = tt_mock::here()) {
  reconfig_data_format_srcb(srcb_new_operand, site);
}

}  // namespace ckernel
