// Attributes of pointers, empty on the host.
#pragma once

#include "tt_mock/common.h"
