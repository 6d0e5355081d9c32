"""What a run or a build on the mock can end with, as types a caller can catch."""

from __future__ import annotations

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
    """A thread that waits for pages of a circular buffer or for the value of a semaphore."""

    place: Place
    on: str
    index: int
    name: str
    wanted: int
    available: int
    tilelang_line: str | None

    @property
    def reason(self) -> tuple[str, str, str, int, str, int, int, int]:
        """What is the same for the cores that are stuck in the same way."""
        place = self.place
        return (
            place.engine,
            place.call,
            place.file,
            place.line,
            self.on,
            self.index,
            self.wanted,
            self.available,
        )

    def __str__(self) -> str:
        place = self.place
        what = "circular buffer" if self.on == "cb" else "semaphore"
        unit = "pages" if self.on == "cb" else "as value"
        line = f" ({self.tilelang_line})" if self.tilelang_line else ""
        return (
            f"{place.engine}: {place.call} at {place.file}:{place.line}{line} waits for "
            f"{what} {self.index} ({self.name}): {self.wanted} {unit} wanted, "
            f"{self.available} available"
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


class ProgramError(MockError):
    """The program does not fit the device or contradicts itself; `kind` is stable."""

    category = "UndefinedBehavior"

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


@dataclass(frozen=True)
class Finding:
    """One broken rule: what, where and the likely cause."""

    kind: str
    message: str
    cause: str
    place: Place | None
    cb: CircularBufferState | None
    tilelang_line: str | None

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.message}"]
        if self.place is not None:
            lines.append(f"  {self.place}")
        if self.tilelang_line is not None:
            lines.append(f"  TileLang line: {self.tilelang_line}")
        if self.cb is not None:
            lines.append(f"  {self.cb}")
        if self.cause:
            lines.append(f"  likely cause: {self.cause}")
        return "\n".join(lines)


class RunError(MockError):
    """A run that stopped at the first broken rule."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding
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
        finding: Finding,
        blocked: tuple[Blocked, ...],
        circular_buffers: tuple[CircularBufferState, ...],
    ) -> None:
        super().__init__(finding)
        self.blocked = blocked
        self.circular_buffers = circular_buffers
        self.args = (_deadlock_text(finding, blocked, circular_buffers),)


def _deadlock_text(
    finding: Finding,
    blocked: tuple[Blocked, ...],
    circular_buffers: tuple[CircularBufferState, ...],
) -> str:
    groups: dict[tuple[str, str, str, int, str, int, int, int], list[Blocked]] = {}
    for each in blocked:
        groups.setdefault(each.reason, []).append(each)
    lines = [f"{finding.kind}: {finding.message}"]
    for members in groups.values():
        lines.append(f"  {members[0]}; {_cores_text([each.place.core for each in members])}")
    shown = blocked[0].place.core
    lines += [f"  {cb}" for cb in circular_buffers if cb.core == shown]
    if finding.cause:
        lines.append(f"  likely cause: {finding.cause}")
    return "\n".join(lines)


def _cores_text(cores: list[tuple[int, int]]) -> str:
    if len(cores) == 1:
        return f"core {cores[0]}"
    return f"{len(cores)} cores from {cores[0]} to {cores[-1]}"
