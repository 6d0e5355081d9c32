"""One report of runs that were made one after the other."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from tilelang_tt.mock.program import Core
from tilelang_tt.mock.report import (
    BankReport,
    CircularBufferReport,
    CoreReport,
    Engine,
    EngineReport,
    Interval,
    LinkReport,
    Report,
    Stall,
    Times,
)


def sequence(steps: Mapping[str, Report]) -> Report:
    """What the runs `steps`, in order and by name, did together; they are its `steps`.

    Times add up: a run starts when the one before is done. Kernels and circular buffers are called
    `step/name`. An engine's `finished` is the end of its work in the last run that has it; what it
    neither works nor waits for before is the time of other steps.

    Raises:
        ValueError: there are no runs, or they are of chips or fidelities that differ.
    """
    reports = list(steps.values())
    settings = {(report.clock_ghz, report.fidelity_phases) for report in reports}
    if len(settings) != 1:
        raise ValueError("a sequence is of one run or more, all with one clock and fidelity")
    ((clock_ghz, phases),) = settings
    return Report(
        kernels={
            f"{step}/{name}": kernel
            for step, report in steps.items()
            for name, kernel in report.kernels.items()
        },
        cycles=sum(report.cycles for report in reports),
        launch_cycles=sum(report.launch_cycles for report in reports),
        clock_ghz=clock_ghz,
        fidelity_phases=phases,
        tile_products=sum(report.tile_products for report in reports),
        dram_banks=tuple(
            BankReport(
                sum(bank.bytes_read for bank in banks),
                sum(bank.bytes_written for bank in banks),
                sum(bank.busy for bank in banks),
            )
            for banks in zip(*(report.dram_banks for report in reports), strict=True)
        ),
        read_times=functools.partial(_times, steps),
        findings=tuple(each for report in reports for each in report.findings),
        prints=tuple(each for report in reports for each in report.prints),
        warnings=tuple(each for report in reports for each in report.warnings),
        steps=dict(steps),
    )


def _times(steps: Mapping[str, Report]) -> Times:
    starts = dict(zip(steps, _starts(steps.values()), strict=True))
    return Times(
        cores=_cores(steps, starts),
        links=_links(link for report in steps.values() for link in report.links),
        intervals=tuple(
            _later(each, starts[step])
            for step, report in steps.items()
            for each in report.intervals
        ),
    )


def _starts(reports: Iterable[Report]) -> Iterator[float]:
    """When the kernels of each run start, in cycles from the first kernel's first instruction."""
    start = -next(iter(reports)).launch_cycles
    for report in reports:
        yield start + report.launch_cycles
        start += report.cycles


def _cores(steps: Mapping[str, Report], starts: Mapping[str, float]) -> dict[Core, CoreReport]:
    cores: dict[Core, CoreReport] = {}
    for step, report in steps.items():
        for core, own in report.cores.items():
            before = cores.get(core, CoreReport({}, ()))
            engines: dict[Engine, EngineReport] = dict(before.engines)
            for name, engine in own.engines.items():
                engines[name] = _joined(engines.get(name), engine, starts[step])
            named = [_named(step, buffer) for buffer in own.circular_buffers]
            cores[core] = CoreReport(engines, (*before.circular_buffers, *named))
    return cores


def _joined(before: EngineReport | None, engine: EngineReport, start: float) -> EngineReport:
    finished = start + engine.finished
    if before is None:
        return replace(engine, finished=finished)
    stalls: dict[Stall, float] = {
        stall: before.stalls[stall] + cycles for stall, cycles in engine.stalls.items()
    }
    return EngineReport(finished, before.busy + engine.busy, stalls)


def _named(step: str, buffer: CircularBufferReport) -> CircularBufferReport:
    return replace(buffer, name=f"{step}/{buffer.name}")


def _links(links: Iterable[LinkReport]) -> tuple[LinkReport, ...]:
    by_place: defaultdict[tuple[object, ...], list[LinkReport]] = defaultdict(list)
    for link in links:
        by_place[link.noc, link.x, link.y, link.direction].append(link)
    return tuple(
        replace(
            same[0], bytes=sum(link.bytes for link in same), busy=sum(link.busy for link in same)
        )
        for same in by_place.values()
    )


def _later(interval: Interval, start: float) -> Interval:
    return replace(interval, begin=interval.begin + start, end=interval.end + start)
