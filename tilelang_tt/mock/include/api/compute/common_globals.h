#pragma once

#include "ckernel.h"
#include "tt_mock/compute.h"
