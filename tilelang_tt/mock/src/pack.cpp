// The packer: from the destination register, through rounding, ReLU and accumulation, into a
// reserved page.
#define TT_MOCK_COMPUTE
#include <algorithm>
#include <cstring>

#include "compute_state.h"
#include "packer.h"
#include "shadow.h"
#include "tile.h"
#include "tt_mock/compute.h"

namespace tt_mock {
namespace {

// Whether a page that the kernel has not reserved is one that it has waited for: a value is replaced
// where it lies. That breaks the rules of the buffer, and nobody else can see it.
bool is_in_place(const CircularBuffer& cb, uint32_t index) {
  const uint32_t pages = cb.config->pages;
  const uint32_t after_front = (cb.write_page + index + pages - cb.read_page) % pages;
  return cb.consumer == Role::compute && after_front < cb.waited;
}

uint32_t output_page(CircularBuffer& cb, bool explicit_page, uint32_t page) {
  const uint32_t index = explicit_page ? page : cb.packed++;
  if (index >= cb.reserved) {
    likely("cb_reserve_back is missing before packing, or reserves fewer pages");
    constexpr const char* message = "page %u is packed, %u pages are reserved";
    const auto number = int(cb.config->index);
    if (!is_in_place(cb, index)) {
      fail("cb_overrun", number, message, index, cb.reserved);
    }
    note("cb_overrun", number, message, index, cb.reserved);
  }
  if (cb.write_page + index >= cb.config->pages) {
    likely("a block does not wrap in memory: page counts must divide the circular buffer");
    fail("cb_wrap", int(cb.config->index), "page %u from page %u runs over the end (%u pages)",
         index, cb.write_page, cb.config->pages);
  }
  return cb.write_page + index;
}

void require_packable(const Compute& compute, const CircularBuffer& cb, const DstTile& tile) {
  if (cb.producer != Role::compute) {
    likely("cb_reserve_back is missing before packing");
    fail("cb_overrun", int(cb.config->index), "the compute kernel has reserved no page");
  }
  if (cb.tile_bytes == 0 || cb.config->page_bytes != cb.tile_bytes) {
    fail("cb_page_size", int(cb.config->index),
         "the packer needs pages of one tile, %u bytes; got %u", cb.tile_bytes,
         cb.config->page_bytes);
  }
  if (compute.untilize_block != 0) {
    likely("pack_untilize_uninit is missing before this call");
    fail("missing_init", int(cb.config->index), "the packer is set up to untilize");
  }
  require_pack_format(compute, cb);
  require_packable_kind(cb, tile);
}

void apply_mask(ReduceMask mask, float* words) {
  for (uint32_t i = 0; i < tile_elements; ++i) {
    const uint32_t row = i / tile_side;
    const uint32_t column = i % tile_side;
    const bool keep = mask == ReduceMask::first_column ? column == 0
                      : mask == ReduceMask::first_row  ? row == 0
                                                       : i == 0;
    words[i] = keep ? words[i] : 0.0F;
  }
}

void apply_relu(const Compute& compute, float* words) {
  const float threshold = compute.relu_threshold;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    switch (static_cast<ReluType>(compute.relu_mode)) {
      case ReluType::NO_RELU:
        break;
      case ReluType::ZERO_RELU:
        words[i] = words[i] > 0.0F ? words[i] : 0.0F;
        break;
      case ReluType::MIN_THRESHOLD_RELU:
        words[i] = words[i] > threshold ? words[i] : 0.0F;
        break;
      case ReluType::MAX_THRESHOLD_RELU:
        words[i] = std::max(0.0F, std::min(words[i], threshold));
        break;
    }
  }
}

// The packer adds what it has rounded already to what L1 holds.
void add_l1(uint32_t format, float* words, const uint8_t* page) {
  float held[tile_elements];
  tile_unpack(format, page, held);
  if (is_integer(format)) {
    for (uint32_t i = 0; i < tile_elements; ++i) {
      uint32_t a, b;
      memcpy(&a, &words[i], sizeof a);
      memcpy(&b, &held[i], sizeof b);
      a += b;
      memcpy(&words[i], &a, sizeof a);
    }
    return;
  }
  round_to_format(format, words);
  for (uint32_t i = 0; i < tile_elements; ++i) {
    words[i] += held[i];
  }
}

Cycles cost(const Compute& compute, const CircularBuffer& cb) {
  const PackTiming& costs = run->timing.pack;
  constexpr uint32_t narrow_bytes = 2 * tile_elements;
  const Cycles tile = cb.tile_bytes > narrow_bytes ? costs.wide_tile : costs.tile;
  return compute.l1_accumulate ? tile * costs.accumulate : tile;
}

bool changes_values(const Compute& compute) {
  return compute.mask != ReduceMask::none || compute.relu_mode != 0 || compute.l1_accumulate;
}

}  // namespace

