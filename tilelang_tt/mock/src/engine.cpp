// One run: sets up the cores from the program, runs the scheduler, writes the report.
#include "engine.h"

#include <algorithm>
#include <cstring>

#include "json.h"
#include "packer.h"
#include "shadow.h"
#include "tile.h"
#include "tt_mock/common.h"

namespace tt_mock {
namespace {

uint32_t args_offset(Role role, bool common) {
  return args_base + (uint32_t(role) * 2 + (common ? 1 : 0)) * args_stride;
}

void place_circular_buffers(Core& core) {
  const TtMockProgram& program = *run->program;
  core.cbs.resize(program.device.cb_count);
  const uint32_t number = core.y * program.device.grid_x + core.x;
  for (uint32_t i = 0; i < program.circular_buffer_count; ++i) {
    const TtMockCircularBuffer& config = program.circular_buffers[i];
    if (config.cores[number] == 0) {
      continue;
    }
    CircularBuffer& cb = core.cbs[config.index];
    cb.config = &config;
    cb.offset = config.offset;
    cb.tile_bytes = tile_bytes(config.format);
    cb.page = Divisor(config.page_bytes);
    cb.pages.resize(config.pages);
    core.cb_by_offset.push_back(&cb);
  }
}

void place_words(Core& core, uint32_t offset, const uint32_t* words, uint32_t count) {
  if (count != 0) {
    memcpy(core.l1 + offset, words, count * 4);
    shadow_written(core, {offset, offset + count * 4});
  }
}

void place_arguments(Core& core, const Thread& thread) {
  const TtMockKernel& kernel = *thread.kernel;
  place_words(core, args_offset(thread.role, false), thread.args, thread.arg_count);
  place_words(core, args_offset(thread.role, true), kernel.common_args, kernel.common_arg_count);
}

void create_core(Core& core, uint32_t x, uint32_t y) {
  core.x = x;
  core.y = y;
  core.exists = true;
  core.l1 = l1_of(y * run->program->device.grid_x + x);
  core.marks = shadow_of(y * run->program->device.grid_x + x);
  shadow_written(core, {zeros_base, zeros_base + zeros_bytes});
  place_circular_buffers(core);
  core.clock.sections.resize(run->program->device.dst_sections);
  core.clock.semaphores.resize(run->program->semaphore_count);
  for (uint32_t i = 0; i < run->program->semaphore_count; ++i) {
    const uint32_t offset = semaphore_base + i * semaphore_stride;
    memcpy(core.l1 + offset, &run->program->semaphores[i], 4);
    shadow_written(core, {offset, offset + semaphore_stride});
  }
}

std::unique_ptr<Compute> create_compute() {
  const TtMockDevice& device = run->program->device;
  auto compute = std::make_unique<Compute>();
  for (uint32_t i = 0; i < device.dst_sections; ++i) {
    compute->sections.push_back({std::unique_ptr<DstTile[]>(new DstTile[device.dst_tiles])});
  }
  return compute;
}

Core& core_for(uint32_t x, uint32_t y) {
  Core& core = run->cores[y * run->program->device.grid_x + x];
  if (!core.exists) {
    create_core(core, x, y);
  }
  return core;
}

// Cores that no kernel runs on may still hold pages of a tensor.
void create_cores_of_tensors() {
  const TtMockProgram& program = *run->program;
  const uint32_t columns = program.device.grid_x;
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const TtMockBuffer& buffer = program.buffers[i];
    const uint64_t pages = buffer.places == nullptr ? 0 : buffer.bytes / buffer.page_bytes;
    for (uint64_t page = 0; page < pages; ++page) {
      core_for(buffer.places[page].core % columns, buffer.places[page].core / columns);
    }
  }
}

void create_threads(const TtMockKernel& kernel) {
  for (uint32_t i = 0; i < kernel.core_count; ++i) {
    const uint32_t x = kernel.cores[2 * i];
    const uint32_t y = kernel.cores[2 * i + 1];
    Core& core = core_for(x, y);
    Thread& thread = core.threads[kernel.role];
    thread.core = &core;
    thread.kernel = &kernel;
    thread.role = static_cast<Role>(kernel.role);
    thread.counts = &run->counts[uint32_t(&kernel - run->program->kernels)];
    thread.call.site.file = kernel.name;
    thread.args = kernel.args + kernel.arg_offsets[i];
    thread.arg_count = kernel.arg_offsets[i + 1] - kernel.arg_offsets[i];
    std::vector<bool>& own = thread.counts->arguments[0];
    own.resize(std::max(own.size(), size_t{thread.arg_count}));
    thread.counts->arguments[1].resize(kernel.common_arg_count);
    if (thread.role == Role::compute) {
      thread.compute = create_compute();
      packer_create(thread);
    }
    place_arguments(core, thread);
  }
}

// Core by core, so that the order of the threads does not depend on the order of the kernels.
void list_threads() {
  for (Core& core : run->cores) {
    for (Thread& thread : core.threads) {
      if (thread.kernel != nullptr) {
        thread.number = uint32_t(run->threads.size());
        run->threads.push_back(&thread);
      }
    }
  }
}

std::string barriers_json(const Counts& counts) {
  std::vector<std::string> rows;
  for (const BarrierUse& use : counts.barriers) {
    rows.push_back(array({quoted(use.call.name), number(use.call.site.line), number(use.passed),
                          number(use.idle), number(use.transfers)}));
  }
  return array(rows);
}

bool is_used(const CircularBuffer& cb) {
  const auto written = [](const Page& page) { return page.generation != 1; };
  return cb.producer != Role::none || cb.consumer != Role::none ||
         std::any_of(cb.pages.begin(), cb.pages.end(), written);
}

// The names of the circular buffers that no core used.
std::string unused_json() {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < run->program->circular_buffer_count; ++i) {
    const TtMockCircularBuffer& config = run->program->circular_buffers[i];
    const auto uses = [&config](const Core& core) {
      return core.exists && is_used(core.cbs[config.index]);
    };
    if (std::none_of(run->cores.begin(), run->cores.end(), uses)) {
      names.push_back(quoted(config.name));
    }
  }
  return array(names);
}

