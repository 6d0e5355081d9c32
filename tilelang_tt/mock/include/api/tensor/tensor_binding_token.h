// The names tensor::... that a program gives to its tensors.
#pragma once

#include "api/tensor/tensor_accessor_args.h"

namespace tensor_accessor {

// ADDR_CRTA_OFFSET: bytes of the common arguments before the tensor's address.
template <uint32_t CTA_OFFSET, uint32_t ADDR_CRTA_OFFSET>
struct TensorBindingToken {
  using args_t = TensorAccessorArgs<CTA_OFFSET>;
  static constexpr args_t args{};
  static constexpr uint32_t addr_crta_offset = ADDR_CRTA_OFFSET;
};

}  // namespace tensor_accessor
