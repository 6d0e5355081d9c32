"""A report as a table, for people to read."""

from __future__ import annotations

from collections.abc import Mapping

from tilelang_tt.mock.report import Engine, Report, Stall

_ENGINES: tuple[Engine, ...] = ("reader", "unpack", "math", "pack", "writer")
_HEADINGS: Mapping[Stall, str] = {
    "circular_buffer": "pages",
    "transfer": "transfer",
    "semaphore": "semaphore",
    "operands": "operands",
    "destination": "dst",
}


def profile(report: Report) -> str:
    """Cycles of the whole, and for each engine how long it works and what it waits for.

    Times are the mean over the cores that have the engine, in percent of the kernels' time.
    """
    whole = max((core.cycles for core in report.cores.values()), default=0.0)
    lines = [
        f"{report.cycles:.0f} cycles ({report.microseconds:.1f} us), of which "
        f"{report.launch_cycles:.0f} are the launch; {len(report.cores)} cores",
        f"{'engine':8} {'busy':>6}  waits for: "
        + " ".join(f"{heading:>9}" for heading in _HEADINGS.values()),
    ]
    for name in _ENGINES:
        if not any(name in core.engines for core in report.cores.values()):
            continue
        engine = report.engine(name)
        waits = " ".join(f"{engine.stalls[stall] / whole:9.1%}" for stall in _HEADINGS)
        lines.append(f"{name:8} {engine.busy / whole:6.1%}             {waits}")
    moved = sum(link.bytes for link in report.links)
    lines.append(f"DRAM {report.dram_bytes} bytes; {moved} bytes over links of the NoC")
    return "\n".join(lines)
