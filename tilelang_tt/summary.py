"""A short text about a compiled program: its grid, what its destination registers hold, and where
its L1 goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tilelang_tt import device
from tilelang_tt.partition import GROUPS
from tilelang_tt.plan import CircularBuffer, DstUse, Extent, Plan

_WAYS = {
    "runs": "runs",
    "snake": "turns, back and forth",
    "lattice": "a lattice",
    "line": "turns",
    "teams": "runs",
}
_DST_HEADINGS = ("result", "tiles at a time", "live values", "slots", "statement")
_HEADINGS = (
    *("cb", "buffer", "format", "tiles", "depth", "least", "bytes"),
    *("from", "to", "why so deep"),
)


def summary(plan: Plan) -> str:
    """The report, several lines."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    chip = device.load(plan.arch)
    columns, rows = plan.grid
    tiles = chip.dst_tiles(plan.fp32_dest_acc)
    width = 32 if plan.fp32_dest_acc else 16
    used = sum(cb.page_bytes * cb.pages for cb in plan.circular_buffers)
    yield f"kernel {plan.name} for {plan.arch}, {columns}x{rows} cores, {plan.fidelity}"
    yield f"blocks: {_product(plan.blocks)}, shared out over {columns * rows} cores{_how(plan)}"
    yield f"destination registers: {tiles} tiles of {width}-bit values at a time (half sync)"
    yield from _table([_DST_HEADINGS, *(_dst_row(use, tiles) for use in plan.dst)])
    if any(use.slots > use.live for use in plan.dst):
        yield "  a product or reduction on the matrix unit takes a slot that held nothing before"
    yield f"  spilled to L1: {', '.join(plan.spilled) or 'nothing'}"
    share = f"{100 * used / chip.cb_bytes:.1f} %"
    yield f"L1: {used} of {chip.cb_bytes} bytes ({share}) in circular buffers"
    yield from _table([_HEADINGS, *(_row(cb) for cb in plan.circular_buffers)])


def _how(plan: Plan) -> str:
    """How the blocks are shared out, and what cores load together."""
    groups = [
        f"{argument.name} ({kernel.role})"
        for kernel in plan.kernels
        for argument in kernel.core_args
        if argument.kind == "group" and argument.name in GROUPS
    ]
    loads = f", one load for each {', '.join(groups)}" if groups else ""
    parts = plan.partition.parts
    teams = f", each block by up to {parts} cores" if parts > 1 else ""
    return f" in {_WAYS[plan.partition.kind]}{loads}{teams}"


def _dst_row(use: DstUse, tiles: int) -> tuple[str, ...]:
    """`live values` and `slots` are those of one tile."""
    taken = f"{use.slots} (all: {use.slots * use.tiles} of {tiles})"
    return use.result, str(use.tiles), str(use.live), taken, use.source


def _row(cb: CircularBuffer) -> tuple[str, ...]:
    size = cb.page_bytes * cb.pages
    tiles = f"{cb.block_pages}"
    return (
        *(str(cb.index), cb.name, cb.dtype, tiles, str(cb.depth), str(cb.least_depth), str(size)),
        *(cb.producer, cb.consumer, cb.reason),
    )


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  " + "  ".join(cell.ljust(width) for cell, width in cells).rstrip()


def _product(extents: tuple[Extent, ...]) -> str:
    return " x ".join(str(extent) for extent in extents)
