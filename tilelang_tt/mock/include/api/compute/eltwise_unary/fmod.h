// The remainder with the sign of the dividend, by a scalar that the init takes with its
// reciprocal.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

inline void fmod_tile_init(uint32_t param0, uint32_t param1, TT_MOCK_SITE) {
  static_cast<void>(param1);
  tt_mock::sfpu_init({"fmod_tile_init", site}, tt_mock::Sfpu::fmod, param0);
}

inline void fmod_tile(uint32_t idst, TT_MOCK_SITE) {
  tt_mock::sfpu_unary_of_init({"fmod_tile", site}, tt_mock::Sfpu::fmod, idst);
}

}  // namespace ckernel
