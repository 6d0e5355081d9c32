// Prints to the host: DPRINT("tile {} of {}\n", i, count). The lines are in the report of the run,
// or in the error that ended it.
#pragma once

#include <type_traits>

#include "tt_mock/common.h"

namespace tt_mock {

struct PrintArg {
  enum class Kind : uint8_t { integer, unsigned_integer, number, text } kind;
  int64_t integer;
  double number;
  const char* text;
};

template <typename T>
PrintArg print_arg(const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    return {PrintArg::Kind::number, 0, double(value), nullptr};
  } else if constexpr (std::is_convertible_v<T, const char*>) {
    return {PrintArg::Kind::text, 0, 0, value};
  } else if constexpr (std::is_pointer_v<T>) {
    return {PrintArg::Kind::unsigned_integer, int64_t(reinterpret_cast<uintptr_t>(value)), 0,
            nullptr};
  } else if constexpr (std::is_signed_v<T>) {
    return {PrintArg::Kind::integer, int64_t(value), 0, nullptr};
  } else {
    return {PrintArg::Kind::unsigned_integer, int64_t(value), 0, nullptr};
  }
}

void device_print(Call call, const char* format, const PrintArg* args, uint32_t count);

template <typename... Args>
void print(Call call, const char* format, const Args&... args) {
  const PrintArg list[sizeof...(Args) + 1] = {print_arg(args)...};
  device_print(call, format, list, sizeof...(Args));
}

}  // namespace tt_mock

#define DEVICE_PRINT(...) tt_mock::print({"DPRINT", {__FILE__, __LINE__}}, __VA_ARGS__)
#define DPRINT(...) DEVICE_PRINT(__VA_ARGS__)
#define DPRINT_UNPACK(...) DEVICE_PRINT(__VA_ARGS__)
#define DPRINT_MATH(...) DEVICE_PRINT(__VA_ARGS__)
#define DPRINT_PACK(...) DEVICE_PRINT(__VA_ARGS__)
#define DPRINT_DATA0(...) DEVICE_PRINT(__VA_ARGS__)
#define DPRINT_DATA1(...) DEVICE_PRINT(__VA_ARGS__)