void require_pack_format(const Compute& compute, const CircularBuffer& cb) {
  if (compute.pack_format != cb.config->format) {
    likely("pack_reconfig_data_format is missing");
    note("format_not_configured", int(cb.config->index),
         "the packer is configured for %s, the circular buffer holds %s",
         format_name(compute.pack_format), format_name(cb.config->format));
  }
}

void require_packable_kind(const CircularBuffer& cb, const DstTile& tile) {
  if (is_integer(cb.config->format) != (tile.kind == DstKind::integer)) {
    likely("typecast_tile is missing");
    fail("dst_kind", int(cb.config->index), "the destination tile holds %s, the circular buffer %s",
         tile.kind == DstKind::integer ? "integers" : "floats", format_name(cb.config->format));
  }
}

void pack_init(Call call, uint32_t cb) {
  if (deferred([=] { pack_init(call, cb); })) {
    return;
  }
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  require_startup(compute_of(thread));
  run_pack(thread, run->timing.compute[uint32_t(Op::init)]);
}

void pack_l1_accumulate(Call call, bool enable) {
  if (deferred([=] { pack_l1_accumulate(call, enable); })) {
    return;
  }
  Thread& thread = begin(call, Op::configure);
  run_pack(thread, run->timing.compute[uint32_t(Op::configure)]);
  compute_of(thread).l1_accumulate = enable;
}

void pack_relu(Call call, ReluType type, uint32_t threshold) {
  if (deferred([=] { pack_relu(call, type, threshold); })) {
    return;
  }
  Thread& thread = begin(call, Op::configure);
  run_pack(thread, run->timing.compute[uint32_t(Op::configure)]);
  Compute& compute = compute_of(thread);
  compute.relu_mode = uint32_t(type);
  const uint32_t bits = threshold << 16;  // the register holds a bfloat16
  memcpy(&compute.relu_threshold, &bits, sizeof bits);
}

void pack(Call call, uint32_t dst, uint32_t index, bool explicit_page, uint32_t page) {
  if (deferred([=] { pack(call, dst, index, explicit_page, page); })) {
    return;
  }
  Thread& thread = begin(call, Op::pack);
  Compute& compute = compute_of(thread);
  CircularBuffer& cb = cb_at(thread, index);
  require_startup(compute);
  const DstTile& tile = dst_packed(thread, dst);
  require_packable(compute, cb, tile);
  const uint32_t to = output_page(cb, explicit_page, page);
  uint8_t* bytes = thread.core->l1 + cb.offset + to * cb.config->page_bytes;
  ++cb.pages[to].generation;
  const auto offset = uint32_t(bytes - thread.core->l1);
  const Range range{offset, offset + cb.tile_bytes};
  if (compute.l1_accumulate) {
    shadow_check_written(*thread.core, range, int(index), "accumulating onto");
  }
  order_local_access(thread, cb, range, true);
  shadow_written(*thread.core, range);
  run_pack(thread, cost(compute, cb));
  if (!changes_values(compute)) {
    tile_pack(cb.config->format, tile.values, bytes);
    return;
  }
  float words[tile_elements];
  std::copy_n(tile.values, tile_elements, words);
  if (compute.mask != ReduceMask::none) {
    apply_mask(compute.mask, words);
  }
  if (compute.relu_mode != 0) {
    apply_relu(compute, words);
  }
  if (compute.l1_accumulate) {
    add_l1(cb.config->format, words, bytes);
  }
  tile_pack(cb.config->format, words, bytes);
}

}  // namespace tt_mock
