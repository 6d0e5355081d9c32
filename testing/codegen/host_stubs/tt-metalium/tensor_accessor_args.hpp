// See host_api.hpp.
#pragma once
#include <tt-metalium/distributed.hpp>

namespace tt::tt_metal {
struct TensorAccessorArgs {
  explicit TensorAccessorArgs(const distributed::MeshBuffer& buffer);
  void append_to(std::vector<uint32_t>& args) const;
};
}  // namespace tt::tt_metal
