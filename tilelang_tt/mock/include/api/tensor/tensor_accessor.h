// Where the pages of a tensor are: interleaved over the banks of DRAM or of L1, or in shards in the
// L1 of some cores.
#pragma once

#include "api/tensor/page.h"
#include "api/tensor/tensor_accessor_args.h"
#include "api/tensor/tensor_binding_token.h"
#include "tt_mock/dataflow.h"

namespace tensor_accessor {

// A page of a shard.
struct Place {
  uint32_t shard;
  uint32_t page;
};

// How a sharded tensor is cut. A shard that reaches beyond the tensor has its full size in memory.
template <typename Args>
class Distribution {
 public:
  explicit Distribution(const Args& args) : args_(args) {
    rank_ = args.get_rank();
    shards_ = 1;
    volume_ = 1;
    for (uint32_t axis = rank_; axis-- > 0;) {
      tensor_[axis] = args.tensor_extent(axis);
      shard_[axis] = args.shard_extent(axis);
      grid_[axis] = (tensor_[axis] + shard_[axis] - 1) / shard_[axis];
      shards_ *= grid_[axis];
      volume_ *= shard_[axis];
    }
  }

  static constexpr bool is_interleaved = false;
  static constexpr bool is_dram = Args::is_dram;

  uint32_t rank() const { return rank_; }
  uint32_t shard_volume() const { return volume_; }
  uint32_t num_shards() const { return shards_; }
  uint32_t num_banks() const { return args_.get_num_banks(); }
  const uint32_t* tensor_shape() const { return tensor_; }
  const uint32_t* shard_shape() const { return shard_; }
  const uint32_t* shard_grid() const { return grid_; }
  uint32_t tensor_volume() const {
    uint32_t volume = 1;
    for (uint32_t axis = 0; axis < rank_; ++axis) {
      volume *= tensor_[axis];
    }
    return volume;
  }

  Place place(uint32_t page_id) const {
    uint32_t coordinates[MAX_RANK];
    for (uint32_t axis = rank_; axis-- > 0; page_id /= tensor_[axis]) {
      coordinates[axis] = page_id % tensor_[axis];
    }
    return place(coordinates);
  }
  template <typename Coordinates>
  Place place(const Coordinates& coordinates) const {
    Place place{0, 0};
    for (uint32_t axis = 0; axis < rank_; ++axis) {
      place.shard = place.shard * grid_[axis] + coordinates[axis] / shard_[axis];
      place.page = place.page * shard_[axis] + coordinates[axis] % shard_[axis];
    }
    return place;
  }
  // The tensor's page at a place, or false where the shard has padding.
  bool page_id(Place place, uint32_t& page_id) const {
    uint32_t coordinates[MAX_RANK];
    for (uint32_t axis = rank_; axis-- > 0;) {
      coordinates[axis] = place.shard % grid_[axis] * shard_[axis] + place.page % shard_[axis];
      place.shard /= grid_[axis];
      place.page /= shard_[axis];
      if (coordinates[axis] >= tensor_[axis]) {
        return false;
      }
    }
    page_id = 0;
    for (uint32_t axis = 0; axis < rank_; ++axis) {
      page_id = page_id * tensor_[axis] + coordinates[axis];
    }
    return true;
  }

  uint32_t bank_of(uint32_t shard) const {
    return contiguous() ? shard / (shards_ / num_banks()) : shard % num_banks();
  }
  uint32_t shard_in_bank(uint32_t shard) const {
    return contiguous() ? shard % (shards_ / num_banks()) : shard / num_banks();
  }
  uint32_t bank_x(uint32_t bank) const { return args_.bank_coordinates(bank) >> 8; }
  uint32_t bank_y(uint32_t bank) const { return args_.bank_coordinates(bank) & 0xFF; }

 private:
  bool contiguous() const { return (args_.get_num_banks_raw() & shard_contiguous_bit) != 0; }

