// int32_t is a long for riscv32 GCC and newlib, and musl writes int without asking the compiler. It
// matters: std::min(x, 5u) of a uint32_t x does not compile for the device and must not pass here.
#pragma once

#define __DEFINED_int32_t
#define __DEFINED_uint32_t
typedef __INT32_TYPE__ int32_t;
typedef __UINT32_TYPE__ uint32_t;
