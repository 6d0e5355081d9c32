// What SFPI's own lltt.h declares: recording instructions into the replay buffer and playing them back.
#pragma once

#include <cstdint>

namespace lltt {

enum ExecBool : bool { NoExec, Exec };

template <ExecBool = NoExec>
void record(unsigned start, unsigned length);
void replay(unsigned start, unsigned length);
constexpr std::uint32_t replay_insn(unsigned, unsigned) { return 0; }

}  // namespace lltt
