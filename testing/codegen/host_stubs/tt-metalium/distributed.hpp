// See host_api.hpp.
#pragma once
#include <tt-metalium/host_api.hpp>

namespace tt::tt_metal::distributed {
struct MeshBuffer {
  uint64_t address() const;
};
struct MeshShape {};
struct MeshCoordinateRange {
  explicit MeshCoordinateRange(const MeshShape& shape);
};
struct MeshCommandQueue {};
struct MeshDevice {
  MeshCommandQueue& mesh_command_queue();
  const MeshShape& shape() const;
  CoreCoord worker_core_from_logical_core(const CoreCoord& logical_core) const;
};
struct MeshWorkload {
  void add_program(const MeshCoordinateRange& range, Program&& program);
};
void EnqueueMeshWorkload(MeshCommandQueue& queue, MeshWorkload& workload, bool blocking);
}  // namespace tt::tt_metal::distributed
