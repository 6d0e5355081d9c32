// The packer: destination register to circular buffer.
#pragma once

#include "api/compute/common_globals.h"

namespace ckernel {

class ReluConfig {
 public:
  static constexpr ReluConfig none() { return {ReluType::NO_RELU, 0}; }
  static constexpr ReluConfig zero() { return {ReluType::ZERO_RELU, 0}; }
  static constexpr ReluConfig min_threshold(uint32_t bits) {
    return {ReluType::MIN_THRESHOLD_RELU, bits};
  }
  static constexpr ReluConfig max_threshold(uint32_t bits) {
    return {ReluType::MAX_THRESHOLD_RELU, bits};
  }
  constexpr ReluType get_mode() const { return mode_; }
  constexpr uint32_t get_threshold() const { return threshold_; }

 private:
  constexpr ReluConfig(ReluType mode, uint32_t threshold) : mode_(mode), threshold_(threshold) {}
  ReluType mode_;
  uint32_t threshold_;
};

inline void pack_init(uint32_t ocb, tt_mock::Site site = tt_mock::here()) {
  tt_mock::pack_init({"pack_init", site}, ocb);
}

template <bool out_of_order_output = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void pack_tile(uint32_t ifrom_dst, uint32_t icb, uint32_t output_tile_index = 0,
               tt_mock::Site site = tt_mock::here()) {
  tt_mock::pack({"pack_tile", site}, ifrom_dst, icb, out_of_order_output, output_tile_index);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
void pack_block(uint32_t ifrom_dst, uint32_t icb, uint32_t ntiles,
                tt_mock::Site site = tt_mock::here()) {
  for (uint32_t i = 0; i < ntiles; ++i) {
    tt_mock::pack({"pack_block", site}, ifrom_dst + i, icb, false, 0);
  }
}

inline void pack_reconfig_l1_acc(uint32_t l1_acc_en, tt_mock::Site site = tt_mock::here()) {
  tt_mock::pack_l1_accumulate({"pack_reconfig_l1_acc", site}, l1_acc_en != 0);
}

inline void pack_relu_config(const ReluConfig& config, tt_mock::Site site = tt_mock::here()) {
  tt_mock::pack_relu({"pack_relu_config", site}, config.get_mode(), config.get_threshold());
}

}  // namespace ckernel
