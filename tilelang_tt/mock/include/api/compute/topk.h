// Sorting of columns: local sort, merge and rebuild of the bitonic top-k algorithm.
#pragma once

#include "api/compute/compute_kernel_api.h"
#include "tt_mock/sfpu_calls.h"
#include "tt_mock/unavailable.h"

namespace ckernel {

enum class TopkTieOrder : uint8_t { Unset, Ascending, Descending };

// The order of equal values follows that of the whole sort, not that of one call.
constexpr TopkTieOrder topk_tie_order_from_global_direction(bool descending) {
  return descending ? TopkTieOrder::Descending : TopkTieOrder::Ascending;
}

// Sorts that carry index or rank inside the word of the value.
template <bool fused, bool rank_stamped>
inline void topk_require_plain(tt_mock::Call call) {
  if (fused || rank_stamped) {
    tt_mock::unsupported(call, "sorting words that have an index or a rank beside the value");
  }
}

template <bool stable_sort, TopkTieOrder tie_order>
constexpr tt_mock::SortTies topk_ties() {
  static_assert(!stable_sort || tie_order != TopkTieOrder::Unset,
                "a stable sort needs the order of equal values");
  return {stable_sort, tie_order == TopkTieOrder::Descending};
}

template <bool fused = false, bool rank_stamped = false, uint32_t tag_bits = 16>
inline void topk_tile_init(TT_MOCK_SITE) {
  topk_require_plain<fused, rank_stamped>({"topk_tile_init", site});
  tt_mock::sfpu_init({"topk_tile_init", site}, tt_mock::Sfpu::topk_local_sort, 0);
}

template <bool stable_sort = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE, bool fused = false,
          bool rank_stamped = false, TopkTieOrder tie_order = TopkTieOrder::Unset>
inline void topk_local_sort(uint32_t idst, int idir, int i_end_phase, int i_start_phase = 0,
                            int i_end_step = 0, int i_start_step = 0, TT_MOCK_SITE) {
  topk_require_plain<fused, rank_stamped>({"topk_local_sort", site});
  tt_mock::topk_local_sort({"topk_local_sort", site}, idst, idir != 0,
                           {uint32_t(i_end_phase), uint32_t(i_start_phase), uint32_t(i_end_step),
                            uint32_t(i_start_step)},
                           topk_ties<stable_sort, tie_order>());
}

template <bool idir = false, bool stable_sort = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE,
          bool fused = false, bool rank_stamped = false,
          TopkTieOrder tie_order = TopkTieOrder::Unset, uint32_t tag_bits = 16>
inline void topk_merge(uint32_t idst, int m_iter, int k, TT_MOCK_SITE) {
  topk_require_plain<fused, rank_stamped>({"topk_merge", site});
  tt_mock::topk_merge({"topk_merge", site}, idst, idir, uint32_t(m_iter), uint32_t(k),
                      topk_ties<stable_sort, tie_order>());
}

template <bool stable_sort = false, bool is_fp32_dest_acc_en = DST_ACCUM_MODE, bool fused = false,
          bool rank_stamped = false, TopkTieOrder tie_order = TopkTieOrder::Unset>
inline void topk_rebuild(uint32_t idst, bool idir, int m_iter, int k, int logk, int skip_second,
                         TT_MOCK_SITE) {
  topk_require_plain<fused, rank_stamped>({"topk_rebuild", site});
  tt_mock::topk_rebuild({"topk_rebuild", site}, idst, idir,
                        {uint32_t(m_iter), uint32_t(k), uint32_t(logk), (skip_second & 1) != 0},
                        topk_ties<stable_sort, tie_order>());
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
inline void topk_canonicalize_negzero_values(uint32_t idst, TT_MOCK_SITE) {
  tt_mock::topk_positive_zeros({"topk_canonicalize_negzero_values", site}, idst);
}

template <bool is_fp32_dest_acc_en = DST_ACCUM_MODE>
inline void topk_finalize_uint16_indices(uint32_t idst, TT_MOCK_SITE) {
  tt_mock::topk_finish_indices({"topk_finalize_uint16_indices", site}, idst);
}

// Does something for values of UInt16 only, which the mock does not sort.
inline void topk_uint16_prepare_value_tile_for_pack(uint32_t) {}

TT_MOCK_UNAVAILABLE(topk_fuse_tile)
TT_MOCK_UNAVAILABLE(topk_defuse_tile)
TT_MOCK_UNAVAILABLE(topk_stamp_local_positions)
TT_MOCK_UNAVAILABLE(topk_stamp_tile_rank_range)
TT_MOCK_UNAVAILABLE(topk_strip_rank_tags)
TT_MOCK_UNAVAILABLE(topk_uint16_move_dest_tile_to_pack_half)

}  // namespace ckernel
