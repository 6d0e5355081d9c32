"""What a run or a build on the mock can end with, as types a caller can catch."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A call in a kernel: which core, which engine, which line of the C++ source."""

    core: tuple[int, int]
    engine: str
    call: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"core {self.core}, {self.engine}: {self.call} at {self.file}:{self.line}"


@dataclass(frozen=True)
class CircularBufferState:
    """The page counts of one circular buffer of one core when the run stopped."""

    core: tuple[int, int]
    index: int
    name: str
    pages: int
    filled: int
    reserved: int
    waited: int
    producer: str
    consumer: str

    def __str__(self) -> str:
        return (
            f"circular buffer {self.index} ({self.name}) of core {self.core}: {self.pages} pages, "
            f"{self.filled} filled, {self.reserved} reserved by {self.producer}, "
            f"{self.waited} waited for by {self.consumer}"
        )


@dataclass(frozen=True)
class Blocked:
    """A thread that waits: for pages of a circular buffer, a semaphore, or an L1 word it polls.

    `partner` is the engine of the same core that could end a wait for pages, "none" where no
    kernel does; a semaphore has none, since any core may set it. `wanted` is None for a poll.
    """

    place: Place
    on: str
    index: int
    name: str
    wanted: int | None
    available: int
    partner: str
    partner_finished: bool
    tilelang_line: str | None

    @property
    def reason(self) -> tuple[object, ...]:
        """What is the same for the cores that are stuck in the same way."""
        return (
            *dataclasses.astuple(dataclasses.replace(self.place, core=(0, 0)))[1:],
            self.on,
            self.index,
            self.wanted,
            self.available,
            self.partner,
            self.partner_finished,
        )

    @property
    def awaited(self) -> str:
        """What is waited for, in short."""
        if not self.on.endswith("pages"):
            wanted = "to change" if self.wanted is None else f"to be {self.wanted}"
            return f"{self.on} {self.index} {wanted}, now {self.available}"
        return (
            f"circular buffer {self.index} ({self.name}): {self.wanted} {self.on} wanted, "
            f"{self.available} available"
        )

    def __str__(self) -> str:
        place = self.place
        line = f" ({self.tilelang_line})" if self.tilelang_line else ""
        return (
            f"{place.engine}: {place.call} at {place.file}:{place.line}{line} waits for "
            f"{self.awaited}"
        )


class MockError(Exception):
    """Base of everything the mock raises; `category` says whose fault it is."""

    category = "AssertionFailure"


class MissingCompiler(MockError):
    """No C++ compiler can be run."""

    category = "Environment"


class KernelCompileError(MockError):
    """The host compiler rejects a kernel: a call its engine does not have, or a C++ error."""

    category = "UndefinedBehavior"

    def __init__(self, kernel: str, output: str) -> None:
        super().__init__(f"kernel {kernel} does not compile\n{output}")
        self.kernel = kernel
        self.output = output


class UnsupportedKernel(MockError):
    """The kernel may be right; the mock cannot run it on these cores."""

    category = "Unsupported"


class ProgramError(MockError):
    """The program does not fit the device or contradicts itself; `kind` is stable."""

    category = "UndefinedBehavior"

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


