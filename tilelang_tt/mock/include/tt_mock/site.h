// Where a kernel calls from: the seam between the API headers and the engine.
#pragma once

#include <cstdint>

namespace tt_mock {

struct Site {
  const char* file;
  uint32_t line;

  constexpr Site(const char* the_file, uint32_t the_line) : file(the_file), line(the_line) {}
  // The real API's last argument is a line.
  constexpr Site(int the_line) : file(""), line(uint32_t(the_line)) {}
};

// As a default argument this names the line of the kernel's call, which leaves the call syntax
// unchanged.
constexpr Site here(const char* file = __builtin_FILE(), uint32_t line = __builtin_LINE()) {
  return {file, line};
}

// One API call: the name the kernel used and its place. Every engine entry point takes one.
struct Call {
  const char* name;
  Site site;
};

}  // namespace tt_mock
