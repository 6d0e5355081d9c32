// Cooperative stacks: one per kernel thread, switched by hand.
#pragma once

#include <cstddef>

namespace tt_mock {

struct Fiber {
  void* stack_pointer = nullptr;
  void* stack = nullptr;  // lowest mapped byte; the page there is a guard
};

// A fiber that calls entry(argument) at its first switch; entry must never return.
void fiber_create(Fiber& fiber, void (*entry)(void*), void* argument);

// Gives the stack back to the pool. The fiber may be unfinished: nothing on it owns anything.
void fiber_release(Fiber& fiber);

void fiber_switch(Fiber& from, Fiber& to);

}  // namespace tt_mock
