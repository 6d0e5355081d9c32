// One where an element is zero, else zero.
#pragma once

#include "tt_mock/sfpu_calls.h"

namespace ckernel {

TT_MOCK_SFPU_INIT(logical_not_tile_init, logical_not)

template <DataFormat DATA_FORMAT>
void logical_not_tile(uint32_t idst, TT_MOCK_SITE) {
  const tt_mock::Call call = {"logical_not_tile", site};
  if constexpr (tt_mock::is_integer_format(DATA_FORMAT)) {
    tt_mock::sfpu_integer(call, tt_mock::Sfpu::logical_not_int, DATA_FORMAT, idst, {});
  } else {
    tt_mock::sfpu_unary(call, tt_mock::Sfpu::logical_not, idst, {});
  }
}

}  // namespace ckernel