@dataclass(frozen=True)
class Finding:
    """One broken rule: what, where and the likely cause.

    It happened `times` times at this place, on all cores together; the place is the first. A
    `fatal` one ended its thread, and what followed from that is not reported.
    """

    kind: str
    message: str
    cause: str
    place: Place | None
    cb: CircularBufferState | None
    tilelang_line: str | None
    category: str = "UndefinedBehavior"
    fatal: bool = False
    times: int = 1

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.message}"]
        if self.place is not None:
            more = f" ({self.times} times)" if self.times > 1 else ""
            lines.append(f"  {self.place}{more}")
        if self.tilelang_line is not None:
            lines.append(f"  TileLang line: {self.tilelang_line}")
        if self.cb is not None:
            lines.append(f"  {self.cb}")
        if self.cause:
            lines.append(f"  likely cause: {self.cause}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Print:
    """What a kernel printed with DPRINT."""

    core: tuple[int, int]
    engine: str
    text: str

    def __str__(self) -> str:
        return f"core {self.core}, {self.engine}: {self.text}"


class RunError(MockError):
    """A run that broke rules: `findings` has all of them, the other attributes are the first's.

    `prints` is what the kernels printed before.
    """

    prints: tuple[Print, ...] = ()

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = tuple(findings)
        finding = self.findings[0]
        self.kind = finding.kind
        self.message = finding.message
        self.cause = finding.cause
        self.place = finding.place
        self.cb = finding.cb
        self.tilelang_line = finding.tilelang_line


class UndefinedBehavior(RunError):
    """The kernel does what the chip does not define, or what makes it hang."""

    category = "UndefinedBehavior"


class Unsupported(RunError):
    """The kernel may be right; the mock cannot run it."""

    category = "Unsupported"


class AssertionFailure(RunError):
    """A bug of the mock."""

    category = "AssertionFailure"


class DeadlockError(UndefinedBehavior):
    """No thread can run and some have not finished."""

    def __init__(
        self,
        findings: Sequence[Finding],
        blocked: tuple[Blocked, ...],
        circular_buffers: tuple[CircularBufferState, ...],
    ) -> None:
        super().__init__(findings)
        self.blocked = blocked
        self.circular_buffers = circular_buffers
        others = [str(each) for each in self.findings if each.kind != "deadlock"]
        self.args = ("\n".join([self._text(), *others]),)

    def _text(self) -> str:
        finding = next(each for each in self.findings if each.kind == "deadlock")
        groups: dict[tuple[object, ...], list[Blocked]] = {}
        for each in self.blocked:
            groups.setdefault(each.reason, []).append(each)
        lines = [f"{finding.kind}: {finding.message}"]
        for members in groups.values():
            lines.append(f"  {members[0]}; {_cores_text([each.place.core for each in members])}")
        assert finding.place is not None
        shown = finding.place.core
        lines += [f"  {cb}" for cb in self.circular_buffers if cb.core == shown]
        lines += [f"  {line}" for line in self.drawing(shown)]
        if finding.cause:
            lines.append(f"  likely cause: {finding.cause}")
        return "\n".join(lines)

    def drawing(self, core: tuple[int, int]) -> list[str]:
        """Who waits for whom on a core, an arrow per line; the last one closes a cycle."""
        waits = [each for each in self.blocked if each.place.core == core]
        lines = [f"core {core}, who waits for whom:"]
        for each in waits:
            engine = each.place.engine
            state = " (finished)" if each.partner_finished else ""
            partner = "another core" if each.partner == "none" else each.partner + state
            if each.partner == "none" and each.on.endswith("pages"):
                partner = "no kernel"
            lines.append(f"  {engine:<7} --[{each.awaited}]--> {partner}")
        return lines + _cycle(waits)


def _cycle(waits: list[Blocked]) -> list[str]:
    """A compute kernel may wait for two at a time: its packer, and the rest of it."""
    partners: defaultdict[str, list[str]] = defaultdict(list)
    for each in waits:
        partners[each.place.engine].append(each.partner)

    def back(start: str, path: list[str]) -> list[str] | None:
        for partner in partners.get(path[-1], ()):
            if partner == start:
                return [*path, start]
            found = back(start, [*path, partner]) if partner not in path else None
            if found is not None:
                return found
        return None

    for start in list(partners):
        cycle = back(start, [start])
        if cycle is not None:
            return [f"  a cycle: {' -> '.join(cycle)}"]
    return []


def _cores_text(cores: list[tuple[int, int]]) -> str:
    if len(cores) == 1:
        return f"core {cores[0]}"
    return f"{len(cores)} cores from {cores[0]} to {cores[-1]}"
