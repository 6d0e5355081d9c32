// What the declarations of this folder do in tests: nothing but to print what each core is told.
#include <tt-metalium/distributed.hpp>
#include <tt-metalium/host_api.hpp>
#include <tt-metalium/tensor_accessor_args.hpp>

#include <cstdio>

CoreCoord::CoreCoord(std::size_t x, std::size_t y) : x(x), y(y) {}
CoreRange::CoreRange(const CoreCoord&, const CoreCoord&) {}

namespace tt::tt_metal {

static KernelHandle kernels = 0;

CircularBufferConfig::CircularBufferConfig(uint32_t, const std::map<uint8_t, DataFormat>&) {}
CircularBufferConfig& CircularBufferConfig::set_page_size(uint8_t, uint32_t) { return *this; }
CBHandle CreateCircularBuffer(Program&, const CoreRange&, const CircularBufferConfig&) { return 0; }

static KernelHandle named(const std::string& path) {
  std::printf("kernel %s\n", path.c_str());
  return kernels++;
}
KernelHandle CreateKernel(Program&, const std::string& path, const CoreRange&,
                          const DataMovementConfig&) {
  return named(path);
}
KernelHandle CreateKernel(Program&, const std::string& path, const CoreRange&,
                          const ComputeConfig&) {
  return named(path);
}
void SetRuntimeArgs(const Program&, KernelHandle kernel, const CoreCoord& core,
                    const std::vector<uint32_t>& words) {
  std::printf("words %u %zu %zu", kernel, core.x, core.y);
  for (const uint32_t word : words) {
    std::printf(" %u", word);
  }
  std::printf("\n");
}
uint32_t CreateSemaphore(Program&, const CoreRange&, uint32_t) { return 0; }
void SetCommonRuntimeArgs(const Program&, KernelHandle, const std::vector<uint32_t>&) {}
TensorAccessorArgs::TensorAccessorArgs(const distributed::MeshBuffer&) {}
void TensorAccessorArgs::append_to(std::vector<uint32_t>&) const {}

namespace distributed {

static MeshCommandQueue queue;
static const MeshShape whole;

uint64_t MeshBuffer::address() const { return 0; }
MeshCoordinateRange::MeshCoordinateRange(const MeshShape&) {}
MeshCommandQueue& MeshDevice::mesh_command_queue() { return queue; }
const MeshShape& MeshDevice::shape() const { return whole; }
CoreCoord MeshDevice::worker_core_from_logical_core(const CoreCoord& core) const {
  return {core.x + 18, core.y + 20};
}
void MeshWorkload::add_program(const MeshCoordinateRange&, Program&&) { kernels = 0; }
void EnqueueMeshWorkload(MeshCommandQueue&, MeshWorkload&, bool) {}

}  // namespace distributed
}  // namespace tt::tt_metal
