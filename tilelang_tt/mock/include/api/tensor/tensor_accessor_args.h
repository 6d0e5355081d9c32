// What a program says of a tensor in the compile-time and common arguments: configuration bits,
// aligned page size and, for a sharded tensor, rank, banks, shape, shape of a shard, coordinates of
// the banks. Each bit `Runtime...` moves one of them to the common arguments.
#pragma once

#include <tuple>

#include "tt_mock/common.h"

namespace tensor_accessor {

inline constexpr size_t UNKNOWN = size_t(-1);
inline constexpr uint32_t MAX_RANK = 8;

struct ArgConfig {
  static constexpr uint32_t Sharded = 1, IsDram = 2, RuntimeRank = 4, RuntimeNumBanks = 8,
                            RuntimeTensorShape = 16, RuntimeShardShape = 32,
                            RuntimeBankCoords = 64, RuntimePageSize = 128;
};

inline constexpr uint32_t shard_contiguous_bit = 1U << 31;

}  // namespace tensor_accessor

template <size_t CTA_OFFSET, size_t CRTA_OFFSET = tensor_accessor::UNKNOWN>
struct TensorAccessorArgs {
 private:
  using Bits = tensor_accessor::ArgConfig;
  static constexpr uint32_t config = tt_mock::compile_time_arg<CTA_OFFSET>();

 public:
  static constexpr bool is_sharded = (config & Bits::Sharded) != 0;
  static constexpr bool is_dram = (config & Bits::IsDram) != 0;
  static constexpr bool rank_is_crta = (config & Bits::RuntimeRank) != 0;
  static constexpr bool num_banks_is_crta = (config & Bits::RuntimeNumBanks) != 0;
  static constexpr bool tensor_shape_is_crta = (config & Bits::RuntimeTensorShape) != 0;
  static constexpr bool shard_shape_is_crta = (config & Bits::RuntimeShardShape) != 0;
  static constexpr bool bank_coords_is_crta = (config & Bits::RuntimeBankCoords) != 0;
  static constexpr bool page_size_is_crta = (config & Bits::RuntimePageSize) != 0;
  static_assert(!is_sharded || !rank_is_crta || (tensor_shape_is_crta && shard_shape_is_crta),
                "shapes of a rank that is not known when compiling are common arguments");
  static_assert(!is_sharded || !num_banks_is_crta || bank_coords_is_crta,
                "coordinates of banks whose number is not known are common arguments");
  static_assert(!is_sharded || !page_size_is_crta,
                "the page size of a sharded tensor is a compile-time argument");
  static_assert(!is_sharded || !is_dram, "the mock has no tensors sharded over DRAM banks");

 private:
  // The word at an offset, or 0 where the argument list does not have it.
  template <bool present, size_t offset>
  static constexpr uint32_t word() {
    if constexpr (present) {
      return tt_mock::compile_time_arg<offset>();
    } else {
      return 0;
    }
  }

  static constexpr size_t rank_offset = CTA_OFFSET + (page_size_is_crta ? 1 : 2);
  static constexpr size_t banks_offset = rank_offset + (rank_is_crta ? 0 : 1);
  static constexpr size_t tensor_offset = banks_offset + (num_banks_is_crta ? 0 : 1);

 public:
  static constexpr uint32_t AlignedPageSize = word<!page_size_is_crta, CTA_OFFSET + 1>();
  static constexpr uint32_t RankCT = word<is_sharded && !rank_is_crta, rank_offset>();
  static constexpr uint32_t NumBanksRawCT = word<is_sharded && !num_banks_is_crta, banks_offset>();
  static constexpr uint32_t NumBanksCT = NumBanksRawCT & ~tensor_accessor::shard_contiguous_bit;

 private:
  static constexpr size_t shard_offset = tensor_offset + (tensor_shape_is_crta ? 0 : RankCT);
  static constexpr size_t coords_offset = shard_offset + (shard_shape_is_crta ? 0 : RankCT);
  static constexpr size_t end_offset =
      is_sharded ? coords_offset + (bank_coords_is_crta ? 0 : (NumBanksCT + 1) / 2)
                 : CTA_OFFSET + (page_size_is_crta ? 1 : 2);

