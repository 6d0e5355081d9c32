// Rows that declare calls of the vector unit: the call's name, its operation, and for integers the
// data format. A row may follow a line `template <...>`. The number in a row's name counts the
// scalar parameters; _MODE takes the part of the tile to work on; _PACK runs on the packer's thread,
// on the section of the destination register that the packer owns.
#pragma once

#include "api/compute/common_globals.h"

#define TT_MOCK_SITE tt_mock::Site site = tt_mock::here()

#define TT_MOCK_SFPU_INIT(function, init)                                \
  inline void function(TT_MOCK_SITE) {                                   \
    tt_mock::sfpu_init({#function, site}, tt_mock::Sfpu::init, 0);       \
  }

#define TT_MOCK_SFPU_FORMAT_INIT(function, init, format)                                  \
  inline void function(TT_MOCK_SITE) {                                                    \
    tt_mock::sfpu_init({#function, site}, tt_mock::Sfpu::init, uint32_t(format));         \
  }

#define TT_MOCK_SFPU_UNARY(function, op)                                    \
  inline void function(uint32_t idst, TT_MOCK_SITE) {                       \
    tt_mock::sfpu_unary({#function, site}, tt_mock::Sfpu::op, idst, {});    \
  }

#define TT_MOCK_SFPU_UNARY_MODE(function, op)                                                  \
  inline void function(uint32_t idst, VectorMode vector_mode = VectorMode::RC, TT_MOCK_SITE) { \
    tt_mock::sfpu_unary({#function, site}, tt_mock::Sfpu::op, idst, {}, vector_mode);          \
  }

#define TT_MOCK_SFPU_UNARY_1(function, op)                                          \
  inline void function(uint32_t idst, uint32_t param0, TT_MOCK_SITE) {              \
    tt_mock::sfpu_unary({#function, site}, tt_mock::Sfpu::op, idst, {param0, 0, 0}); \
  }

#define TT_MOCK_SFPU_UNARY_1_MODE(function, op)                                                  \
  inline void function(uint32_t idst, uint32_t param0, VectorMode vector_mode = VectorMode::RC,  \
                       TT_MOCK_SITE) {                                                           \
    tt_mock::sfpu_unary({#function, site}, tt_mock::Sfpu::op, idst, {param0, 0, 0}, vector_mode); \
  }

#define TT_MOCK_SFPU_UNARY_2(function, op)                                                \
  inline void function(uint32_t idst, uint32_t param0, uint32_t param1, TT_MOCK_SITE) {   \
    tt_mock::sfpu_unary({#function, site}, tt_mock::Sfpu::op, idst, {param0, param1, 0}); \
  }

#define TT_MOCK_SFPU_UNARY_3(function, op)                                                     \
  inline void function(uint32_t idst, uint32_t param0, uint32_t param1, uint32_t param2,       \
                       TT_MOCK_SITE) {                                                         \
    tt_mock::sfpu_unary({#function, site}, tt_mock::Sfpu::op, idst, {param0, param1, param2}); \
  }

#define TT_MOCK_SFPU_INIT_PACK(function, init)                                 \
  inline void function(TT_MOCK_SITE) {                                         \
    tt_mock::sfpu_init_pack({#function, site}, tt_mock::Sfpu::init);           \
  }

#define TT_MOCK_SFPU_UNARY_PACK(function, op)                                    \
  inline void function(uint32_t idst, TT_MOCK_SITE) {                            \
    tt_mock::sfpu_unary_pack({#function, site}, tt_mock::Sfpu::op, idst, {});    \
  }

#define TT_MOCK_SFPU_UNARY_1_PACK(function, op)                                           \
  inline void function(uint32_t idst, uint32_t param0, TT_MOCK_SITE) {                    \
    tt_mock::sfpu_unary_pack({#function, site}, tt_mock::Sfpu::op, idst, {param0, 0, 0}); \
  }

#define TT_MOCK_SFPU_UNARY_2_PACK(function, op)                                                \
  inline void function(uint32_t idst, uint32_t param0, uint32_t param1, TT_MOCK_SITE) {        \
    tt_mock::sfpu_unary_pack({#function, site}, tt_mock::Sfpu::op, idst, {param0, param1, 0}); \
  }

#define TT_MOCK_SFPU_UNARY_3_PACK(function, op)                                               \
  inline void function(uint32_t idst, uint32_t param0, uint32_t param1, uint32_t param2,      \
                       TT_MOCK_SITE) {                                                        \
    tt_mock::sfpu_unary_pack({#function, site}, tt_mock::Sfpu::op, idst,                      \
                             {param0, param1, param2});                                       \
  }

#define TT_MOCK_SFPU_BINARY(function, op)                                                \
  inline void function(uint32_t idst0, uint32_t idst1, uint32_t odst, TT_MOCK_SITE) {    \
    tt_mock::sfpu_binary({#function, site}, tt_mock::Sfpu::op, idst0, idst1, odst);      \
  }

#define TT_MOCK_SFPU_BINARY_MODE(function, op)                                                   \
  inline void function(uint32_t idst0, uint32_t idst1, uint32_t odst,                            \
                       VectorMode vector_mode = VectorMode::RC, TT_MOCK_SITE) {                  \
    tt_mock::sfpu_binary({#function, site}, tt_mock::Sfpu::op, idst0, idst1, odst, vector_mode); \
  }

#define TT_MOCK_SFPU_TERNARY(function, op)                                                        \
  inline void function(uint32_t idst0, uint32_t idst1, uint32_t idst2, uint32_t odst,             \
                       TT_MOCK_SITE) {                                                            \
    tt_mock::sfpu_ternary({#function, site}, tt_mock::Sfpu::op, {idst0, idst1, idst2, odst}, {}); \
  }

#define TT_MOCK_SFPU_TERNARY_1(function, op)                                                     \
  inline void function(uint32_t idst0, uint32_t idst1, uint32_t idst2, uint32_t odst,            \
                       uint32_t value, TT_MOCK_SITE) {                                           \
    tt_mock::sfpu_ternary({#function, site}, tt_mock::Sfpu::op, {idst0, idst1, idst2, odst},     \
                          {value, 0, 0});                                                        \
  }

#define TT_MOCK_INTEGER_UNARY(function, op, format)                                     \
  inline void function(uint32_t idst, TT_MOCK_SITE) {                                   \
    tt_mock::sfpu_integer({#function, site}, tt_mock::Sfpu::op, format, idst, {});      \
  }

#define TT_MOCK_INTEGER_UNARY_1(function, op, format)                                           \
  inline void function(uint32_t idst, uint32_t param0, TT_MOCK_SITE) {                          \
    tt_mock::sfpu_integer({#function, site}, tt_mock::Sfpu::op, format, idst, {param0, 0, 0});  \
  }

#define TT_MOCK_INTEGER_UNARY_2(function, op, format)                                    \
  inline void function(uint32_t idst, uint32_t param0, uint32_t param1, TT_MOCK_SITE) {  \
    tt_mock::sfpu_integer({#function, site}, tt_mock::Sfpu::op, format, idst,            \
                          {param0, param1, 0});                                          \
  }

#define TT_MOCK_INTEGER_BINARY(function, op, format)                                              \
  inline void function(uint32_t idst0, uint32_t idst1, uint32_t odst, TT_MOCK_SITE) {             \
    tt_mock::sfpu_integer_binary({#function, site}, tt_mock::Sfpu::op, format, idst0, idst1, odst); \
  }
