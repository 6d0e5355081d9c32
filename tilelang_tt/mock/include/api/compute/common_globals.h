#pragma once

#include "ckernel.h"
#include "tt_mock/compute.h"
#include "tt_mock/llk.h"
