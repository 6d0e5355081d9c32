#pragma once

#include "tt_mock/common.h"
