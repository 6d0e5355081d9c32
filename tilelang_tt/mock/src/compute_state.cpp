// The state machines of a compute thread: formats, inits, destination register sections.
#define TT_MOCK_COMPUTE
#include "compute_state.h"

#include <algorithm>

#include "packer.h"
#include "shadow.h"
#include "tile.h"
#include "tt_mock/compute.h"

namespace tt_mock {
namespace {

void require_format(uint32_t configured, const CircularBuffer& cb, const char* unit,
                    const char* remedy) {
  if (configured != cb.config->format) {
    likely(remedy);
    note("format_not_configured", int(cb.config->index),
         "%s is configured for %s, the circular buffer holds %s", unit, format_name(configured),
         format_name(cb.config->format));
  }
}

void require_tile_pages(const CircularBuffer& cb) {
  if (cb.tile_bytes == 0) {
    fail_unsupported("format", "circular buffer %s: the mock has no tiles of format %u",
                     cb.config->name, cb.config->format);
  }
  if (cb.config->page_bytes != cb.tile_bytes) {
    fail("cb_page_size", int(cb.config->index),
         "the compute engine needs pages of one %s tile, %u bytes; got %u",
         format_name(cb.config->format), cb.tile_bytes, cb.config->page_bytes);
  }
}

DstSection& math_section(Compute& compute) {
  return compute.sections[(compute.first_committed + compute.committed) % compute.sections.size()];
}

DstTile& slot_at(DstSection& section, uint32_t slot) {
  if (slot >= run->program->device.dst_tiles) {
    likely("32-bit and half-sync modes have fewer destination tiles");
    fail("dst_out_of_range", -1, "destination tile %u of %u", slot, run->program->device.dst_tiles);
  }
  return section.tiles[slot];
}

DstTile& math_slot(Thread& thread, uint32_t slot) {
  Compute& compute = compute_of(thread);
  if (!compute.acquired) {
    likely("tile_regs_acquire is missing");
    fail("dst_protocol", -1, "the destination register is not acquired");
  }
  return slot_at(math_section(compute), slot);
}

void require_written(const DstTile& tile, uint32_t slot) {
  if (!tile.written()) {
    likely("no operation has written this tile since tile_regs_acquire");
    fail("dst_uninitialised", -1, "destination tile %u is read before it is written", slot);
  }
}

// Float32 loses bits on its way through a source register.
bool is_cut_to_tf32(const CircularBuffer& cb) {
  return cb.config->format == uint32_t(DataFormat::Float32) &&
         cb.config->unpack_to_dest_fp32 == 0 && run->program->device.ieee == 0;
}

void unpack_view(const CircularBuffer& cb, View view, const uint8_t* bytes, float* words) {
  constexpr uint32_t tf32_significand = 11;
  tile_unpack(cb.config->format, bytes, words);
  if (is_cut_to_tf32(cb)) {
    truncate_significand(words, words, tf32_significand);
  }
  switch (view) {
    case View::high5:
      return truncate_significand(words, words, 5);
    case View::high7:
      return truncate_significand(words, words, 7);
    case View::low7: {
      alignas(64) float high[tile_elements];
      truncate_significand(words, high, 7);
      return subtract(words, high, words);
    }
    default:
      return;
  }
}

}  // namespace

const char* format_name(uint32_t format) {
  switch (static_cast<DataFormat>(format)) {
    case DataFormat::Float32:
      return "Float32";
    case DataFormat::Float16:
      return "Float16";
    case DataFormat::Float16_b:
      return "Float16_b";
    case DataFormat::Int32:
      return "Int32";
    case DataFormat::UInt32:
      return "UInt32";
    case DataFormat::UInt16:
      return "UInt16";
    case DataFormat::UInt8:
      return "UInt8";
    case DataFormat::Int8:
      return "Int8";
    case DataFormat::Bfp8_b:
      return "Bfp8_b";
    case DataFormat::Bfp4_b:
      return "Bfp4_b";
    default:
      return "an unknown format";
  }
}

void require_startup(const Compute& compute) {
  if (!compute.started) {
    likely("compute_kernel_hw_startup comes first in a compute kernel");
    fail("missing_init", -1, "compute_kernel_hw_startup has not been called");
  }
}

void set_init(Compute& compute, Call call, Init init) {
  require_startup(compute);
  const Cycles cycles = run->timing.compute[uint32_t(Op::init)];
  charge(*run->current->core, Engine::unpack, cycles, call.name);
  charge(*run->current->core, Engine::math, cycles, call.name);
  compute.init = init;
  compute.init_call = call;
}

namespace {

void note_init(const Compute& compute) {
  likely("each operation needs its own init after an init of another one, with the same parameters");
  note("missing_init", -1, "the last init of the unpack and math engines is %s of line %u",
       compute.init_call.name, compute.init_call.site.line);
}

}  // namespace

void require_init(const Compute& compute, const Init& expected) {
  if (!(compute.init == expected)) {
    note_init(compute);
  }
}

void require_init_of(const Compute& compute, Unit unit) {
  if (compute.init.unit != unit) {
    note_init(compute);
  }
}

void require_source_a(const Compute& compute, const CircularBuffer& cb) {
  require_format(compute.source_a_format, cb, "SrcA",
                 "reconfig_data_format_srca is missing (matmul puts in1 into SrcA)");
}

void require_source_b(const Compute& compute, const CircularBuffer& cb) {
  require_format(compute.source_b_format, cb, "SrcB",
                 "reconfig_data_format_srcb is missing (matmul puts in0 into SrcB)");
}

void require_fpu_operand(const CircularBuffer& cb) {
  if (cb.config->unpack_to_dest_fp32 != 0) {
    likely("give the value a second circular buffer without unpack_to_dest_fp32, or use the SFPU");
    fail("unpack_to_dest_operand", int(cb.config->index),
         "a circular buffer that unpacks to the destination register cannot feed the FPU");
  }
  if (is_integer(cb.config->format)) {
    fail_unsupported("format", "the FPU has no %s arithmetic in the mock",
                     format_name(cb.config->format));
  }
}

const uint8_t* operand_bytes(Thread& thread, uint32_t index, uint32_t tile) {
  CircularBuffer& cb = cb_at(thread, index);
  require_tile_pages(cb);
  if (tile >= cb.waited) {
    likely("cb_wait_front is missing before the operation, or waits for fewer pages");
    fail("cb_read_without_wait", int(index), "tile %u is read, %u pages were waited for", tile,
         cb.waited);
  }
  if (cb.read_page + tile >= cb.config->pages) {
    likely("a block does not wrap in memory: page counts must divide the circular buffer");
    fail("cb_wrap", int(index), "tile %u from page %u runs over the end (%u pages)", tile,
         cb.read_page, cb.config->pages);
  }
  const uint32_t offset = cb.offset + (cb.read_page + tile) * cb.config->page_bytes;
  order_local_access(thread, cb, {offset, offset + cb.tile_bytes}, false);
  return thread.core->l1 + offset;
}

namespace {

// The view that the page keeps, or none of its present bytes.
const float* kept_view(const Page& page, View view) {
  const bool current = page.view_generation[uint32_t(view)] == page.generation;
  return current ? page.views[uint32_t(view)].get() : nullptr;
}

const float* unpack_operand(Thread& thread, const CircularBuffer& cb, View view,
                            const uint8_t* bytes, float* words) {
  const auto offset = uint32_t(bytes - thread.core->l1);
  shadow_check_written(*thread.core, {offset, offset + cb.tile_bytes}, int(cb.config->index),
                       "unpacking");
  unpack_view(cb, view, bytes, words);
  return words;
}

}  // namespace

const float* operand_kept(Thread& thread, uint32_t index, uint32_t tile, View view) {
  const uint8_t* bytes = operand_bytes(thread, index, tile);
  CircularBuffer& cb = thread.core->cbs[index];
  Page& page = cb.pages[cb.read_page + tile];
  if (const float* kept = kept_view(page, view)) {
    return kept;
  }
  auto& words = page.views[uint32_t(view)];
  if (!words) {
    words.reset(new float[tile_elements]);
  }
  page.view_generation[uint32_t(view)] = page.generation;
  return unpack_operand(thread, cb, view, bytes, words.get());
}

const float* operand(Thread& thread, uint32_t index, uint32_t tile, View view, float* scratch) {
  const uint8_t* bytes = operand_bytes(thread, index, tile);
  const CircularBuffer& cb = thread.core->cbs[index];
  const float* kept = kept_view(cb.pages[cb.read_page + tile], view);
  return kept != nullptr ? kept : unpack_operand(thread, cb, view, bytes, scratch);
}

DstTile& dst_accumulate(Thread& thread, uint32_t slot) {
  DstTile& tile = math_slot(thread, slot);
  if (!tile.written()) {
    tile.claim();
    std::fill_n(tile.values, tile_elements, 0.0F);
  }
  return tile;
}

DstTile& dst_overwrite(Thread& thread, uint32_t slot) {
  DstTile& tile = math_slot(thread, slot);
  tile.claim();
  return tile;
}

bool dst_is_written(Thread& thread, uint32_t slot) { return math_slot(thread, slot).written(); }

DstTile& dst_read(Thread& thread, uint32_t slot) {
  DstTile& tile = math_slot(thread, slot);
  require_written(tile, slot);
  return tile;
}

DstTile& dst_packed(Thread& thread, uint32_t slot) {
  Compute& compute = compute_of(thread);
  if (!compute.packing) {
    likely("tile_regs_commit and tile_regs_wait come before packing, tile_regs_release after it");
    fail("dst_protocol", -1, "the packer does not own the destination register");
  }
  DstTile& tile = slot_at(compute.sections[compute.first_committed], slot);
  require_written(tile, slot);
  return tile;
}

void dst_round(DstTile& tile, Rounding rounding) {
  if ((tile.kind != DstKind::bfloat16 && tile.kind != DstKind::float16) ||
      run->program->device.ieee != 0) {
    return;
  }
  const bool brain = tile.kind == DstKind::bfloat16;
  switch (rounding) {
    case Rounding::away:
      return round_to_format(uint32_t(brain ? DataFormat::Float16_b : DataFormat::Float16),
                             tile.values);
    case Rounding::cut:
      return brain ? cut_to_bfloat16(tile.values) : cut_to_float16(tile.values);
    case Rounding::even:
      return brain ? round_to_bfloat16(tile.values) : round_to_float16(tile.values);
  }
}

DstKind float_kind(DataFormat format) {
  if (run->program->device.fp32_dest != 0) {
    return DstKind::float32;
  }
  return format == DataFormat::Float16 ? DstKind::float16 : DstKind::bfloat16;
}

void store_unpacked(DstTile& tile, const CircularBuffer& cb) {
  const bool wide = cb.config->unpack_to_dest_fp32 != 0 ||
                    cb.config->format == uint32_t(DataFormat::Int32) ||
                    cb.config->format == uint32_t(DataFormat::UInt32);
  if (wide && run->program->device.fp32_dest == 0) {
    likely("the program needs fp32_dest_acc");
    fail("dst_width", int(cb.config->index),
         "32-bit values do not fit a 16-bit destination register");
  }
  if (is_integer(cb.config->format)) {
    tile.kind = DstKind::integer;
    return;
  }
  tile.kind = float_kind(DataFormat(cb.config->format));
  if (cb.config->format != uint32_t(DataFormat::Float32)) {
    return;  // its values fit a 16-bit register as they are
  }
  if (is_cut_to_tf32(cb)) {
    constexpr uint32_t tf32_significand = 11;
    truncate_significand(tile.values, tile.values, tf32_significand);
  }
  dst_round(tile, Rounding::away);
}

void dst_store_float(DstTile& tile, uint32_t operand_format) {
  tile.kind = float_kind(DataFormat(operand_format));
  dst_round(tile, Rounding::away);
}

// Format configuration.

void hw_startup(Call call, uint32_t cb_a, uint32_t cb_b, uint32_t cb_out) {
  packer_join();
  Thread& thread = begin(call, Op::configure);
  Compute& compute = compute_of(thread);
  if (compute.started) {
    likely("use the reconfig functions after the first operation");
    note("startup_repeated", -1, "compute_kernel_hw_startup is called a second time");
  }
  compute.started = true;
  compute.source_a_format = cb_at(thread, cb_a).config->format;
  compute.source_b_format = cb_at(thread, cb_b).config->format;
  compute.pack_format = cb_at(thread, cb_out).config->format;
  for (const Engine engine : {Engine::unpack, Engine::math, Engine::pack}) {
    charge(*thread.core, engine, run->timing.startup, call.name);
  }
}

namespace {

Thread& begin_reconfigure(Call call, uint32_t Compute::* format) {
  Thread& thread = begin(call, Op::configure);
  require_startup(compute_of(thread));
  const Engine engine = format == &Compute::pack_format ? Engine::pack : Engine::unpack;
  charge(*thread.core, engine, run->timing.compute[uint32_t(Op::configure)], call.name);
  return thread;
}

void reconfigure(Call call, uint32_t Compute::* format, uint32_t cb) {
  Thread& thread = begin_reconfigure(call, format);
  compute_of(thread).*format = cb_at(thread, cb).config->format;
}

// The form that trusts its caller about what is configured: equal formats change nothing.
void reconfigure(Call call, uint32_t Compute::* format, uint32_t old_cb, uint32_t cb) {
  Thread& thread = begin_reconfigure(call, format);
  if (cb_at(thread, old_cb).config->format != cb_at(thread, cb).config->format) {
    compute_of(thread).*format = cb_at(thread, cb).config->format;
  }
}

}  // namespace

void reconfig_source_a(Call call, uint32_t cb) { reconfigure(call, &Compute::source_a_format, cb); }
void reconfig_source_b(Call call, uint32_t cb) { reconfigure(call, &Compute::source_b_format, cb); }
void reconfig_pack(Call call, uint32_t cb) {
  on_packer([=] { reconfigure(call, &Compute::pack_format, cb); });
}
void reconfig_source_a(Call call, uint32_t old_cb, uint32_t cb) {
  reconfigure(call, &Compute::source_a_format, old_cb, cb);
}
void reconfig_source_b(Call call, uint32_t old_cb, uint32_t cb) {
  reconfigure(call, &Compute::source_b_format, old_cb, cb);
}
void reconfig_pack(Call call, uint32_t old_cb, uint32_t cb) {
  on_packer([=] { reconfigure(call, &Compute::pack_format, old_cb, cb); });
}

// Destination register sections: math fills one while the packer empties the one before.

namespace {

Compute& begin_section(Call call, Engine engine) {
  Thread& thread = begin(call, Op::dst_section);
  charge(*thread.core, engine, run->timing.compute[uint32_t(Op::dst_section)], call.name);
  return compute_of(thread);
}

size_t math_section_index(const Compute& compute) {
  return (compute.first_committed + compute.committed) % compute.sections.size();
}

Cycles visible_from(Engine engine) {
  return run->current->core->clock.engines[uint32_t(engine)].now + run->timing.dst_visible;
}

}  // namespace

void dst_acquire(Call call) {
  Compute& compute = begin_section(call, Engine::math);
  if (compute.acquired) {
    likely("tile_regs_commit is missing before this acquire");
    fail("dst_protocol", -1, "the destination register is acquired already");
  }
  if (compute.committed == compute.sections.size() && packer_is_behind()) {
    block_until({WaitKind::section});
  }
  if (compute.committed == compute.sections.size()) {
    fail_unsupported(
        "dst_order",
        "all %zu sections are committed and not released; the mock runs math and pack in "
        "program order",
        compute.sections.size());
  }
  compute.acquired = true;
  Core& core = *run->current->core;
  wait_until(core, Engine::math, core.clock.sections[math_section_index(compute)].free,
             Stall::destination, call.name);
  DstSection& section = math_section(compute);
  for (uint32_t slot = 0; slot < run->program->device.dst_tiles; ++slot) {
    section.tiles[slot].clear();
  }
}

void dst_commit(Call call) {
  Compute& compute = begin_section(call, Engine::math);
  if (!compute.acquired) {
    likely("tile_regs_acquire is missing before this commit");
    fail("dst_protocol", -1, "the destination register is not acquired");
  }
  compute.acquired = false;
  run->current->core->clock.sections[math_section_index(compute)].ready =
      visible_from(Engine::math);
  ++compute.committed;
}

void dst_wait(Call call) {
  if (deferred([=] { dst_wait(call); })) {
    return;
  }
  Compute& compute = begin_section(call, Engine::pack);
  if (compute.packing) {
    likely("tile_regs_release is missing before this wait");
    fail("dst_protocol", -1, "the packer owns the destination register already");
  }
  if (compute.committed == 0) {
    likely("tile_regs_commit is missing before this wait, which would never end");
    fail("dst_protocol", -1, "no section of the destination register is committed");
  }
  compute.packing = true;
  Core& core = *run->current->core;
  wait_until(core, Engine::pack, core.clock.sections[compute.first_committed].ready,
             Stall::destination, call.name);
}

void dst_release(Call call) {
  if (deferred([=] { dst_release(call); })) {
    return;
  }
  Compute& compute = begin_section(call, Engine::pack);
  if (!compute.packing) {
    likely("tile_regs_wait is missing before this release");
    fail("dst_protocol", -1, "the packer does not own the destination register");
  }
  compute.packing = false;
  DstSection& section = compute.sections[compute.first_committed];
  for (uint32_t slot = 0; slot < run->program->device.dst_tiles; ++slot) {
    section.tiles[slot].clear();
  }
  run->current->core->clock.sections[compute.first_committed].free = visible_from(Engine::pack);
  --compute.committed;
  compute.first_committed = (compute.first_committed + 1) % uint32_t(compute.sections.size());
  if (run->current->owner != nullptr) {
    wake_waiting(*run->current->core);  // math may wait for the section
  }
}

uint32_t cb_tile_value(Call call, uint32_t cb, uint32_t tile, uint32_t element) {
  Thread& thread = begin(call, Op::cb_pointer);
  charge(*thread.core, Engine::unpack, run->timing.compute[uint32_t(Op::cb_pointer)], call.name);
  const uint8_t* bytes = operand_bytes(thread, cb, tile);
  if (element >= thread.core->cbs[cb].tile_bytes / 4) {
    fail("args_out_of_range", int(cb), "word %u of a tile of %u bytes", element,
         thread.core->cbs[cb].tile_bytes);
  }
  const auto offset = uint32_t(bytes - thread.core->l1) + element * 4;
  shadow_check_written(*thread.core, {offset, offset + 4}, int(cb), "reading");
  uint32_t value;
  __builtin_memcpy(&value, bytes + element * 4, 4);
  return value;
}

}  // namespace tt_mock
