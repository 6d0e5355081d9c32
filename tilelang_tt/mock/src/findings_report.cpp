// Findings, and who waits for whom in a deadlock, as JSON.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>

#include "engine.h"
#include "json.h"

namespace tt_mock {
namespace {

std::string place_fields(const Thread& thread, Call call) {
  return field("x", number(thread.core->x)) + "," + field("y", number(thread.core->y)) + "," +
         field("engine", quoted(role_name(thread.role))) + "," + field("call", quoted(call.name)) +
         "," + field("file", quoted(call.site.file)) + "," + field("line", number(call.site.line));
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

// Of the side of a circular buffer that could end the wait.
std::string partner_json(const Thread& thread) {
  const Wait& wait = thread.wait;
  const CircularBuffer& cb = thread.core->cbs[wait.index];
  const Role partner = wait.kind == WaitKind::cb_free ? cb.consumer : cb.producer;
  const bool gone =
      partner != Role::none && thread.core->threads[uint32_t(partner)].finished;
  return field("partner", quoted(role_name(partner))) + "," +
         field("partner_finished", gone ? "true" : "false");
}

std::string wait_fields(const Thread& thread) {
  const Wait& wait = thread.wait;
  const Core& core = *thread.core;
  if (wait.kind == WaitKind::cb_free || wait.kind == WaitKind::cb_filled) {
    const CircularBuffer& cb = core.cbs[wait.index];
    const bool filled = wait.kind == WaitKind::cb_filled;
    return field("on", quoted(filled ? "filled pages" : "free pages")) + "," +
           field("index", number(wait.index)) + "," + field("name", quoted(cb.config->name)) + "," +
           field("wanted", number(wait.wanted)) + "," +
           field("available", number(filled ? cb.occupied : cb.free_pages())) + "," +
           partner_json(thread);
  }
  uint32_t value;
  memcpy(&value, core.l1 + wait.index, sizeof value);
  const uint32_t end = semaphore_base + run->program->semaphore_count * semaphore_stride;
  const bool semaphore = wait.index >= semaphore_base && wait.index < end;
  const bool polled = wait.kind == WaitKind::l1_change;
  return field("on", quoted(semaphore ? "semaphore" : "L1 word")) + "," +
         field("index",
               number(semaphore ? (wait.index - semaphore_base) / semaphore_stride : wait.index)) +
         "," + field("name", quoted(polled ? "polled" : "")) + "," +
         field("wanted", polled ? "null" : number(wait.wanted)) + "," +
         field("available", number(value)) + "," + field("partner", quoted("none")) + "," +
         field("partner_finished", "false");
}

// Where in its library an instruction is; the one before the address that a call returns to.
std::string library_offset(const void* pc) {
  Dl_info library;
  if (pc == nullptr || dladdr(pc, &library) == 0) {
    return "null";
  }
  return number(uint64_t(static_cast<const char*>(pc) -
                         static_cast<const char*>(library.dli_fbase)) - 1);
}

std::string finding_json(const Finding& finding) {
  std::vector<std::string> fields = {
      field("category", quoted(category_name(finding.category))),
      field("kind", quoted(finding.kind)),
      field("message", quoted(finding.message)),
      field("cause", quoted(finding.cause)),
      field("fatal", finding.fatal ? "true" : "false"),
      field("times", number(finding.times))};
  if (finding.thread != nullptr) {
    fields.push_back(field("pc", library_offset(finding.pc)));
    fields.push_back(field("kernel", quoted(finding.thread->kernel->name)));
    fields.push_back(place_fields(*finding.thread, finding.call));
    fields.push_back(field("cb", finding.cb < 0 ? "null" : finding.cb_state));
  }
  return object(fields);
}

}  // namespace

std::string cb_json(const Core& core, const CircularBuffer& cb) {
  return object({field("x", number(core.x)), field("y", number(core.y)),
                 field("index", number(cb.config->index)), field("name", quoted(cb.config->name)),
                 field("pages", number(cb.config->pages)), field("filled", number(cb.occupied)),
                 field("reserved", number(cb.reserved)), field("waited", number(cb.waited)),
                 field("producer", quoted(role_name(cb.producer))),
                 field("consumer", quoted(role_name(cb.consumer)))});
}

std::string findings_json() {
  std::vector<std::string> findings;
  for (const Finding& finding : run->findings) {
    findings.push_back(finding_json(finding));
  }
  return array(findings);
}

std::string deadlock_json() {
  if (!run->deadlocked) {
    return "null";
  }
  std::vector<std::string> blocked, buffers;
  const Core* previous = nullptr;
  for (Thread* thread : run->threads) {
    if (thread->finished) {
      continue;
    }
    for_each_wait(*thread, [&blocked](const Thread& waiting) {
      blocked.push_back(object({place_fields(waiting, waiting.call), wait_fields(waiting)}));
    });
    if (thread->core != previous) {
      for (const CircularBuffer* cb : thread->core->cb_by_offset) {
        buffers.push_back(cb_json(*thread->core, *cb));
      }
    }
    previous = thread->core;
  }
  return object({field("blocked", array(blocked)), field("circular_buffers", array(buffers))});
}

}  // namespace tt_mock
