// JSON, by hand: the few kinds of values the report has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tt_mock {

inline std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

inline std::string field(const char* name, const std::string& value) {
  return quoted(name) + ":" + value;
}

inline std::string joined(const std::vector<std::string>& values, char open, char close) {
  std::string out(1, open);
  for (const std::string& each : values) {
    if (out.size() > 1) {
      out += ',';
    }
    out += each;
  }
  return out += close;
}

inline std::string object(const std::vector<std::string>& fields) {
  return joined(fields, '{', '}');
}

inline std::string array(const std::vector<std::string>& values) {
  return joined(values, '[', ']');
}

inline std::string number(uint64_t value) { return std::to_string(value); }

}  // namespace tt_mock
