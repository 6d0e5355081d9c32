"""What a run did and when: counts, the times of the virtual clock, and figures made of them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tilelang_tt.mock.advice import Advice, BarrierReport, advise
from tilelang_tt.mock.errors import Finding, Print
from tilelang_tt.mock.program import FIDELITIES, Core, Program

Engine = Literal["reader", "writer", "unpack", "math", "pack"]
Stall = Literal["circular_buffer", "transfer", "semaphore", "operands", "destination"]

# As in clock.h.
_STALLS: tuple[Stall, ...] = (
    "circular_buffer",
    "transfer",
    "semaphore",
    "operands",
    "destination",
)
_DIRECTIONS: tuple[Literal["x", "y"], ...] = ("x", "y")


@dataclass(frozen=True)
class KernelReport:
    """What one kernel did, summed over its cores: calls by kind of work, pages and bytes moved.

    `unread_args` and `unread_common_args` are the numbers of the run-time arguments that it was
    given and that no core read.
    """

    calls: Mapping[str, int]
    pages_pushed: int
    bytes_read: int
    bytes_written: int
    barriers: tuple[BarrierReport, ...]
    unread_args: tuple[int, ...] = ()
    unread_common_args: tuple[int, ...] = ()


@dataclass(frozen=True)
class EngineReport:
    """The time of one engine of one core, in cycles from the first instruction of the kernels.

    It works for `busy` cycles and waits for the sum of `stalls` until it is `finished`.
    """

    finished: float
    busy: float
    stalls: Mapping[Stall, float]


@dataclass(frozen=True)
class CircularBufferReport:
    """Cycles that the two sides of a circular buffer wait for each other."""

    name: str
    producer_wait: float
    consumer_wait: float


@dataclass(frozen=True)
class CoreReport:
    """The time of one core; an engine without a kernel is left out."""

    engines: Mapping[Engine, EngineReport]
    circular_buffers: tuple[CircularBufferReport, ...]

    @property
    def cycles(self) -> float:
        return max(engine.finished for engine in self.engines.values())


@dataclass(frozen=True)
class BankReport:
    """What one DRAM bank moved, and the cycles it was busy."""

    bytes_read: int
    bytes_written: int
    busy: float


@dataclass(frozen=True)
class LinkReport:
    """What left the router at (x, y), in coordinates of the NoC, along one axis."""

    noc: int
    x: int
    y: int
    direction: Literal["x", "y"]
    bytes: int
    busy: float


@dataclass(frozen=True)
class Interval:
    """What an engine did from `begin` to `end`; a wait names what is waited for."""

    core: Core
    engine: Engine
    name: str
    is_wait: bool
    begin: float
    end: float


@dataclass(frozen=True)
class Times:
    """What each core and each link did when."""

    cores: Mapping[Core, CoreReport]
    links: tuple[LinkReport, ...]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class Report:
    """What a run did, by kernel name, and when by the virtual clock.

    `cycles` is the whole: the launch, and the kernels until the last one ends. `times` are made
    when they are first asked for, by `read_times`.
    """

    kernels: Mapping[str, KernelReport]
    cycles: float
    launch_cycles: float
    clock_ghz: float
    fidelity_phases: int
    tile_products: int
    dram_banks: tuple[BankReport, ...]
    read_times: Callable[[], Times] = field(repr=False)
    findings: tuple[Finding, ...] = ()  # of a run that may go on in spite of them
    prints: tuple[Print, ...] = ()
    warnings: tuple[Advice, ...] = ()  # what is right and wasteful
    steps: Mapping[str, Report] = field(default_factory=dict)  # the runs of a `sequence`, by name

    @functools.cached_property
    def times(self) -> Times:
        return self.read_times()

    @property
    def cores(self) -> Mapping[Core, CoreReport]:
        """The time of each core that runs a kernel."""
        return self.times.cores

    @property
    def links(self) -> tuple[LinkReport, ...]:
        """The links of the NoCs that moved anything."""
        return self.times.links

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """What each engine did when; empty unless the run was told to record."""
        return self.times.intervals

    @property
    def microseconds(self) -> float:
        return self.cycles / self.clock_ghz / 1000

    @property
    def dram_bytes(self) -> int:
        return sum(bank.bytes_read + bank.bytes_written for bank in self.dram_banks)

    def engine(self, name: Engine) -> EngineReport:
        """One engine over all cores: the mean of its times, the latest end."""
        rows = [core.engines[name] for core in self.cores.values() if name in core.engines]
        if not rows:
            return EngineReport(0.0, 0.0, dict.fromkeys(_STALLS, 0.0))
        return EngineReport(
            max(row.finished for row in rows),
            sum(row.busy for row in rows) / len(rows),
            {stall: sum(row.stalls[stall] for row in rows) / len(rows) for stall in _STALLS},
        )

    def trace(self) -> dict[str, Any]:
        """The intervals as a Chrome trace, for `json.dump` and Perfetto; one cycle is 1 ns."""
        events: list[dict[str, Any]] = []
        tracks: dict[tuple[Core, str], int] = {}
        processes: dict[Core, int] = {}
        for each in self.intervals:
            process = processes.setdefault(each.core, len(processes) + 1)
            track = tracks.setdefault((each.core, each.engine), len(tracks) + 1)
            events.append(
                {
                    "name": f"wait: {each.name}" if each.is_wait else each.name,
                    "cat": "wait" if each.is_wait else "work",
                    "ph": "X",
                    "ts": each.begin / 1000,
                    "dur": (each.end - each.begin) / 1000,
                    "pid": process,
                    "tid": track,
                }
            )
        names = [
            _metadata("process_name", process, 0, f"core {core[0]}, {core[1]}")
            for core, process in processes.items()
        ]
        names += [
            _metadata("thread_name", processes[core], track, engine)
            for (core, engine), track in tracks.items()
        ]
        return {"traceEvents": names + events, "displayTimeUnit": "ns"}


def _metadata(kind: str, process: int, track: int, name: str) -> dict[str, Any]:
    return {"name": kind, "ph": "M", "pid": process, "tid": track, "args": {"name": name}}


def from_json(
    program: Program, answer: Mapping[str, Any], times: bytes, findings: tuple[Finding, ...]
) -> Report:
    """The engine's answer of a run without error, and its times as JSON text."""
    clock = answer["clock"]
    kernels = {name: _kernel(counts) for name, counts in answer["kernels"].items()}
    banks = tuple(BankReport(*row) for row in clock["dram_banks"])
    return Report(
        kernels=kernels,
        cycles=clock["cycles"],
        launch_cycles=clock["launch"],
        clock_ghz=program.device.clock_ghz,
        fidelity_phases=FIDELITIES.index(program.fidelity) + 1,
        tile_products=clock["tile_products"],
        dram_banks=banks,
        read_times=_Written(times),
        findings=findings,
        prints=prints(answer),
        warnings=advise(
            {name: kernel.barriers for name, kernel in kernels.items()},
            answer["unused_circular_buffers"],
            [bank.bytes_read + bank.bytes_written for bank in banks],
            {
                name: (kernel.unread_args, kernel.unread_common_args)
                for name, kernel in kernels.items()
            },
        ),
    )


