// Operations that the mock does not have. They are declared, so that a kernel compiles that names
// one on a path it does not take; one that reaches it is told so.
#pragma once

#include "ckernel.h"

#define TT_MOCK_UNAVAILABLE(name)                                                          \
  template <auto... parameters>                                                            \
  void name(uint32_t = 0, uint32_t = 0, uint32_t = 0, uint32_t = 0, uint32_t = 0,          \
            tt_mock::Site site = tt_mock::here()) {                                        \
    tt_mock::unsupported({#name, site}, "the operation " #name);                           \
  }
