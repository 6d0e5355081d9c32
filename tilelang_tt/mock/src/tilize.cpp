// Row-major memory to tiles, on the way in (tilize) and on the way out (pack_untilize).
#define TT_MOCK_COMPUTE
#include <algorithm>

#include "compute_state.h"
#include "packer.h"
#include "shadow.h"
#include "tile.h"
#include "tt_mock/compute.h"

namespace tt_mock {
namespace {

void require_row_major(const CircularBuffer& cb) {
  if (element_bytes(cb.config->format) == 0) {
    fail_unsupported("format", "circular buffer %s: %s has no row-major form", cb.config->name,
                     format_name(cb.config->format));
  }
}

// The bytes that the consumer may read from the front on.
const uint8_t* readable(Thread& thread, uint32_t index, uint32_t begin, uint32_t bytes) {
  CircularBuffer& cb = cb_at(thread, index);
  const uint32_t page_bytes = cb.config->page_bytes;
  if (begin + bytes > cb.waited * page_bytes) {
    likely("cb_wait_front is missing before the operation, or waits for fewer pages");
    fail("cb_read_without_wait", int(index), "bytes %u to %u are read, %u pages were waited for",
         begin, begin + bytes, cb.waited);
  }
  if (cb.read_page * page_bytes + begin + bytes > cb.config->pages * page_bytes) {
    likely("a block does not wrap in memory: page counts must divide the circular buffer");
    fail("cb_wrap", int(index), "%u bytes from page %u run over the end (%u pages)", begin + bytes,
         cb.read_page, cb.config->pages);
  }
  const uint32_t at = cb.offset + cb.read_page * page_bytes + begin;
  order_local_access(thread, cb, {at, at + bytes}, false);
  shadow_check_written(*thread.core, {at, at + bytes}, int(index), "tilizing");
  return thread.core->l1 + at;
}

// The bytes that the producer may write from the back on.
uint8_t* writable(Thread& thread, uint32_t index, uint32_t begin, uint32_t bytes) {
  CircularBuffer& cb = cb_at(thread, index);
  const uint32_t page_bytes = cb.config->page_bytes;
  if (cb.producer != Role::compute || begin + bytes > cb.reserved * page_bytes) {
    likely("cb_reserve_back is missing before packing, or reserves fewer pages");
    fail("cb_overrun", int(index), "bytes %u to %u are packed, %u pages are reserved", begin,
         begin + bytes, cb.producer == Role::compute ? cb.reserved : 0);
  }
  if (cb.write_page * page_bytes + begin + bytes > cb.config->pages * page_bytes) {
    likely("a block does not wrap in memory: page counts must divide the circular buffer");
    fail("cb_wrap", int(index), "%u bytes from page %u run over the end (%u pages)", begin + bytes,
         cb.write_page, cb.config->pages);
  }
  const uint32_t at = cb.offset + cb.write_page * page_bytes + begin;
  order_local_access(thread, cb, {at, at + bytes}, true);
  shadow_written(*thread.core, {at, at + bytes});
  touch_pages(*thread.core, {at, at + bytes});
  return thread.core->l1 + at;
}

// One tile out of rows of `stride` bytes, into destination tile 0.
void unpack_rows(Thread& thread, const CircularBuffer& cb, const uint8_t* bytes, uint32_t stride) {
  const uint32_t format = cb.config->format;
  DstTile& out = dst_overwrite(thread, 0);
  for (uint32_t row = 0; row < tile_side; ++row) {
    row_unpack(format, bytes + row * stride, out.values + row * tile_side, tile_side);
  }
  store_unpacked(out, cb);
  run_operation(thread, work_of_one(tile_bytes(format), run->timing.math.copy));
}

}  // namespace

void tilize_init(Call call, uint32_t cb, uint32_t row_tiles, uint32_t cb_out) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb_out);
  require_row_major(cb_at(thread, cb));
  set_init(compute_of(thread), call, {Unit::tilize, {row_tiles, 0, 0, 0}});
}

void tilize_uninit(Call call, uint32_t cb, uint32_t cb_out) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  cb_at(thread, cb_out);
  require_init_of(compute_of(thread), Unit::tilize);
  set_init(compute_of(thread), call, {});
}

void tilize(Call call, uint32_t index, uint32_t tiles, uint32_t cb_out, uint32_t first_in,
            uint32_t first_out) {
  Thread& thread = begin(call, Op::copy);
  Compute& compute = compute_of(thread);
  const CircularBuffer& cb = cb_at(thread, index);
  require_init(compute, {Unit::tilize, {tiles, 0, 0, 0}});
  require_source_a(compute, cb);
  if (first_in % tiles != 0) {
    fail("args_out_of_range", int(index), "input tile %u is not the first of a row of %u", first_in,
         tiles);
  }
  const uint32_t tile_width = tile_side * element_bytes(cb.config->format);
  const uint32_t stride = tiles * tile_width;
  // A row of tiles is 32 rows of elements.
  const uint8_t* rows =
      readable(thread, index, first_in / tiles * tile_side * stride, tile_side * stride);
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    dst_acquire(call);
    unpack_rows(thread, cb, rows + tile * tile_width, stride);
    dst_commit(call);
    dst_wait(call);
    pack(call, 0, cb_out, true, first_out + tile);
    dst_release(call);
  }
}

