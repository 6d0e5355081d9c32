// The names scratch::... that a program gives to plain memory of a core: the space of a circular
// buffer that nobody pushes or pops.
#pragma once

#include <cstdint>

struct ScratchpadBindingToken {
  uint16_t circular_buffer;
};
