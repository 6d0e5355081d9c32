// Circular buffers that another core fills are not in the mock: a kernel that uses one does not
// compile.
#pragma once

#include "api/dataflow/noc.h"
