// Happens-before: epochs, releases, and the accesses that are not ordered.
#include "order.h"

#include <algorithm>

#include "engine.h"

namespace tt_mock {
namespace {

constexpr Epoch never = ~Epoch{0};

void join(std::vector<Epoch>& into, const std::vector<Epoch>& from) {
  if (from.empty()) {
    return;
  }
  into.resize(run->threads.size());
  for (size_t i = 0; i < into.size(); ++i) {
    into[i] = std::max(into[i], from[i]);
  }
}

bool knows(const Thread& thread, const Thread& other, Epoch epoch) {
  if (&thread == &other || epoch == 0) {
    return true;
  }
  const Knowledge& knowledge = thread.order.knows;
  if (thread.core == other.core) {
    return knowledge.local[uint32_t(other.role)] >= epoch;
  }
  return !knowledge.others.empty() && knowledge.others[other.number] >= epoch;
}

// Remote accesses that are certainly over, for who learns of the epoch that ends now. Writes to the
// core that is signalled arrive before the signal: both go the same way through the same NoC.
void publish(Thread& thread, const Core* signalled) {
  Order& order = thread.order;
  if (order.unreleased.empty()) {
    return;
  }
  const auto covered = [&](const Unreleased& each) {
    const bool over = each.complete || (each.is_write && each.at == signalled);
    if (over) {
      order.remote_epochs[each.number] = order.epoch;
    }
    return over;
  };
  order.unreleased.erase(
      std::remove_if(order.unreleased.begin(), order.unreleased.end(), covered),
      order.unreleased.end());
}

SyncWord& sync_word(Core& core, uint32_t offset) {
  for (SyncWord& word : core.sync_words) {
    if (word.offset == offset) {
      return word;
    }
  }
  core.sync_words.push_back({offset, {}});
  return core.sync_words.back();
}

void report(const CircularBuffer* cb, Range range, bool is_write, const Thread& other,
            const char* what, Call call) {
  likely(
      "nothing orders the two: a semaphore (after the barrier of the transfer) or a push or pop "
      "between them is missing");
  note("l1_race", cb == nullptr ? -1 : int(cb->config->index),
       "%s L1 bytes 0x%x to 0x%x is not ordered with the %s by core (%u, %u), %s%s%s",
       is_write ? "writing" : "reading", range.begin, range.end, what, other.core->x,
       other.core->y, role_name(other.role), call.site.line == 0 ? "" : " in line ",
       call.site.line == 0 ? "" : std::to_string(call.site.line).c_str());
}

void report_lost_signal(const Core& core, uint32_t offset) {
  likely("the set may come after the signal and throw it away: set before telling the other side");
  note("semaphore_lost_signal", -1,
       "a signal through the L1 word at 0x%x of core (%u, %u) is not ordered with its being set",
       offset, core.x, core.y);
}

// Against what the NoC did to the range.
void check_remote_accesses(const Thread& thread, const Core& core, const CircularBuffer* cb,
                           Range range, bool is_write) {
  for (const RemoteAccess& each : core.remote_accesses) {
    if (each.by == &thread || !(is_write || each.is_write) || !each.range.overlaps(range)) {
      continue;
    }
    if (!knows(thread, *each.by, each.by->order.remote_epochs[each.number])) {
      return report(cb, range, is_write, *each.by, each.is_write ? "remote write" : "remote read",
                    each.call);
    }
  }
}

// Against what the core's own threads did to the page.
void check_page(const Thread& thread, Core& core, const CircularBuffer& cb, const Page& page,
                Range range, bool is_write) {
  for (uint32_t role = 0; role < role_count; ++role) {
    const Thread& other = core.threads[role];
    if (&other == &thread || other.kernel == nullptr) {
      continue;
    }
    if (!knows(thread, other, page.stored[role])) {
      return report(&cb, range, is_write, other, "write", {"", {"", 0}});
    }
    if (is_write && !knows(thread, other, page.loaded[role])) {
      return report(&cb, range, is_write, other, "read", {"", {"", 0}});
    }
  }
}

template <typename Action>
void for_each_page(CircularBuffer& cb, Range range, Action action) {
  const uint32_t last = cb.last_page(range);
  for (uint32_t page = cb.first_page(range); page <= last; ++page) {
    action(cb.pages[page]);
  }
}

CircularBuffer* cb_around(const Core& core, Range range) {
  for (CircularBuffer* cb : core.cb_by_offset) {
    if (Range{cb->offset, cb->end()}.overlaps(range)) {
      return cb;
    }
  }
  return nullptr;
}

// Later accesses of the same kind by the same thread stand for earlier ones that they cover, or that
// they continue while nobody has been told of either.
void remember(Thread& thread, Core& core, Range range, bool is_write, uint32_t number) {
  for (RemoteAccess& each : core.remote_accesses) {
    const bool same = each.by == &thread && each.is_write == is_write;
    if (same && range.contains(each.range)) {
      each = {range, &thread, number, is_write, thread.call};
      return;
    }
    const bool untold = thread.order.remote_epochs[each.number] == never;
    if (same && untold && each.range.end == range.begin) {
      each = {{each.range.begin, range.end}, &thread, number, is_write, thread.call};
      return;
    }
  }
  core.remote_accesses.push_back({range, &thread, number, is_write, thread.call});
}

}  // namespace

void order_release(Thread& caller, Knowledge& to) {
  Thread& thread = caller.whole();
  publish(thread, nullptr);
  Order& order = thread.order;
  order.knows.local[uint32_t(thread.role)] = order.epoch++;
  for (uint32_t role = 0; role < role_count; ++role) {
    to.local[role] = std::max(to.local[role], order.knows.local[role]);
  }
  join(to.others, order.knows.others);
}

void order_acquire(Thread& caller, const Knowledge& from) {
  Knowledge& into = caller.whole().order.knows;
  for (uint32_t role = 0; role < role_count; ++role) {
    into.local[role] = std::max(into.local[role], from.local[role]);
  }
  join(into.others, from.others);
}

void order_signal(Thread& thread, Core& core, uint32_t offset) {
  const SyncWord& word = sync_word(core, offset);
  if (word.setter != nullptr && !knows(thread, *word.setter, word.set_at)) {
    report_lost_signal(core, offset);
  }
  publish(thread, &core);
  Order& order = thread.order;
  order.knows.local[uint32_t(thread.role)] = order.epoch++;
  std::vector<Epoch>& released = sync_word(core, offset).released;
  released.resize(run->threads.size());
  join(released, order.knows.others);
  for (uint32_t role = 0; role < role_count; ++role) {
    const Thread& own = thread.core->threads[role];
    if (own.kernel != nullptr) {
      released[own.number] = std::max(released[own.number], order.knows.local[role]);
    }
  }
}

void order_observe(Thread& thread, uint32_t offset) {
  const std::vector<Epoch>& released = sync_word(*thread.core, offset).released;
  if (released.empty()) {
    return;
  }
  Knowledge& into = thread.order.knows;
  join(into.others, released);
  for (uint32_t role = 0; role < role_count; ++role) {
    const Thread& own = thread.core->threads[role];
    if (own.kernel != nullptr) {
      into.local[role] = std::max(into.local[role], released[own.number]);
    }
  }
}

void order_set(Thread& thread, uint32_t offset) {
  SyncWord& word = sync_word(*thread.core, offset);
  for (size_t i = 0; i < word.released.size(); ++i) {
    if (!knows(thread, *run->threads[i], word.released[i])) {
      report_lost_signal(*thread.core, offset);
      break;
    }
  }
  word.setter = &thread;
  word.set_at = thread.order.epoch;
  order_signal(thread, *thread.core, offset);
}

bool is_sync_word(const Core& core, uint32_t offset) {
  const uint32_t end = semaphore_base + run->program->semaphore_count * semaphore_stride;
  const auto is_here = [offset](const SyncWord& word) { return word.offset == offset; };
  return (offset >= semaphore_base && offset < end) ||
         std::any_of(core.sync_words.begin(), core.sync_words.end(), is_here);
}

void order_complete(Thread& thread, bool reads, bool writes, uint32_t transaction) {
  for (Unreleased& each : thread.order.unreleased) {
    const bool concerned = transaction == every_transaction || transaction == each.transaction;
    each.complete |= concerned && (each.is_write ? writes : reads);
  }
}

void order_local_access(Thread& caller, CircularBuffer& cb, Range range, bool is_write) {
  Thread& thread = caller.whole();
  const auto role = uint32_t(thread.role);
  const Epoch epoch = thread.order.epoch;
  for_each_page(cb, range, [&](Page& page) {
    check_page(thread, *thread.core, cb, page, range, is_write);
    (is_write ? page.stored : page.loaded)[role] = epoch;
  });
  if (!thread.core->remote_accesses.empty()) {
    check_remote_accesses(thread, *thread.core, &cb, range, is_write);
  }
}

void order_remote_access(Thread& thread, Core& core, Range range, bool is_write,
                         uint32_t transaction) {
  CircularBuffer* cb = cb_around(core, range);
  if (cb == nullptr || is_sync_word(core, range.begin)) {
    return;
  }
  for_each_page(*cb, range, [&](Page& page) {
    check_page(thread, core, *cb, page, range, is_write);
  });
  check_remote_accesses(thread, core, cb, range, is_write);
  Order& order = thread.order;
  const auto number = uint32_t(order.remote_epochs.size());
  order.remote_epochs.push_back(never);
  order.unreleased.push_back({number, &core, is_write, false, transaction});
  remember(thread, core, range, is_write, number);
}

}  // namespace tt_mock