// The numbers of the words that no core has read.
std::string unread_json(const std::vector<bool>& arguments) {
  std::vector<std::string> unread;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i]) {
      unread.push_back(number(i));
    }
  }
  return array(unread);
}

std::string counts_json(const Counts& counts) {
  std::vector<std::string> calls;
  for (uint32_t op = 0; op < op_count; ++op) {
    if (counts.calls[op] != 0) {
      calls.push_back(field(op_names[op], number(counts.calls[op])));
    }
  }
  return object({field("calls", object(calls)), field("pages_pushed", number(counts.pages_pushed)),
                 field("barriers", barriers_json(counts)),
                 field("unread_args", unread_json(counts.arguments[0])),
                 field("unread_common_args", unread_json(counts.arguments[1])),
                 field("bytes_read", number(counts.bytes_read)),
                 field("bytes_written", number(counts.bytes_written))});
}

// An error of the set-up, before any thread exists.
std::string error_json(const char* category, const char* kind, const std::string& message) {
  return object({field("findings", array({object({field("category", quoted(category)),
                                                  field("kind", quoted(kind)),
                                                  field("message", quoted(message))})})),
                 field("deadlock", "null"), field("prints", "[]")});
}

}  // namespace

const char* role_name(Role role) {
  constexpr const char* names[] = {"reader", "writer", "compute", "none"};
  return names[uint32_t(role)];
}

std::string report_json() {
  std::vector<std::string> kernels;
  for (uint32_t i = 0; i < run->program->kernel_count; ++i) {
    const TtMockKernel& kernel = run->program->kernels[i];
    kernels.push_back(field(kernel.name, counts_json(run->counts[i])));
  }
  return object({field("findings", findings_json()), field("deadlock", deadlock_json()),
                 field("prints", array(run->prints)),
                 field("unused_circular_buffers", unused_json()),
                 field("kernels", object(kernels)), field("clock", clock_json())});
}

Core* core_at(uint32_t x, uint32_t y) {
  const TtMockDevice& device = run->program->device;
  if (x >= device.grid_x || y >= device.grid_y) {
    return nullptr;
  }
  Core& core = run->cores[y * device.grid_x + x];
  return core.exists ? &core : nullptr;
}

void assertion_failed(Call call, const char* condition) {
  begin(call, Op::arguments);
  likely("the data is not what the program was told of it");
  note("assertion_failed", -1, "the kernel's assertion does not hold: %s", condition);
}

uint32_t runtime_arg(Call call, int index, bool common) {
  Thread& thread = begin(call, Op::arguments);
  const uint32_t count = common ? thread.kernel->common_arg_count : thread.arg_count;
  if (index < 0 || uint32_t(index) >= count) {
    fail("args_out_of_range", -1, "argument %d of %u", index, count);
  }
  thread.counts->arguments[common ? 1 : 0][uint32_t(index)] = true;
  return common ? thread.kernel->common_args[index] : thread.args[index];
}

uint32_t runtime_arg_address(Call call, int index, bool common) {
  runtime_arg(call, index, common);
  const Thread& thread = *run->current;
  // A pointer to a word leads to those behind it.
  std::vector<bool>& read = thread.counts->arguments[common ? 1 : 0];
  std::fill(read.begin() + index, read.end(), true);
  return l1_window(*thread.core) + args_offset(thread.role, common) + uint32_t(index) * 4;
}

uint32_t l1_pointer(uint32_t address) {
  return address < run->program->device.l1_bytes ? l1_window(*run->current->core) + address
                                                 : address;
}

uint32_t core_x(bool) { return run->current->core->x; }
uint32_t core_y(bool) { return run->current->core->y; }

}  // namespace tt_mock

namespace {

std::string answer, times;

}  // namespace

const char* tt_mock_times() { return times.c_str(); }

const char* tt_mock_run(const TtMockProgram* program) {
  using namespace tt_mock;
  times.clear();
  const uint32_t cores = program->device.grid_x * program->device.grid_y;
  if (!l1_map(cores) || !shadow_map(cores)) {
    answer = error_json("Unsupported", "no_low_memory",
                        "the address space below 4 GiB has no room for the cores' L1; run in a "
                        "fresh process");
    return answer.c_str();
  }
  Run state;
  run = &state;
  state.program = program;
  const std::string missing = read_timing(*program, state.timing);
  if (!missing.empty()) {
    answer = error_json("AssertionFailure", "timing", "the table of costs lacks " + missing);
    run = nullptr;
    return answer.c_str();
  }
  l1_clear();
  create_network(state.network);
  dram_create();
  shadow_create_buffers();
  state.cores = std::vector<Core>(cores);
  state.counts.resize(program->kernel_count);
  for (uint32_t i = 0; i < program->kernel_count; ++i) {
    create_threads(program->kernels[i]);
  }
  create_cores_of_tensors();
  l1_mark_used();
  load_tensors();
  list_threads();
  scheduler_run();
  store_tensors();
  answer = report_json();
  times = times_json();
  run = nullptr;
  return answer.c_str();
}