@dataclass(frozen=True)
class _Written:
    """The times as the engine wrote them."""

    text: bytes

    def __call__(self) -> Times:
        times = json.loads(self.text)
        return Times(
            cores={(core["x"], core["y"]): _core(core) for core in times["cores"]},
            links=tuple(_link(row) for row in times["links"]),
            intervals=tuple(_interval(row) for row in times["intervals"]),
        )


def prints(answer: Mapping[str, Any]) -> tuple[Print, ...]:
    """What the kernels printed, in the order of the run."""
    return tuple(
        Print((each["x"], each["y"]), each["engine"], each["text"]) for each in answer["prints"]
    )


def _kernel(counts: Mapping[str, Any]) -> KernelReport:
    barriers = tuple(BarrierReport(*row) for row in counts["barriers"])
    unread = {name: tuple(counts[name]) for name in ("unread_args", "unread_common_args")}
    return KernelReport(**{**counts, "barriers": barriers, **unread})


def _core(data: Mapping[str, Any]) -> CoreReport:
    engines: dict[Engine, EngineReport] = {
        name: EngineReport(row[0], row[1], dict(zip(_STALLS, row[2:], strict=True)))
        for name, row in data["engines"].items()
    }
    return CoreReport(
        engines, tuple(CircularBufferReport(*row) for row in data["circular_buffers"])
    )


def _link(row: Sequence[Any]) -> LinkReport:
    noc, x, y, direction, read, written, busy = row
    return LinkReport(noc, x, y, _DIRECTIONS[direction], read + written, busy)


def _interval(row: Sequence[Any]) -> Interval:
    x, y, engine, name, is_wait, begin, end = row
    return Interval((x, y), engine, name, is_wait, begin, end)
