// One run: sets up the cores from the program, runs the scheduler, writes the report.
#include "engine.h"

#include <algorithm>
#include <cstring>

#include "json.h"
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
    cb.pages.resize(config.pages);
    core.cb_by_offset.push_back(&cb);
  }
}

void place_arguments(Core& core, const Thread& thread) {
  const TtMockKernel& kernel = *thread.kernel;
  if (thread.arg_count != 0) {
    memcpy(core.l1 + args_offset(thread.role, false), thread.args, thread.arg_count * 4);
  }
  if (kernel.common_arg_count != 0) {
    memcpy(core.l1 + args_offset(thread.role, true), kernel.common_args,
           kernel.common_arg_count * 4);
  }
}

void create_core(Core& core, uint32_t x, uint32_t y) {
  core.x = x;
  core.y = y;
  core.exists = true;
  core.l1 = l1_of(y * run->program->device.grid_x + x);
  l1_clear(core);
  place_circular_buffers(core);
  core.clock.sections.resize(run->program->device.dst_sections);
  core.clock.semaphores.resize(run->program->semaphore_count);
  for (uint32_t i = 0; i < run->program->semaphore_count; ++i) {
    memcpy(core.l1 + semaphore_base + i * semaphore_stride, &run->program->semaphores[i], 4);
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
    if (thread.role == Role::compute) {
      thread.compute = create_compute();
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

std::string place_fields(const Thread& thread, Call call) {
  return field("x", number(thread.core->x)) + "," + field("y", number(thread.core->y)) + "," +
         field("engine", quoted(role_name(thread.role))) + "," + field("call", quoted(call.name)) +
         "," + field("file", quoted(call.site.file)) + "," + field("line", number(call.site.line));
}

std::string cb_json(const Core& core, const CircularBuffer& cb) {
  return object({field("x", number(core.x)), field("y", number(core.y)),
                 field("index", number(cb.config->index)), field("name", quoted(cb.config->name)),
                 field("pages", number(cb.config->pages)), field("filled", number(cb.occupied)),
                 field("reserved", number(cb.reserved)), field("waited", number(cb.waited)),
                 field("producer", quoted(role_name(cb.producer))),
                 field("consumer", quoted(role_name(cb.consumer)))});
}

std::string blocked_json(const Thread& thread) {
  const Wait& wait = thread.wait;
  const bool on_cb = wait.kind == WaitKind::cb_free || wait.kind == WaitKind::cb_filled;
  uint32_t available = 0;
  std::string name = "semaphore";
  if (on_cb) {
    const CircularBuffer& cb = thread.core->cbs[wait.index];
    available = wait.kind == WaitKind::cb_free ? cb.free_pages() : cb.occupied;
    name = cb.config->name;
  } else {
    memcpy(&available, thread.core->l1 + wait.index, sizeof available);
  }
  const std::string index =
      on_cb ? number(wait.index) : number((wait.index - semaphore_base) / semaphore_stride);
  return object({place_fields(thread, thread.call), field("on", quoted(on_cb ? "cb" : "semaphore")),
                 field("index", index), field("name", quoted(name)),
                 field("wanted", number(wait.wanted)), field("available", number(available))});
}

const char* category_name(Category category) {
  switch (category) {
    case Category::undefined_behavior:
      return "UndefinedBehavior";
    case Category::unsupported:
      return "Unsupported";
    case Category::assertion_failure:
      return "AssertionFailure";
  }
  abort();
}

std::string failure_json() {
  const Failure& failure = run->failure;
  std::vector<std::string> fields = {
      field("category", quoted(category_name(failure.category))),
      field("kind", quoted(failure.kind)), field("message", quoted(failure.message)),
      field("cause", quoted(failure.cause)), place_fields(*failure.thread, failure.call)};
  const Core& core = *failure.thread->core;
  fields.push_back(
      field("cb", failure.cb < 0 ? "null" : cb_json(core, core.cbs[uint32_t(failure.cb)])));
  std::vector<std::string> blocked, buffers;
  if (failure.kind == "deadlock") {
    const Core* previous = nullptr;
    for (const Thread* thread : run->threads) {
      if (thread->finished) {
        continue;
      }
      blocked.push_back(blocked_json(*thread));
      if (thread->core != previous) {
        for (const CircularBuffer* cb : thread->core->cb_by_offset) {
          buffers.push_back(cb_json(*thread->core, *cb));
        }
      }
      previous = thread->core;
    }
  }
  fields.push_back(field("blocked", array(blocked)));
  fields.push_back(field("circular_buffers", array(buffers)));
  return object(fields);
}

std::string counts_json(const Counts& counts) {
  std::vector<std::string> calls;
  for (uint32_t op = 0; op < op_count; ++op) {
    if (counts.calls[op] != 0) {
      calls.push_back(field(op_names[op], number(counts.calls[op])));
    }
  }
  return object({field("calls", object(calls)), field("pages_pushed", number(counts.pages_pushed)),
                 field("bytes_read", number(counts.bytes_read)),
                 field("bytes_written", number(counts.bytes_written))});
}

// An error of the set-up, before any thread exists.
std::string error_json(const char* category, const char* kind, const std::string& message) {
  return object({field("error", object({field("category", quoted(category)),
                                        field("kind", quoted(kind)),
                                        field("message", quoted(message))}))});
}

}  // namespace

const char* role_name(Role role) {
  constexpr const char* names[] = {"reader", "writer", "compute", "none"};
  return names[uint32_t(role)];
}

std::string report_json() {
  if (run->failed) {
    return object({field("error", failure_json())});
  }
  std::vector<std::string> kernels;
  for (uint32_t i = 0; i < run->program->kernel_count; ++i) {
    const TtMockKernel& kernel = run->program->kernels[i];
    kernels.push_back(field(kernel.name, counts_json(run->counts[i])));
  }
  return object({field("kernels", object(kernels)), field("clock", clock_json())});
}

Thread& begin(Call call, Op op) {
  Thread& thread = *run->current;
  thread.call = call;
  run->failure.cause = "";
  ++thread.counts->calls[uint32_t(op)];
  if (thread.role != Role::compute) {
    charge(*thread.core, static_cast<Engine>(thread.role),
           run->timing.data_movement[uint32_t(op)], call.name);
  }
  return thread;
}

Core* core_at(uint32_t x, uint32_t y) {
  const TtMockDevice& device = run->program->device;
  if (x >= device.grid_x || y >= device.grid_y) {
    return nullptr;
  }
  Core& core = run->cores[y * device.grid_x + x];
  return core.exists ? &core : nullptr;
}

uint32_t runtime_arg(Call call, int index, bool common) {
  Thread& thread = begin(call, Op::arguments);
  const uint32_t count = common ? thread.kernel->common_arg_count : thread.arg_count;
  if (index < 0 || uint32_t(index) >= count) {
    fail("args_out_of_range", -1, "argument %d of %u", index, count);
  }
  return common ? thread.kernel->common_args[index] : thread.args[index];
}

uint32_t runtime_arg_address(Call call, int index, bool common) {
  runtime_arg(call, index, common);
  const Thread& thread = *run->current;
  return l1_window(*thread.core) + args_offset(thread.role, common) + uint32_t(index) * 4;
}

uint32_t core_x(bool) { return run->current->core->x; }
uint32_t core_y(bool) { return run->current->core->y; }

}  // namespace tt_mock

const char* tt_mock_run(const TtMockProgram* program) {
  using namespace tt_mock;
  static std::string answer;
  const uint32_t cores = program->device.grid_x * program->device.grid_y;
  if (!l1_map(cores)) {
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
  create_network(state.network);
  state.cores = std::vector<Core>(cores);
  state.counts.resize(program->kernel_count);
  for (uint32_t i = 0; i < program->kernel_count; ++i) {
    create_threads(program->kernels[i]);
  }
  create_cores_of_tensors();
  load_tensors();
  list_threads();
  scheduler_run();
  store_tensors();
  answer = report_json();
  run = nullptr;
  return answer.c_str();
}
