// Calls below the compute API that ttnn's helpers name on paths of their own. They are declared so
// that the helpers compile; a kernel that reaches one is told that the mock does not have it.
#pragma once

#include "ckernel.h"
#include "llk_defs.h"

enum class p_dim_stride_target : uint8_t { FACE_ROW_MAJOR, IGNORE };

namespace ckernel {
enum class PackMode : uint8_t { Default, Untilize, Tilize };
}  // namespace ckernel

#define TT_MOCK_LLK(name)                                                          \
  template <auto... parameters>                                                    \
  void name(uint32_t = 0, uint32_t = 0, tt_mock::Site site = tt_mock::here()) {    \
    tt_mock::unsupported({#name, site}, "this call of the low-level kernel library"); \
  }

TT_MOCK_LLK(llk_unpack_reconfig_data_format_srca)
TT_MOCK_LLK(llk_math_reconfig_data_format_srca)
TT_MOCK_LLK(llk_unpack_AB_reduce_init)
TT_MOCK_LLK(llk_math_reduce_init)
TT_MOCK_LLK(llk_pack_reduce_mask_config)

#undef TT_MOCK_LLK

inline void llk_pack_reduce_mask_clear(tt_mock::Site site = tt_mock::here()) {
  tt_mock::unsupported({"llk_pack_reduce_mask_clear", site},
                       "this call of the low-level kernel library");
}
