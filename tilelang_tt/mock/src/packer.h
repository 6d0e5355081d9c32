// The packer of a compute kernel goes on by itself. One fiber runs the kernel for all three engines;
// while the packer has to wait for free pages, its calls queue up and a fiber of its own makes them in
// order, so that unpacking and arithmetic run ahead until the destination register is full. A packer
// that waits for nothing makes its calls at once, in the kernel's fiber.
#pragma once

#include <utility>

#include "engine.h"

namespace tt_mock {

// Whether the running thread is a compute kernel whose packer is behind.
inline bool packer_is_behind() {
  const Thread& thread = *run->current;
  return thread.packer != nullptr && thread.packer->busy;
}

// Leaves a call of a packer that is behind to it. False: the caller makes the call.
template <typename Command>
bool deferred(Command command) {
  if (!packer_is_behind()) {
    return false;
  }
  Packer& packer = *run->current->packer;
  if (!packer.thread.abandoned) {
    packer.commands.emplace_back(std::move(command));
  }
  return true;
}

// Makes a call of the packer, now or when it gets there.
template <typename Command>
void on_packer(Command command) {
  if (!deferred(command)) {
    command();
  }
}

void packer_create(Thread& thread);
// The packer begins to wait, in this call of the running compute kernel.
void packer_start(std::function<void()> command);
// Blocks the running thread until its packer, if it has one, has made all calls so far.
void packer_join();

}  // namespace tt_mock