void untilize_pack_init(Call call, UntilizeShape shape, uint32_t cb_out) {
  if (deferred([=] { untilize_pack_init(call, shape, cb_out); })) {
    return;
  }
  Thread& thread = begin(call, Op::init);
  const CircularBuffer& cb = cb_at(thread, cb_out);
  require_row_major(cb);
  Compute& compute = compute_of(thread);
  require_startup(compute);
  if (shape.block > run->program->device.dst_tiles) {
    likely("32-bit and half-sync modes have fewer destination tiles");
    fail("dst_out_of_range", int(cb_out), "blocks of %u tiles in a destination register of %u",
         shape.block, run->program->device.dst_tiles);
  }
  run_pack(thread, run->timing.compute[uint32_t(Op::init)]);
  compute.untilize_block = shape.block;
  compute.untilize_full = shape.full;
  compute.pack_format = cb.config->format;
}

void untilize_pack_uninit(Call call, uint32_t cb_out) {
  if (deferred([=] { untilize_pack_uninit(call, cb_out); })) {
    return;
  }
  Thread& thread = begin(call, Op::init);
  Compute& compute = compute_of(thread);
  if (compute.untilize_block == 0) {
    likely("the init of this untilize is missing");
    fail("missing_init", int(cb_out), "the packer does not untilize");
  }
  run_pack(thread, run->timing.compute[uint32_t(Op::init)]);
  compute.untilize_block = 0;
  compute.untilize_full = 0;
  compute.pack_format = cb_at(thread, cb_out).config->format;
}

void untilize_pack(Call call, UntilizeShape shape, uint32_t cb_out, uint32_t row_blocks,
                   uint32_t column_block, uint32_t first_dst) {
  if (deferred([=] { untilize_pack(call, shape, cb_out, row_blocks, column_block, first_dst); })) {
    return;
  }
  Thread& thread = begin(call, Op::pack);
  Compute& compute = compute_of(thread);
  const CircularBuffer& cb = cb_at(thread, cb_out);
  if (compute.untilize_block != shape.block || compute.untilize_full != shape.full) {
    likely("each width of pack_untilize needs its own init");
    fail("missing_init", int(cb_out), "the packer untilizes rows of %u tiles in blocks of %u",
         compute.untilize_full, compute.untilize_block);
  }
  require_pack_format(compute, cb);
  const uint32_t format = cb.config->format;
  const uint32_t width = element_bytes(format);
  const uint32_t stride = shape.full * tile_side * width;
  for (uint32_t block = 0; block < row_blocks; ++block) {
    for (uint32_t tile = 0; tile < shape.block; ++tile) {
      const DstTile& from = dst_packed(thread, first_dst + block * shape.block + tile);
      require_packable_kind(cb, from);
      const uint32_t column = column_block * shape.block + tile;
      const uint32_t first_row = block * shape.full * cb.config->page_bytes;
      for (uint32_t row = 0; row < tile_side; ++row) {
        const uint32_t begin_row = first_row + row * stride + column * tile_side * width;
        uint8_t* bytes = writable(thread, cb_out, begin_row, tile_side * width);
        row_pack(format, from.values + row * tile_side, bytes, tile_side);
      }
      run_pack(thread, width > 2 ? run->timing.pack.wide_tile : run->timing.pack.tile);
    }
  }
}

void untilize(Call call, UntilizeShape shape, uint32_t index, uint32_t row_blocks, uint32_t cb_out,
              uint32_t column_block) {
  for (uint32_t block = 0; block < row_blocks; ++block) {
    dst_acquire(call);
    for (uint32_t tile = 0; tile < shape.block; ++tile) {
      copy(call, index, tile, tile);
    }
    dst_commit(call);
    dst_wait(call);
    untilize_pack(call, shape, cb_out, 1, column_block, 0);
    dst_release(call);
  }
}

void unpack_untilize_init(Call call, uint32_t cb) {
  Thread& thread = begin(call, Op::init);
  require_row_major(cb_at(thread, cb));
  set_init(compute_of(thread), call, {Unit::untilize, {}});
}

void unpack_untilize_uninit(Call call, uint32_t cb) {
  Thread& thread = begin(call, Op::init);
  cb_at(thread, cb);
  require_init_of(compute_of(thread), Unit::untilize);
  set_init(compute_of(thread), call, {});
}

// A row of tiles leaves as 32 rows of elements.
void unpack_untilize(Call call, uint32_t index, uint32_t tiles, uint32_t cb_out) {
  packer_join();
  Thread& thread = begin(call, Op::copy);
  Compute& compute = compute_of(thread);
  const CircularBuffer& in = cb_at(thread, index);
  CircularBuffer& out = cb_at(thread, cb_out);
  require_init(compute, {Unit::untilize, {}});
  require_source_a(compute, in);
  require_pack_format(compute, out);
  require_row_major(out);
  const uint32_t format = out.config->format;
  const uint32_t width = element_bytes(format);
  const uint32_t begin_block = out.packed * out.config->page_bytes;
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    dst_acquire(call);
    DstTile& held = dst_overwrite(thread, 0);
    alignas(64) float scratch[tile_elements];
    std::copy_n(operand(thread, index, tile, View::full, scratch), tile_elements, held.values);
    store_unpacked(held, in);
    run_operation(thread, work_of_one(in.config->page_bytes, run->timing.math.copy));
    dst_commit(call);
    dst_wait(call);
    const DstTile& from = dst_packed(thread, 0);
    require_packable_kind(out, from);
    for (uint32_t row = 0; row < tile_side; ++row) {
      const uint32_t at = begin_block + (row * tiles + tile) * tile_side * width;
      row_pack(format, from.values + row * tile_side,
               writable(thread, cb_out, at, tile_side * width), tile_side);
    }
    run_pack(thread, width > 2 ? run->timing.pack.wide_tile : run->timing.pack.tile);
    dst_release(call);
  }
  out.packed += tiles;
}

}  // namespace tt_mock