 public:
  constexpr TensorAccessorArgs() = default;
  constexpr explicit TensorAccessorArgs(uint32_t crta_offset) : crta_offset_(crta_offset) {
    static_assert(CRTA_OFFSET == tensor_accessor::UNKNOWN, "the offset is given twice");
  }

  constexpr uint32_t crta_offset() const {
    return CRTA_OFFSET == tensor_accessor::UNKNOWN ? crta_offset_ : uint32_t(CRTA_OFFSET);
  }

  static constexpr uint32_t num_compile_time_args() { return end_offset - CTA_OFFSET; }
  static constexpr uint32_t next_compile_time_args_offset() { return end_offset; }

  constexpr uint32_t num_common_runtime_args() const {
    if constexpr (!is_sharded) {
      return page_size_is_crta ? 1 : 0;
    } else {
      return coords_crta() + (bank_coords_is_crta ? (get_num_banks() + 1) / 2 : 0) - crta_offset();
    }
  }
  constexpr uint32_t next_common_runtime_args_offset() const {
    return crta_offset() + num_common_runtime_args();
  }

  constexpr uint32_t get_aligned_page_size() const {
    if constexpr (page_size_is_crta) {
      return get_common_arg_val<uint32_t>(int(crta_offset()));
    } else {
      return AlignedPageSize;
    }
  }
  constexpr uint32_t get_rank() const {
    if constexpr (rank_is_crta) {
      return get_common_arg_val<uint32_t>(int(crta_offset()));
    } else {
      return RankCT;
    }
  }
  constexpr uint32_t get_num_banks_raw() const {
    if constexpr (num_banks_is_crta) {
      return get_common_arg_val<uint32_t>(int(crta_offset() + (rank_is_crta ? 1 : 0)));
    } else {
      return NumBanksRawCT;
    }
  }
  constexpr uint32_t get_num_banks() const {
    return get_num_banks_raw() & ~tensor_accessor::shard_contiguous_bit;
  }
  uint32_t tensor_extent(uint32_t axis) const {
    return tensor_shape_is_crta ? get_common_arg_val<uint32_t>(int(tensor_crta() + axis))
                                : tt_mock::KernelArgs::values[tensor_offset + axis];
  }
  uint32_t shard_extent(uint32_t axis) const {
    return shard_shape_is_crta ? get_common_arg_val<uint32_t>(int(shard_crta() + axis))
                               : tt_mock::KernelArgs::values[shard_offset + axis];
  }
  // x in the high byte, y in the low one.
  uint32_t bank_coordinates(uint32_t bank) const {
    const uint32_t pair = bank_coords_is_crta
                              ? get_common_arg_val<uint32_t>(int(coords_crta() + bank / 2))
                              : tt_mock::KernelArgs::values[coords_offset + bank / 2];
    return bank % 2 == 0 ? pair & 0xFFFF : pair >> 16;
  }

 private:
  constexpr uint32_t tensor_crta() const {
    return crta_offset() + (rank_is_crta ? 1 : 0) + (num_banks_is_crta ? 1 : 0);
  }
  constexpr uint32_t shard_crta() const {
    return tensor_crta() + (tensor_shape_is_crta ? get_rank() : 0);
  }
  constexpr uint32_t coords_crta() const {
    return shard_crta() + (shard_shape_is_crta ? get_rank() : 0);
  }

  uint32_t crta_offset_ = 0;
};

namespace tt_mock {

template <size_t count, size_t CTA_OFFSET>
constexpr auto tensor_accessor_args_tuple() {
  if constexpr (count == 0) {
    return std::tuple<>();
  } else {
    return std::tuple_cat(
        std::make_tuple(TensorAccessorArgs<CTA_OFFSET>()),
        tensor_accessor_args_tuple<
            count - 1, TensorAccessorArgs<CTA_OFFSET>::next_compile_time_args_offset()>());
  }
}

}  // namespace tt_mock

template <uint32_t NUM_TENSORS, uint32_t CTA_OFFSET>
constexpr auto make_tensor_accessor_args_tuple() {
  return tt_mock::tensor_accessor_args_tuple<NUM_TENSORS, CTA_OFFSET>();
}