  Args args_;
  uint32_t rank_, shards_, volume_;
  uint32_t tensor_[MAX_RANK], shard_[MAX_RANK], grid_[MAX_RANK];
};

// An interleaved tensor has nothing to remember.
template <typename Args>
struct Interleaved {
  static constexpr bool is_interleaved = true;
  static constexpr bool is_dram = Args::is_dram;
  explicit Interleaved(const Args&) {}
};

template <typename Args>
using Layout = std::conditional_t<Args::is_sharded, Distribution<Args>, Interleaved<Args>>;

// Iteration over a range of pages, or over the pages of a shard without its padding.
template <typename Accessor>
class PageRange {
 public:
  class Iterator {
   public:
    Iterator(const PageRange& range, uint32_t index) : range_(range), index_(index) { skip(); }
    Page operator*() const { return range_.at(index_); }
    Iterator& operator++() {
      index_ += range_.step_;
      skip();
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    void skip() {
      while (index_ < range_.end_ && !range_.has(index_)) {
        index_ += range_.step_;
      }
      index_ = index_ < range_.end_ ? index_ : range_.end_;
    }
    const PageRange& range_;
    uint32_t index_;
  };

  PageRange(const Accessor& accessor, uint32_t begin, uint32_t end, uint32_t step, int64_t shard,
            tt_mock::Site site)
      : accessor_(accessor), begin_(begin), end_(end), step_(step), shard_(shard), site_(site) {}
  Iterator begin() const { return {*this, begin_}; }
  Iterator end() const { return {*this, end_}; }

 private:
  bool has(uint32_t index) const {
    uint32_t id;
    return shard_ < 0 || accessor_.shard_page_id(uint32_t(shard_), index, id);
  }
  Page at(uint32_t index) const {
    uint32_t id = index;
    if (shard_ >= 0) {
      accessor_.shard_page_id(uint32_t(shard_), index, id);
    }
    return {accessor_.get_noc_addr(id, 0, NOC_INDEX, site_), id};
  }

  const Accessor& accessor_;
  uint32_t begin_, end_, step_;
  int64_t shard_;  // negative: pages of the whole tensor
  tt_mock::Site site_;
};

}  // namespace tensor_accessor

template <typename Args>
class TensorAccessor {
 public:
  using DSpec = tensor_accessor::Layout<Args>;
  static constexpr bool is_dram = Args::is_dram;

  TensorAccessor(const Args& args, uint32_t bank_base_address)
      : TensorAccessor(args, bank_base_address, args.get_aligned_page_size()) {}
  TensorAccessor(const Args& args, uint32_t bank_base_address, uint32_t page_size)
      : layout_(args), bank_base_address_(bank_base_address), page_size_(page_size) {}
  template <uint32_t CTA_OFFSET, uint32_t ADDR_CRTA_OFFSET>
  TensorAccessor(tensor_accessor::TensorBindingToken<CTA_OFFSET, ADDR_CRTA_OFFSET>)
      : TensorAccessor(Args(), get_common_arg_val<uint32_t>(ADDR_CRTA_OFFSET / 4)) {}

  uint64_t get_noc_addr(uint32_t page_id, uint32_t offset = 0, uint8_t = NOC_INDEX,
                        tt_mock::Site site = tt_mock::here()) const {
    const tt_mock::Call call{"TensorAccessor::get_noc_addr", site};
    if constexpr (Args::is_sharded) {
      return address(call, layout_.place(page_id), offset);
    } else if constexpr (Args::is_dram) {
      return tt_mock::dram_page_address(call, page_id, bank_base_address_, page_size_, offset);
    } else {
      return tt_mock::l1_page_address(call, page_id, bank_base_address_, page_size_, offset);
    }
  }
  // By the coordinates of the page.
  template <typename Coordinates,
            typename = decltype(std::declval<const Coordinates&>()[uint32_t(0)])>
  uint64_t get_noc_addr(const Coordinates& page, uint32_t offset = 0, uint8_t = NOC_INDEX,
                        tt_mock::Site site = tt_mock::here()) const {
    return address({"TensorAccessor::get_noc_addr", site}, layout_.place(page), offset);
  }
  uint64_t get_shard_noc_addr(uint32_t shard_id, uint32_t offset = 0, uint8_t = NOC_INDEX,
                              tt_mock::Site site = tt_mock::here()) const {
    return address({"TensorAccessor::get_shard_noc_addr", site}, {shard_id, 0}, offset);
  }

