// What both kinds of kernel see: arguments, data formats, core coordinates, address attributes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "tt_mock/site.h"

#define tt_l1_ptr
#define tt_reg_ptr
#define tt_pkt_ptr
#define FORCE_INLINE inline __attribute__((always_inline))
#define ALWI inline __attribute__((always_inline))

enum class DataFormat : uint8_t {
  Float32 = 0,
  Float16 = 1,
  Bfp8 = 2,
  Bfp4 = 3,
  Tf32 = 4,
  Float16_b = 5,
  Bfp8_b = 6,
  Bfp4_b = 7,
  Int32 = 8,
  UInt16 = 9,
  Lf8 = 10,
  Bfp2 = 11,
  Int8 = 14,
  Bfp2_b = 15,
  UInt32 = 24,
  UInt8 = 30,
  Invalid = 255,
};

constexpr bool is_uint32_format(DataFormat format) { return format == DataFormat::UInt32; }
constexpr bool is_bfp8_b_format(DataFormat format) { return format == DataFormat::Bfp8_b; }
constexpr bool is_bfp4_b_format(DataFormat format) { return format == DataFormat::Bfp4_b; }

namespace tt {

// Indices of circular buffers by name; plain numbers as in the real API.
enum CBIndex : uint8_t {
  c_0, c_1, c_2, c_3, c_4, c_5, c_6, c_7, c_8, c_9, c_10, c_11, c_12, c_13, c_14, c_15, c_16,
  c_17, c_18, c_19, c_20, c_21, c_22, c_23, c_24, c_25, c_26, c_27, c_28, c_29, c_30, c_31, c_32,
  c_33, c_34, c_35, c_36, c_37, c_38, c_39, c_40, c_41, c_42, c_43, c_44, c_45, c_46, c_47, c_48,
  c_49, c_50, c_51, c_52, c_53, c_54, c_55, c_56, c_57, c_58, c_59, c_60, c_61, c_62, c_63, SIZE
};

namespace constants {
constexpr uint32_t TILE_HEIGHT = 32, TILE_WIDTH = 32, TILE_HW = 1024;
constexpr uint32_t FACE_HEIGHT = 16, FACE_WIDTH = 16, FACE_HW = 256;
}  // namespace constants

}  // namespace tt

namespace tt_mock {

void assertion_failed(Call call, const char* condition);
uint32_t runtime_arg(Call call, int index, bool common);
uint32_t runtime_arg_address(Call call, int index, bool common);
// The pointer to an address of the running core's L1 that the host gave, the same on every core;
// pointers stay what they are.
uint32_t l1_pointer(uint32_t address);
uint32_t core_x(bool relative);
uint32_t core_y(bool relative);

template <uint32_t... Values>
struct CompileTimeArgs {
  static constexpr uint32_t count = sizeof...(Values);
  static constexpr uint32_t values[count + 1] = {Values..., 0};
  static constexpr std::array<uint32_t, count> all() { return {Values...}; }
};

#ifdef KERNEL_COMPILE_TIME_ARGS
using KernelArgs = CompileTimeArgs<KERNEL_COMPILE_TIME_ARGS>;
#else
using KernelArgs = CompileTimeArgs<>;
#endif

template <size_t Index>
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

#ifdef KERNEL_COMPILE_TIME_ARG_MAP
namespace tt_mock {

struct NamedArg {
  std::string_view name;
  uint32_t value;
};
constexpr NamedArg named_args[] = {KERNEL_COMPILE_TIME_ARG_MAP};

}  // namespace tt_mock

// A name that the program does not give is no constant expression, so it does not compile.
constexpr uint32_t get_named_compile_time_arg_val(std::string_view name) {
  for (const tt_mock::NamedArg& arg : tt_mock::named_args) {
    if (arg.name == name) {
      return arg.value;
    }
  }
  __builtin_unreachable();
}
#endif

// All of them, as the real header offers them.
constexpr auto kernel_compile_time_args = tt_mock::KernelArgs::all();

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

// One thread per kernel on these chips.
inline uint32_t get_num_threads() { return 1; }
inline uint32_t get_my_thread_id() { return 0; }
inline void sync_threads() {}

// The caches that this empties have no part in the mock.
inline void invalidate_l1_cache() {}

inline uint8_t get_absolute_logical_x() { return static_cast<uint8_t>(tt_mock::core_x(false)); }
inline uint8_t get_absolute_logical_y() { return static_cast<uint8_t>(tt_mock::core_y(false)); }
inline uint8_t get_relative_logical_x() { return static_cast<uint8_t>(tt_mock::core_x(true)); }
inline uint8_t get_relative_logical_y() { return static_cast<uint8_t>(tt_mock::core_y(true)); }
