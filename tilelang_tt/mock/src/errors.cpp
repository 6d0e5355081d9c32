// Failures: recorded once, then control goes back to the scheduler and the kernel never resumes.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "engine.h"

namespace tt_mock {
namespace {

std::string format_text(const char* format, va_list arguments) {
  char text[1024];
  vsnprintf(text, sizeof text, format, arguments);
  return text;
}

[[noreturn]] void abandon(Category category, const char* kind, int cb, std::string&& message) {
  Failure& failure = run->failure;
  failure.category = category;
  failure.kind = kind;
  failure.message.swap(message);
  failure.cb = cb;
  failure.thread = run->current;
  failure.call = run->current->call;
  run->failed = true;
  // Moved out of before the switch: nothing on this stack is destroyed any more.
  std::string().swap(message);
  fiber_switch(run->current->fiber, run->scheduler);
  abort();
}

}  // namespace

void likely(const char* cause) { run->failure.cause = cause; }

void fail(const char* kind, int cb, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::string message = format_text(format, arguments);
  va_end(arguments);
  abandon(Category::undefined_behavior, kind, cb, std::move(message));
}

void fail_unsupported(const char* kind, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::string message = format_text(format, arguments);
  va_end(arguments);
  abandon(Category::unsupported, kind, -1, std::move(message));
}

}  // namespace tt_mock
