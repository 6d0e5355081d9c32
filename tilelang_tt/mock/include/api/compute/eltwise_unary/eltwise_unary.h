// Unary SFPU kernels include this for the copy into the destination register.
#pragma once

#include "api/compute/common.h"
#include "api/compute/tile_move_copy.h"