  uint32_t get_aligned_page_size() const { return page_size_; }
  uint32_t get_bank_base_address() const { return bank_base_address_; }
  uint32_t get_shard_bytes() const { return layout_.shard_volume() * page_size_; }
  const auto& dspec() const { return layout_; }

  bool is_local_bank(uint32_t x, uint32_t y, uint8_t = NOC_INDEX) const {
    return x == tt_mock::core_x(false) && y == tt_mock::core_y(false);
  }
  bool is_local_addr(uint64_t noc_addr, uint8_t = NOC_INDEX,
                     tt_mock::Site site = tt_mock::here()) const {
    return tt_mock::is_own_l1({"TensorAccessor::is_local_addr", site}, noc_addr);
  }
  bool is_local_page(uint32_t page_id, uint8_t = NOC_INDEX) const {
    return is_local_shard(layout_.place(page_id).shard);
  }
  bool is_local_shard(uint32_t shard_id, uint8_t = NOC_INDEX) const {
    const uint32_t bank = layout_.bank_of(shard_id);
    return is_local_bank(layout_.bank_x(bank), layout_.bank_y(bank));
  }

  // Pages begin to end of the tensor; of a sharded one, all of them where the end is 0.
  tensor_accessor::PageRange<TensorAccessor> pages(uint32_t begin = 0, uint32_t end = 0,
                                                   uint8_t = NOC_INDEX,
                                                   tt_mock::Site site = tt_mock::here()) const {
    return {*this, begin, end == 0 ? layout_.tensor_volume() : end, 1, -1, site};
  }
  // Pages begin to end of a shard, to the end of the shard where the end is 0.
  tensor_accessor::PageRange<TensorAccessor> shard_pages(
      uint32_t shard_id, uint32_t begin = 0, uint32_t end = 0, uint8_t = NOC_INDEX,
      tt_mock::Site site = tt_mock::here()) const {
    return {*this, begin, end == 0 ? layout_.shard_volume() : end, 1, int64_t(shard_id), site};
  }
  bool shard_page_id(uint32_t shard_id, uint32_t page, uint32_t& page_id) const {
    return layout_.page_id({shard_id, page}, page_id);
  }

 private:
  uint64_t address(tt_mock::Call call, tensor_accessor::Place place, uint32_t offset) const {
    const uint32_t bank = layout_.bank_of(place.shard);
    const uint32_t page = layout_.shard_in_bank(place.shard) * layout_.shard_volume() + place.page;
    return tt_mock::l1_address(call, layout_.bank_x(bank), layout_.bank_y(bank),
                               bank_base_address_ + page * page_size_ + offset);
  }

  DSpec layout_;
  uint32_t bank_base_address_;
  uint32_t page_size_;
};

template <size_t CTA_OFFSET, size_t CRTA_OFFSET>
TensorAccessor(const TensorAccessorArgs<CTA_OFFSET, CRTA_OFFSET>&, uint32_t)
    -> TensorAccessor<TensorAccessorArgs<CTA_OFFSET, CRTA_OFFSET>>;
template <size_t CTA_OFFSET, size_t CRTA_OFFSET>
TensorAccessor(const TensorAccessorArgs<CTA_OFFSET, CRTA_OFFSET>&, uint32_t, uint32_t)
    -> TensorAccessor<TensorAccessorArgs<CTA_OFFSET, CRTA_OFFSET>>;
template <uint32_t CTA_OFFSET, uint32_t ADDR_CRTA_OFFSET>
TensorAccessor(tensor_accessor::TensorBindingToken<CTA_OFFSET, ADDR_CRTA_OFFSET>)
    -> TensorAccessor<TensorAccessorArgs<CTA_OFFSET, ADDR_CRTA_OFFSET / 4 + 1>>;
