#include "packer.h"

namespace tt_mock {
namespace {

void packer_main(void* argument) {
  Packer& packer = *static_cast<Packer*>(argument);
  for (;;) {
    while (!packer.commands.empty()) {
      const std::function<void()> command = std::move(packer.commands.front());
      packer.commands.pop_front();
      command();
    }
    packer.busy = false;
    wake_waiting(*packer.thread.core);
    hand_over(packer.thread);
  }
}

}  // namespace

void packer_create(Thread& thread) {
  thread.packer = std::make_unique<Packer>();
  Thread& own = thread.packer->thread;
  own.owner = &thread;
  own.core = thread.core;
  own.kernel = thread.kernel;
  own.role = thread.role;
  own.counts = thread.counts;
  own.call = thread.call;
}

void packer_start(std::function<void()> command) {
  Packer& packer = *run->current->packer;
  packer.commands.push_back(std::move(command));
  packer.busy = true;
  if (packer.thread.fiber.stack == nullptr) {
    fiber_create(packer.thread.fiber, packer_main, &packer);
  }
  make_ready(packer.thread);
}

void packer_join() {
  if (packer_is_behind()) {
    block_until({WaitKind::packer});
  }
}

}  // namespace tt_mock
