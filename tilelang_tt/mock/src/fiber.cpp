#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TT_MOCK_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TT_MOCK_ADDRESS_SANITIZER
#endif

#ifdef TT_MOCK_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace tt_mock {
namespace {

constexpr size_t stack_bytes = size_t{256} << 10;

size_t guard_bytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::vector<void*>& stack_pool() {
  static std::vector<void*> pool;
  return pool;
}

void* stack_take() {
  std::vector<void*>& pool = stack_pool();
  if (!pool.empty()) {
    void* stack = pool.back();
    pool.pop_back();
    return stack;
  }
  void* stack = mmap(nullptr, stack_bytes + guard_bytes(), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED || mprotect(stack, guard_bytes(), PROT_NONE) != 0) {
    abort();
  }
  return stack;
}

}  // namespace

void fiber_release(Fiber& fiber) {
  if (fiber.stack != nullptr) {
#ifdef TT_MOCK_ADDRESS_SANITIZER
    // An abandoned fiber never leaves its frames, which would stay poisoned.
    __asan_unpoison_memory_region(static_cast<char*>(fiber.stack) + guard_bytes(), stack_bytes);
#endif
    stack_pool().push_back(fiber.stack);
    fiber.stack = nullptr;
  }
}

#if defined(__x86_64__)

// Saves what the System V ABI says a callee keeps, then continues on the other stack.
extern "C" void tt_mock_switch(void** save, void* load);
extern "C" void tt_mock_start();
asm(R"(
.text
.type tt_mock_switch, @function
.hidden tt_mock_switch
.globl tt_mock_switch
tt_mock_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tt_mock_switch, .-tt_mock_switch
.type tt_mock_start, @function
.hidden tt_mock_start
.globl tt_mock_start
tt_mock_start:
  movq %r12, %rdi
  callq *%rbx
  ud2
.size tt_mock_start, .-tt_mock_start
)");

void fiber_create(Fiber& fiber, void (*entry)(void*), void* argument) {
  fiber.stack = stack_take();
  auto* top =
      static_cast<uintptr_t*>(fiber.stack) + (stack_bytes + guard_bytes()) / sizeof(uintptr_t);
  // In the order of the pops above; the padding leaves the stack aligned to 16 at the call of
  // entry.
  *--top = 0;
  *--top = 0;
  *--top = reinterpret_cast<uintptr_t>(&tt_mock_start);
  *--top = 0;                                      // rbp
  *--top = reinterpret_cast<uintptr_t>(entry);     // rbx
  *--top = reinterpret_cast<uintptr_t>(argument);  // r12
  *--top = 0;
  *--top = 0;
  *--top = 0;
  fiber.stack_pointer = top;
}

void fiber_switch(Fiber& from, Fiber& to) { tt_mock_switch(&from.stack_pointer, to.stack_pointer); }

#elif defined(__aarch64__)

// Saves what AAPCS64 says a callee keeps: x19-x30 and the low halves of v8-v15.
extern "C" void tt_mock_switch(void** save, void* load);
extern "C" void tt_mock_start();
asm(R"(
.text
.type tt_mock_switch, %function
.hidden tt_mock_switch
.globl tt_mock_switch
tt_mock_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size tt_mock_switch, .-tt_mock_switch
.type tt_mock_start, %function
.hidden tt_mock_start
.globl tt_mock_start
tt_mock_start:
  mov x0, x20
  blr x19
  brk #1
.size tt_mock_start, .-tt_mock_start
)");

void fiber_create(Fiber& fiber, void (*entry)(void*), void* argument) {
  fiber.stack = stack_take();
  auto* top =
      static_cast<uintptr_t*>(fiber.stack) + (stack_bytes + guard_bytes()) / sizeof(uintptr_t);
  constexpr size_t saved_words = 20;
  constexpr size_t link_register = 11;  // x30
  top -= saved_words;
  for (size_t i = 0; i < saved_words; ++i) {
    top[i] = 0;
  }
  top[0] = reinterpret_cast<uintptr_t>(entry);
  top[1] = reinterpret_cast<uintptr_t>(argument);
  top[link_register] = reinterpret_cast<uintptr_t>(&tt_mock_start);
  fiber.stack_pointer = top;
}

void fiber_switch(Fiber& from, Fiber& to) { tt_mock_switch(&from.stack_pointer, to.stack_pointer); }

#else

namespace {

// The context lives at the top of its own stack; the scheduler's lives in a static one.
ucontext_t* context_of(Fiber& fiber) {
  static ucontext_t scheduler;
  if (fiber.stack_pointer == nullptr) {
    fiber.stack_pointer = &scheduler;
  }
  return static_cast<ucontext_t*>(fiber.stack_pointer);
}

void start(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low) {
  const auto join = [](unsigned high, unsigned low) {
    return static_cast<uintptr_t>((static_cast<uint64_t>(high) << 32) | low);
  };
  reinterpret_cast<void (*)(void*)>(join(entry_high, entry_low))(
      reinterpret_cast<void*>(join(argument_high, argument_low)));
}

}  // namespace

void fiber_create(Fiber& fiber, void (*entry)(void*), void* argument) {
  fiber.stack = stack_take();
  char* low = static_cast<char*>(fiber.stack) + guard_bytes();
  const size_t context_bytes = (sizeof(ucontext_t) + 63) / 64 * 64;
  auto* context = reinterpret_cast<ucontext_t*>(low + stack_bytes - context_bytes);
  getcontext(context);
  context->uc_stack.ss_sp = low;
  context->uc_stack.ss_size = stack_bytes - context_bytes;
  context->uc_link = nullptr;
  const auto entry_bits = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(entry));
  const auto argument_bits = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(argument));
  makecontext(context, reinterpret_cast<void (*)()>(start), 4,
              static_cast<unsigned>(entry_bits >> 32), static_cast<unsigned>(entry_bits),
              static_cast<unsigned>(argument_bits >> 32), static_cast<unsigned>(argument_bits));
  fiber.stack_pointer = context;
}

void fiber_switch(Fiber& from, Fiber& to) { swapcontext(context_of(from), context_of(to)); }

#endif

}  // namespace tt_mock
