// What both kinds of kernel see: arguments, data formats, core coordinates, address attributes.
#pragma once

#include <cstdint>

#include "tt_mock/site.h"

#define tt_l1_ptr
#define tt_reg_ptr
#define FORCE_INLINE inline __attribute__((always_inline))
#define ALWI inline __attribute__((always_inline))

enum class DataFormat : uint8_t {
  Float32 = 0,
  Float16 = 1,
  Tf32 = 4,
  Float16_b = 5,
  Bfp8_b = 6,
  Bfp4_b = 7,
  Int32 = 8,
  UInt16 = 9,
  Int8 = 14,
  UInt32 = 24,
  UInt8 = 30,
  Invalid = 255,
};

namespace tt_mock {

uint32_t runtime_arg(Call call, int index, bool common);
uint32_t runtime_arg_address(Call call, int index, bool common);
uint32_t core_x(bool relative);
uint32_t core_y(bool relative);

template <uint32_t... Values>
struct CompileTimeArgs {
  static constexpr uint32_t count = sizeof...(Values);
  static constexpr uint32_t values[count + 1] = {Values..., 0};
};

#ifdef KERNEL_COMPILE_TIME_ARGS
using KernelArgs = CompileTimeArgs<KERNEL_COMPILE_TIME_ARGS>;
#else
using KernelArgs = CompileTimeArgs<>;
#endif

template <uint32_t Index>
constexpr uint32_t compile_time_arg() {
  static_assert(Index < KernelArgs::count, "compile-time argument index out of range");
  return KernelArgs::values[Index];
}

template <typename T>
T from_bits(uint32_t bits) {
  static_assert(sizeof(T) == 4, "a run-time argument has 4 bytes");
  T value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

}  // namespace tt_mock

// The real API needs a macro here, since the index must be a constant expression.
#define get_compile_time_arg_val(arg_idx) (tt_mock::compile_time_arg<arg_idx>())

template <typename T>
T get_arg_val(int arg_idx, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::from_bits<T>(tt_mock::runtime_arg({"get_arg_val", site}, arg_idx, false));
}

template <typename T>
T get_common_arg_val(int arg_idx, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::from_bits<T>(tt_mock::runtime_arg({"get_common_arg_val", site}, arg_idx, true));
}

inline uint32_t get_arg_addr(int arg_idx, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::runtime_arg_address({"get_arg_addr", site}, arg_idx, false);
}

inline uint32_t get_common_arg_addr(int arg_idx, tt_mock::Site site = tt_mock::here()) {
  return tt_mock::runtime_arg_address({"get_common_arg_addr", site}, arg_idx, true);
}

inline uint8_t get_absolute_logical_x() { return static_cast<uint8_t>(tt_mock::core_x(false)); }
inline uint8_t get_absolute_logical_y() { return static_cast<uint8_t>(tt_mock::core_y(false)); }
inline uint8_t get_relative_logical_x() { return static_cast<uint8_t>(tt_mock::core_x(true)); }
inline uint8_t get_relative_logical_y() { return static_cast<uint8_t>(tt_mock::core_y(true)); }
