// What kernels use of the compute processors' own header.
#pragma once

#include "tt_mock/common.h"

namespace tt_mock {

[[noreturn]] void unsupported(Call call, const char* what);

}  // namespace tt_mock

namespace ckernel {

enum class ThreadId : uint8_t {
  BriscThreadId,
  NcriscThreadId,
  UnpackThreadId,
  MathThreadId,
  PackThreadId,
};

// A load that later instructions wait for; every load is one here.
template <typename T>
T load_blocking(volatile T* address) {
  return *address;
}

inline void mailbox_write(ThreadId, uint32_t, tt_mock::Site site = tt_mock::here()) {
  tt_mock::unsupported({"mailbox_write", site}, "mailboxes between the processors of a core");
}
inline uint32_t mailbox_read(ThreadId, tt_mock::Site site = tt_mock::here()) {
  tt_mock::unsupported({"mailbox_read", site}, "mailboxes between the processors of a core");
}

}  // namespace ckernel
