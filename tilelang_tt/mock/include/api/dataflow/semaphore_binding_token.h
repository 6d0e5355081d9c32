// The names sem::... that a program gives to its semaphores.
#pragma once

#include <cstdint>

enum class SemScope : uint8_t { LOCAL_NONATOMIC, DM_LOCAL_CACHED, EXTERNAL, COMPUTE_ATOMIC };

struct SemaphoreBindingToken {
  uint32_t id;
  SemScope scope;
};
