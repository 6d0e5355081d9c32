#pragma once

#include "tt_mock/compute.h"
