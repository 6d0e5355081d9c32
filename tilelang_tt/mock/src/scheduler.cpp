// Runs the threads in turn until all have finished, one fails, or nothing can run.
#include <algorithm>
#include <cstdlib>

#include "packer.h"
#include "shadow.h"

namespace tt_mock {

Run* run = nullptr;

namespace {

uint32_t semaphore_value(const Core& core, uint32_t offset) {
  return *reinterpret_cast<volatile uint32_t*>(core.l1 + offset);
}

void check_transfers(const std::vector<Transfer>& transfers, const char* barrier) {
  if (transfers.empty()) {
    return;
  }
  run->current->call = transfers.front().call;
  likely("the barrier after the transfers is missing");
  note("missing_barrier", -1,
       "the kernel ended with %zu transfers outstanding; the first is this %s and needs %s",
       transfers.size(), transfers.front().call.name, barrier);
}

// What must not be left over when a kernel returns.
void finish(Thread& thread) {
  check_transfers(thread.reads, "noc_async_read_barrier()");
  check_transfers(thread.writes, "noc_async_write_barrier()");
  check_transfers(thread.flushed_writes, "noc_async_write_barrier()");
  check_transfers(thread.atomics, "noc_async_atomic_barrier()");
  if (thread.compute && (thread.compute->acquired || thread.compute->committed != 0)) {
    likely("tile_regs_commit, tile_regs_wait or tile_regs_release is missing");
    note("dst_protocol", -1, "the kernel ended with the destination register %s",
         thread.compute->acquired ? "acquired and not committed" : "committed and not released");
  }
  for (CircularBuffer* cb : thread.core->cb_by_offset) {
    if (cb->producer == thread.role && cb->reserved != 0) {
      likely("cb_push_back is missing, or pushes fewer pages than were reserved");
      note("cb_unpushed_at_end", int(cb->config->index),
           "the kernel ended with %u reserved pages not pushed", cb->reserved);
    }
  }
}

void thread_main(void* argument) {
  Thread& thread = *static_cast<Thread*>(argument);
  thread.kernel->entry();
  packer_join();
  finish(thread);
  thread.finished = true;
  fiber_switch(thread.fiber, run->scheduler);
  abort();
}

Turn turn_of(Thread& thread) {
  return {thread.core->clock.engines[uint32_t(thread.role)].now, thread.number, &thread};
}

// Whether `a` runs after `b`: the order of the heap.
bool is_later(const Turn& a, const Turn& b) {
  return a.time != b.time ? a.time > b.time : a.number > b.number;
}

// At first every data-movement thread has a turn, in the order of the cores.
Thread* next_thread() {
  if (run->unstarted != 0 && !run->ordered.empty()) {
    --run->unstarted;
  } else if (!run->ready.empty()) {
    Thread* thread = run->ready.back();
    run->ready.pop_back();
    return thread;
  }
  if (run->ordered.empty()) {
    return nullptr;
  }
  std::pop_heap(run->ordered.begin(), run->ordered.end(), is_later);
  Thread* thread = run->ordered.back().thread;
  run->ordered.pop_back();
  return thread;
}

// Until nothing can run, or a thread ends: threads hand over to each other by themselves.
void drain_ready() {
  while (!run->stopped) {
    run->current = next_thread();
    if (run->current == nullptr) {
      return;
    }
    fiber_switch(run->scheduler, run->current->fiber);
    if (run->current->finished) {
      fiber_release(run->current->fiber);
    }
  }
}

// Puts a turn in the place of the first one, which it gives back. One pass over the heap.
Turn exchange_first(const Turn& turn) {
  std::vector<Turn>& heap = run->ordered;
  const Turn first = heap.front();
  const size_t count = heap.size();
  size_t at = 0;
  for (size_t child = 1; child < count; child = 2 * at + 1) {
    child += child + 1 < count && is_later(heap[child], heap[child + 1]) ? 1 : 0;
    if (!is_later(turn, heap[child])) {
      break;
    }
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = turn;
  return first;
}

// A loop that polls L1 may count its turns, so some more are granted before it is called stuck.
bool grant_polls() {
  constexpr uint32_t most_polls = 1000;
  bool granted = false;
  for (Thread* thread : run->threads) {
    if (thread->wait.kind == WaitKind::l1_change && thread->polls < most_polls) {
      ++thread->polls;
      thread->wait.kind = WaitKind::none;
      make_ready(*thread);
      granted = true;
    }
  }
  return granted;
}

// A plain store to a semaphore wakes nobody, so look before giving up.
bool wake_any() {
  for (Thread* thread : run->threads) {
    wake_waiting(*thread->core);
  }
  return !run->ready.empty() || !run->ordered.empty() || grant_polls();
}

bool waits_for_cb(const Thread& thread) {
  return thread.wait.kind == WaitKind::cb_free || thread.wait.kind == WaitKind::cb_filled;
}

// Why nobody will end this wait, or null where somebody who is stuck as well could.
const char* dead_end(const Thread& thread) {
  if (thread.wait.kind == WaitKind::semaphore_equal &&
      semaphore_value(*thread.core, thread.wait.index) > thread.wait.wanted) {
    return "the semaphore is past the awaited value: it is signalled too often, or not reset";
  }
  if (!waits_for_cb(thread)) {
    return nullptr;
  }
  const CircularBuffer& cb = thread.core->cbs[thread.wait.index];
  const bool filled = thread.wait.kind == WaitKind::cb_filled;
  const Role partner = filled ? cb.producer : cb.consumer;
  if (partner == Role::none) {
    return filled ? "no kernel has pushed a page into this circular buffer"
                  : "no kernel has popped a page of this circular buffer";
  }
  if (thread.core->threads[uint32_t(partner)].finished) {
    return filled ? "the producer has finished: it pushes fewer pages than are waited for"
                  : "the consumer has finished: it pops fewer pages than are pushed";
  }
  return nullptr;
}

// Names the thread whose wait explains the others: one that nobody can end, else the first.
void report_deadlock() {
  Thread* named = nullptr;
  uint32_t blocked = 0;
  for (Thread* thread : run->threads) {
    if (thread->finished) {
      continue;
    }
    ++blocked;
    for_each_wait(*thread, [&named](Thread& waiting) {
      if (named == nullptr || (dead_end(*named) == nullptr && dead_end(waiting) != nullptr)) {
        named = &waiting;
      }
    });
  }
  if (named == nullptr) {
    return;
  }
  const char* cause = dead_end(*named);
  run->deadlocked = true;
  Finding finding;
  finding.category = Category::undefined_behavior;
  finding.kind = "deadlock";
  finding.message = std::to_string(blocked) + " of " + std::to_string(run->threads.size()) +
                    " threads wait and none can run";
  finding.cause = cause != nullptr ? cause : "the threads wait for each other";
  finding.thread = named;
  finding.call = named->call;
  finding.cb = waits_for_cb(*named) ? int(named->wait.index) : -1;
  record(std::move(finding));
}

// Pages that nobody took: the producer and the consumer disagree on the count.
void check_balance() {
  for (Thread* thread : run->threads) {
    for (CircularBuffer* cb : thread->core->cb_by_offset) {
      if (cb->occupied == 0 || cb->producer != thread->role || cb->config->is_tensor != 0) {
        continue;
      }
      Finding finding;
      finding.category = Category::undefined_behavior;
      finding.kind = "cb_unpopped_at_end";
      finding.thread = thread;
      finding.call = {"end of program", {thread->call.site}};
      finding.cb = int(cb->config->index);
      finding.message = std::to_string(cb->occupied) + " pushed pages were never popped";
      finding.cause = cb->consumer == Role::none
                          ? "no kernel consumes this circular buffer"
                          : "the consumer pops fewer pages than the producer pushes";
      record(std::move(finding));
    }
  }
}

}  // namespace

// Compute threads meet others in circular buffers only, whose times do not depend on the order of
// running; so they run at once. The others share the NoCs and the DRAM and take turns by time.
void make_ready(Thread& thread) {
  if (thread.role == Role::compute) {
    run->ready.push_back(&thread);
    return;
  }
  run->ordered.push_back(turn_of(thread));
  std::push_heap(run->ordered.begin(), run->ordered.end(), is_later);
}

void hand_over(Thread& from) {
  Thread* to = run->stopped ? nullptr : next_thread();
  if (to == &from) {
    return;
  }
  run->current = to != nullptr ? to : &from;
  fiber_switch(from.fiber, to != nullptr ? to->fiber : run->scheduler);
}

void wake_waiting(Core& core) {
  const auto wake_thread = [&core](Thread& thread) {
    if (thread.wait.kind != WaitKind::none && holds(core, thread.wait)) {
      thread.wait.kind = WaitKind::none;
      thread.polls = 0;
      make_ready(thread);
    }
  };
  for (Thread& thread : core.threads) {
    wake_thread(thread);
    if (thread.packer != nullptr && thread.packer->busy) {
      wake_thread(thread.packer->thread);
    }
  }
}

bool holds(const Core& core, const Wait& wait) {
  switch (wait.kind) {
    case WaitKind::none:
      return true;
    case WaitKind::cb_free:
      return core.cbs[wait.index].free_pages() >= wait.wanted;
    case WaitKind::cb_filled:
      return core.cbs[wait.index].occupied >= wait.wanted;
    case WaitKind::semaphore_equal:
      return semaphore_value(core, wait.index) == wait.wanted;
    case WaitKind::semaphore_at_least:
      return semaphore_value(core, wait.index) >= wait.wanted;
    case WaitKind::l1_change:
      return core.changes != wait.wanted;
    case WaitKind::section: {
      const Thread& thread = core.threads[uint32_t(Role::compute)];
      return !thread.packer->busy || thread.compute->committed < thread.compute->sections.size();
    }
    case WaitKind::packer:
      return !core.threads[uint32_t(Role::compute)].packer->busy;
  }
  abort();
}

void run_earlier_threads() {
  Thread& thread = *run->current;
  const Turn own = turn_of(thread);
  const bool alone = run->ready.empty();
  if (alone && (run->ordered.empty() || !is_later(own, run->ordered.front()))) {
    return;
  }
  if (alone && run->unstarted == 0 && !run->stopped) {
    run->current = exchange_first(own).thread;
    fiber_switch(thread.fiber, run->current->fiber);
    return;
  }
  make_ready(thread);
  hand_over(thread);
}

void block_until(Wait wait) {
  Thread& thread = *run->current;
  if (holds(*thread.core, wait)) {
    return;
  }
  thread.wait = wait;
  hand_over(thread);
}

void wake(Core& core) {
  ++core.changes;
  wake_waiting(core);
}

void scheduler_run() {
  for (Thread* thread : run->threads) {
    fiber_create(thread->fiber, thread_main, thread);
    make_ready(*thread);
  }
  run->unstarted = uint32_t(run->ordered.size());
  do {
    drain_ready();
  } while (!run->stopped && wake_any());
  if (!run->abandoned && !run->stopped) {  // else what is left over has its reason
    report_deadlock();
    if (!run->deadlocked) {
      check_balance();
      shadow_check_results();
    }
  }
  for (Thread* thread : run->threads) {
    fiber_release(thread->fiber);
    if (thread->packer != nullptr) {
      fiber_release(thread->packer->thread.fiber);
    }
  }
}

}  // namespace tt_mock
