// Declarations of the part of tt-metal's host API that generated host programs use, enough to parse
// them; record.cpp defines them for tests. Names and shapes follow tt-metal 0.81.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct CoreCoord {
  std::size_t x = 0;
  std::size_t y = 0;
  CoreCoord(std::size_t x, std::size_t y);
};
struct CoreRange {
  CoreRange(const CoreCoord& start, const CoreCoord& end);
};
enum class MathFidelity : uint8_t { LoFi = 0, HiFi2 = 2, HiFi3 = 3, HiFi4 = 4 };
enum class UnpackToDestMode : uint8_t { UnpackToDestFp32, Default };
constexpr uint32_t NUM_CIRCULAR_BUFFERS = 64;

namespace tt {
enum class DataFormat : uint8_t { Float32 = 0, Float16 = 1, Float16_b = 5 };

namespace tt_metal {
struct Program {};
using KernelHandle = uint32_t;
enum class DataMovementProcessor { RISCV_0, RISCV_1 };
enum NOC : uint8_t { RISCV_0_default = 0, RISCV_1_default = 1, NOC_0 = 0, NOC_1 = 1 };
enum NOC_MODE : uint8_t { DM_DEDICATED_NOC = 0 };
struct DataMovementConfig {
  DataMovementProcessor processor = DataMovementProcessor::RISCV_0;
  NOC noc = NOC::RISCV_0_default;
  NOC_MODE noc_mode = NOC_MODE::DM_DEDICATED_NOC;
  std::vector<uint32_t> compile_args{};
  std::map<std::string, std::string> defines{};
};
struct ComputeConfig {
  MathFidelity math_fidelity = MathFidelity::HiFi4;
  bool fp32_dest_acc_en = false;
  std::vector<UnpackToDestMode> unpack_to_dest_mode{};
  std::vector<uint32_t> compile_args{};
};
struct CircularBufferConfig {
  CircularBufferConfig(uint32_t size, const std::map<uint8_t, DataFormat>& formats);
  CircularBufferConfig& set_page_size(uint8_t index, uint32_t size);
};
using CBHandle = uintptr_t;
CBHandle CreateCircularBuffer(Program&, const CoreRange&, const CircularBufferConfig&);
KernelHandle CreateKernel(Program&, const std::string&, const CoreRange&, const DataMovementConfig&);
KernelHandle CreateKernel(Program&, const std::string&, const CoreRange&, const ComputeConfig&);
void SetRuntimeArgs(const Program&, KernelHandle, const CoreCoord&, const std::vector<uint32_t>&);
uint32_t CreateSemaphore(Program&, const CoreRange&, uint32_t initial_value);
void SetCommonRuntimeArgs(const Program&, KernelHandle, const std::vector<uint32_t>&);
}  // namespace tt_metal
}  // namespace tt
