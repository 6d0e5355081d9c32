// An assertion of the kernel. The device looks at it where the watcher is on, the mock always does.
#pragma once

#include "tt_mock/common.h"

#ifndef ASSERT
#define ASSERT(condition, ...) \
  ((condition) ? void(0) : tt_mock::assertion_failed({"ASSERT", tt_mock::here()}, #condition))
#endif
