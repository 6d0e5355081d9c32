// Findings: recorded with their place; an error that leaves no sane state abandons its thread.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine.h"

namespace tt_mock {
namespace {

constexpr size_t most_findings = 32;

std::string format_text(const char* format, va_list arguments) {
  char text[1024];
  vsnprintf(text, sizeof text, format, arguments);
  return text;
}

bool same_place(const Finding& a, const Finding& b) {
  return a.kind == b.kind && a.call.site.line == b.call.site.line && a.pc == b.pc &&
         a.cb == b.cb && strcmp(a.call.site.file, b.call.site.file) == 0 &&
         strcmp(a.call.name, b.call.name) == 0;
}

void add(Category category, bool fatal, const char* kind, int cb, std::string&& message) {
  Finding finding;
  finding.category = category;
  finding.fatal = fatal;
  finding.kind = kind;
  finding.message.swap(message);
  finding.cause = run->cause;
  finding.thread = run->current;
  finding.call = run->current->call;
  finding.cb = cb;
  finding.pc = run->raw_pc;
  record(std::move(finding));
}

// Gives up the running thread; nothing on its stack is destroyed any more.
[[noreturn]] void abandon() {
  run->current->abandoned = true;
  run->abandoned = true;
  if (run->current->owner != nullptr) {
    run->current->owner->packer->commands.clear();
  }
  fiber_switch(run->current->fiber, run->scheduler);
  abort();
}

}  // namespace

void likely(const char* cause) { run->cause = cause; }

// One place that is wrong on many cores, or in each turn of a loop, is one finding.
void record(Finding&& finding) {
  for (Finding& earlier : run->findings) {
    if (same_place(earlier, finding)) {
      ++earlier.times;
      return;
    }
  }
  if (finding.cb >= 0) {
    const Core& core = *finding.thread->core;
    finding.cb_state = cb_json(core, core.cbs[uint32_t(finding.cb)]);
  }
  run->findings.push_back(std::move(finding));
  run->stopped = run->findings.size() >= most_findings;
}

void note(const char* kind, int cb, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add(Category::undefined_behavior, false, kind, cb, format_text(format, arguments));
  va_end(arguments);
}

void fail(const char* kind, int cb, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add(Category::undefined_behavior, true, kind, cb, format_text(format, arguments));
  va_end(arguments);
  abandon();
}

void fail_unsupported(const char* kind, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add(Category::unsupported, true, kind, -1, format_text(format, arguments));
  va_end(arguments);
  abandon();
}

}  // namespace tt_mock
