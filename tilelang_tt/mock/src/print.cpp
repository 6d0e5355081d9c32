// What kernels print to the host.
#include <cstdio>

#include "api/debug/dprint.h"
#include "engine.h"
#include "json.h"

namespace tt_mock {
namespace {

std::string text_of(const PrintArg& arg, bool hexadecimal) {
  char text[64];
  switch (arg.kind) {
    case PrintArg::Kind::text:
      return arg.text;
    case PrintArg::Kind::number:
      snprintf(text, sizeof text, "%g", arg.number);
      return text;
    case PrintArg::Kind::integer:
    case PrintArg::Kind::unsigned_integer:
      break;
  }
  if (hexadecimal) {
    snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(arg.integer));
    return text;
  }
  return std::to_string(arg.integer);
}

// Replaces each {} or {:...} by the next argument.
std::string formatted(const char* format, const PrintArg* args, uint32_t count) {
  std::string text;
  uint32_t next = 0;
  for (const char* at = format; *at != 0; ++at) {
    if (*at != '{') {
      text += *at;
      continue;
    }
    bool hexadecimal = false;
    while (*at != 0 && *at != '}') {
      hexadecimal |= *at == 'x' || *at == 'X';
      ++at;
    }
    if (next == count || *at == 0) {
      fail("print_format", -1, "the format \"%s\" has more fields than the %u arguments", format,
           count);
    }
    text += text_of(args[next++], hexadecimal);
  }
  if (next != count) {
    fail("print_format", -1, "the format \"%s\" leaves %u of %u arguments out", format,
         count - next, count);
  }
  return text;
}

}  // namespace

void device_print(Call call, const char* format, const PrintArg* args, uint32_t count) {
  const Thread& thread = begin(call, Op::arguments);
  run->prints.push_back(
      object({field("x", number(thread.core->x)), field("y", number(thread.core->y)),
              field("engine", quoted(role_name(thread.role))),
              field("text", quoted(formatted(format, args, count)))}));
}

void unsupported(Call call, const char* what) {
  begin(call, Op::arguments);
  fail_unsupported("unsupported", "the mock does not have %s", what);
}

}  // namespace tt_mock
