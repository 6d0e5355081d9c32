"""What a run does that is right and costs time or memory: the warnings of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "dram_bank_conflict",
    "unused_circular_buffer",
    "idle_barrier",
    "lone_transfers",
    "unread_argument",
]

# A bank with twice its share of the bytes makes the others wait half of the time.
_BANK_SHARE = 2.0
_BANK_BYTES = 16384  # that a bank moves, from which on its share counts
_PASSES = 8  # of a barrier, from which on its cost counts


@dataclass(frozen=True)
class Advice:
    """A warning: what is wasted, and what to do instead."""

    kind: Kind
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass(frozen=True)
class BarrierReport:
    """A barrier of a kernel, summed over its cores.

    It was passed `passed` times, `idle` of them with nothing to wait for, for `transfers` in all.
    """

    call: str
    line: int
    passed: int
    idle: int
    transfers: int


def advise(
    barriers: Mapping[str, Sequence[BarrierReport]],
    unused_circular_buffers: Sequence[str],
    bank_bytes: Sequence[int],
    unread: Mapping[str, tuple[Sequence[int], Sequence[int]]],
) -> tuple[Advice, ...]:
    """The warnings of a run.

    `barriers` are by kernel, `bank_bytes` what each DRAM bank moved, `unread` the numbers of each
    kernel's own and common run-time arguments that no core read.
    """
    return (
        *_bank_conflicts(bank_bytes),
        *(
            Advice("unused_circular_buffer", f"{name} takes L1 of every core and is never used")
            for name in unused_circular_buffers
        ),
        *(each for kernel, uses in barriers.items() for each in _barriers(kernel, uses)),
        *(each for kernel, numbers in unread.items() for each in _unread(kernel, *numbers)),
    )


def _unread(kernel: str, own: Sequence[int], common: Sequence[int]) -> Iterator[Advice]:
    for kind, numbers in (("run-time", own), ("common run-time", common)):
        if numbers:
            which = ", ".join(map(str, numbers))
            yield Advice(
                "unread_argument",
                f"{kernel} is given {kind} arguments that no core reads: {which}; their order or "
                "number may not be what the kernel expects",
            )


def _bank_conflicts(bank_bytes: Sequence[int]) -> Iterator[Advice]:
    total = sum(bank_bytes)
    if max(bank_bytes, default=0) < _BANK_BYTES:
        return
    share = max(bank_bytes) / total
    if share * len(bank_bytes) >= _BANK_SHARE:
        bank = bank_bytes.index(max(bank_bytes))
        yield Advice(
            "dram_bank_conflict",
            f"bank {bank} moves {share:.0%} of the bytes, an even share is "
            f"{1 / len(bank_bytes):.0%}: let cores start at different pages, or interleave finer",
        )


def _barriers(kernel: str, uses: Sequence[BarrierReport]) -> Iterator[Advice]:
    for use in uses:
        place = f"{use.call} at {kernel}:{use.line}"
        if use.idle == use.passed:
            yield Advice(
                "idle_barrier",
                f"{place} has nothing to wait for, all {use.passed} times: leave it out",
            )
        elif use.passed >= _PASSES and use.transfers == use.passed:
            yield Advice(
                "lone_transfers",
                f"{place} waits for one transfer each of {use.passed} times: "
                "start several transfers before a barrier",
            )
