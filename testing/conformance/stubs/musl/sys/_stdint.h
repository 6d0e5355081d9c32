// A newlib header that a Blackhole header of tt-metal includes by its private name.
#pragma once

#include <stdint.h>
