"""Let a step of a loop over products take several steps' worth of the inner dimension.

A step costs a hand-over between engines and between cores, and a pass of the packer over the whole
accumulator. A GPU keeps its steps short for want of shared memory; L1 has room for longer ones.

    before:  for k in range(32):                     A_s (128, 32), B_s (32, 128)
                 T.copy(A[by * 128, k * 32], A_s)
                 T.copy(B[k * 32, bx * 128], B_s)
                 T.gemm(A_s, B_s, C_l, clear_accum=k == 0)

    after:   for k in range(8):                      A_s (128, 128), B_s (128, 128)
                 T.copy(A[by * 128, k * 128], A_s)
                 T.copy(B[k * 128, bx * 128], B_s)
                 T.gemm(A_s, B_s, C_l, clear_accum=k == 0)

The blocks of successive steps must lie one after the other in their tensors, and the loop hold
nothing else. Where the last step reaches past the end of the old loop, that must be the end of the
tensors too: what lies beyond is zeros. A loop that the program splits keeps a step for each part.

How long steps are best is estimated. In a short one the packer, or the way of a block to its core,
takes longer than the products. Before the first products comes the load of the first step, which
nothing hides: that is for short ones. The last step hides the stores of what it completes first:
that is for long ones. Both count once a core, not once a block.

Needs:    `FoldClears`, `MaterializeViews`.
Leaves:   loops with fewer, longer steps.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt import formats
from tilelang_tt.analysis import access, ranges
from tilelang_tt.analysis.block_work import UNKNOWN_EXTENT
from tilelang_tt.analysis.subblocks import Subblock, best_subblock, product_cycles
from tilelang_tt.device import Device
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Gemm, Region, is_global, leaf
from tilelang_tt.mock import timing
from tilelang_tt.options import Options
from tilelang_tt.recurrences.clock import SENT_AHEAD
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer

_LONGEST = 8  # tiles of the inner dimension in a step; longer ones gain little
_LONGEST_SHARED = 4  # where cores may share the steps of a block, which they do one by one
_STEP_CYCLES = 30.0  # of a step, to hand blocks over
_UNHIDDEN = 0.5  # of the time to request a block: the rest passes while DRAM is busy with it
_L1_SHARE = 0.9  # of what circular buffers may take, with the blocks that a core that sends has


@dataclass(frozen=True)
class MergeSteps:
    """See the module docstring."""

    options: Options
    name: str = "tt.MergeSteps"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        merging = _Merging(self.options, ranges.analyzer_of(func), frame)
        body = tree.rewrite_sequences(frame.body, merging.merge_all)
        return frame.build(body=body, buffers=merging.buffers)


@dataclass(frozen=True)
class _Load:
    """A copy whose region moves on by its own extent in each step, along `axis`; in the buffer that
    is the dimension `dim`."""

    copy: Copy
    axis: int
    dim: int

    @property
    def extent(self) -> int:
        return int(self.copy.src.extents[self.axis])


class _Merging:
    def __init__(self, options: Options, analyzer: arith.Analyzer, frame: Frame) -> None:
        self.options = options
        self.analyzer = analyzer
        self.frame = frame
        self.body = frame.body
        self.buffers = frame.buffers

    def merge_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [self._merge(stmt) if isinstance(stmt, tirx.For) else stmt for stmt in stmts]

    def _merge(self, loop: tirx.For) -> tirx.Stmt:
        loads, gemms = self._parts(loop)
        if not gemms or not all(self._is_inner_product(gemm, loads) for gemm in gemms):
            return loop
        factor = self._factor(loop, loads, gemms)
        return loop if factor == 1 else self._merged(loop, loads, factor)

    def _parts(self, loop: tirx.For) -> tuple[dict[tirx.Buffer, _Load], list[Gemm]]:
        """What a loop of nothing but loads and products loads and multiplies."""
        loads: dict[tirx.Buffer, _Load] = {}
        gemms: list[Gemm] = []
        for stmt in tree.statements(loop.body):
            view = leaf(stmt)
            if isinstance(view, Gemm) and self._starts_with(view, loop):
                gemms.append(view)
            elif isinstance(view, Copy) and (load := self._load(view, loop)) is not None:
                loads[view.dst.buffer] = load
            else:
                return {}, []
        used = [buffer for gemm in gemms for buffer in (gemm.a.buffer, gemm.b.buffer)]
        is_private = all(
            any(buffer.same_as(operand) for operand in used)
            and _uses(self.body, buffer) == _uses(loop.body, buffer)
            for buffer in loads
        )
        return (loads, gemms) if is_private else ({}, [])

    def _starts_with(self, gemm: Gemm, loop: tirx.For) -> bool:
        """Whether the product clears its accumulator never, or in the first step."""
        first = tirx.EQ(loop.loop_var, loop.min)
        return gemm.never_clears or same(gemm.clear, first)

    def _load(self, copy: Copy, loop: tirx.For) -> _Load | None:
        region = copy.src
        if not is_global(region.buffer) or not copy.dst.is_whole:
            return None
        step = {loop.loop_var: loop.loop_var + 1}
        moves = [self.analyzer.simplify(substitute(low, step) - low) for low in region.mins]
        moving = [axis for axis, by in enumerate(moves) if ranges.constant(by) != 0]
        if len(moving) != 1:
            return None
        (axis,) = moving
        extent = ranges.constant(region.extents[axis])
        if extent is None or extent % TILE or ranges.constant(moves[axis]) != extent:
            return None
        moved = [at for at, size in enumerate(region.extents) if ranges.constant(size) != 1]
        dims = [at for at, size in enumerate(copy.dst.extents) if ranges.constant(size) != 1]
        return _Load(copy, axis, dims[moved.index(axis)]) if len(moved) == len(dims) else None

    def _is_inner_product(self, gemm: Gemm, loads: dict[tirx.Buffer, _Load]) -> bool:
        """Whether both operands grow along the inner dimension of the product."""
        inner = {gemm.a: -2 if gemm.transpose_a else -1, gemm.b: -1 if gemm.transpose_b else -2}
        return all(
            region.is_whole
            and region.buffer in loads
            and loads[region.buffer].dim == len(region.extents) + dim
            for region, dim in inner.items()
        )

    def _factor(self, loop: tirx.For, loads: dict[tirx.Buffer, _Load], gemms: list[Gemm]) -> int:
        """How many steps become one: what takes least time of what fits and reads nothing else."""
        steps = ranges.constant(loop.extent)
        most = _LONGEST_SHARED if self._is_shared() else _LONGEST
        longest = most * TILE // max(load.extent for load in loads.values())
        may_overrun = all(self._ends_with_tensor(load, loop) for load in loads.values())
        costs = _Costs.of(self.frame, [load.copy for load in loads.values()], gemms, self.options)

        def cost(factor: int) -> tuple[float, int]:
            return costs.cycles(UNKNOWN_EXTENT if steps is None else steps, factor), -factor

        split = attrs.of_loop(self.frame.func, loop, attrs.SPLIT)
        least = 1 if split is None else split.value
        possible = [
            factor
            for factor in range(2, longest + 1)
            if self._fits(loads, factor)
            and (steps is None or -(-steps // factor) >= least)
            and (may_overrun or (steps is not None and steps % factor == 0))
        ]
        return min([1, *possible], key=cost)

    def _is_shared(self) -> bool:
        """Whether so many cores have no block that several might share the steps of one."""
        blocks = math.prod(_count(loop.extent) for loop in self.frame.loops)
        return self.options.split is not False and 2 * blocks <= math.prod(self.options.cores)

    def _ends_with_tensor(self, load: _Load, loop: tirx.For) -> bool:
        region = load.copy.src
        end = substitute(region.mins[load.axis], {loop.loop_var: loop.min + loop.extent})
        return self.analyzer.can_prove(end >= region.buffer.shape[load.axis])

    def _fits(self, loads: dict[tirx.Buffer, _Load], factor: int) -> bool:
        size = sum(
            _bytes(buffer) * (SENT_AHEAD * factor if buffer in loads else 1)
            for buffer in self.buffers
        )
        return size <= _L1_SHARE * self.options.device.cb_bytes

    def _merged(self, loop: tirx.For, loads: dict[tirx.Buffer, _Load], factor: int) -> tirx.Stmt:
        new = {buffer: self._longer(load, factor) for buffer, load in loads.items()}
        var = tirx.Var(loop.loop_var.name, loop.loop_var.dtype)
        old = loop.min + var * factor
        simplify = arith.Analyzer().simplify

        def rewrite(stmt: tirx.Stmt) -> tirx.Stmt:
            view = leaf(stmt)
            if isinstance(view, Copy):
                load, dst = loads[view.dst.buffer], new[view.dst.buffer]
                mins = [simplify(substitute(low, {loop.loop_var: old})) for low in view.src.mins]
                extents = list(view.src.extents)
                extents[load.axis] = tirx.const(load.extent * factor, "int32")
                src = Region(view.src.buffer, tuple(mins), tuple(extents))
                return dataclasses.replace(view, src=src, dst=Region.whole(dst)).stmt()
            assert isinstance(view, Gemm), stmt
            a, b = (Region.whole(new[region.buffer]) for region in (view.a, view.b))
            clear = view.clear if view.never_clears else tirx.EQ(var, 0)
            m, n, k = view.mnk
            return dataclasses.replace(view, a=a, b=b, clear=clear, mnk=(m, n, k * factor)).stmt()

        body = tree.sequence(
            tree.located(rewrite(stmt), stmt) for stmt in tree.statements(loop.body)
        )
        extent = self.analyzer.simplify(tirx.floordiv(loop.extent + factor - 1, factor))
        zero = tirx.const(0, var.dtype)
        merged = tirx.For(var, zero, extent, loop.kind, body, loop.thread_binding, loop.annotations)
        return tree.located(merged, loop)

    def _longer(self, load: _Load, factor: int) -> tirx.Buffer:
        old = load.copy.dst.buffer
        shape = list(old.shape)
        shape[load.dim] = shape[load.dim] * factor
        others = [buffer for buffer in self.buffers if not buffer.same_as(old)]
        new = fresh_buffer(old.name, old, others, shape)
        self.buffers = [new if buffer.same_as(old) else buffer for buffer in self.buffers]
        return new


@dataclass(frozen=True)
class _Costs:
    """What decides how long steps should be, roughly, on a chip all cores of which run the loop.

    Cycles for one old step: of its `products`, of its operands on their way to one core (`coming`),
    of `reading` what the whole chip needs for it, and of `loading` that where nothing hides it. For
    any step: the `latency` of a load and the `packing` of sums. Of the whole chip: of `storing` the
    results, which a part `hidden` of the last step hides. Each core runs the loop `turns` times.
    """

    products: float
    coming: float
    reading: float
    loading: float
    latency: float
    packing: float
    storing: float
    hidden: float
    turns: int

    @classmethod
    def of(cls, frame: Frame, loads: list[Copy], gemms: list[Gemm], options: Options) -> _Costs:
        costs = timing.load(options.device.name).values
        grid = {loop.loop_var: _count(loop.extent) for loop in frame.loops}
        cores, blocks = math.prod(options.cores), math.prod(grid.values())
        working = min(cores, blocks)
        dram = options.device.dram_banks * costs["dram.bytes"] * costs["dram.efficiency"]

        def readers(load: Copy) -> int:
            """How many cores read blocks of their own, an axis of the grid being one of cores."""
            used = {var for low in load.src.mins for var in tree.collect(low, tirx.Var)}
            side = max(options.cores)
            regions = math.prod(min(extent, side) for var, extent in grid.items() if var in used)
            return working if options.multicast is False else min(working, regions)

        size = max(_bytes(load.dst.buffer) for load in loads)
        reading = sum(readers(load) * _bytes(load.dst.buffer) for load in loads) / dram
        is_sent = any(readers(load) < working for load in loads)
        sending = size / costs["noc.multicast_bytes"] if is_sent else 0.0
        tile_bytes = formats.BY_DTYPE[loads[0].dst.buffer.dtype].tile_bytes
        requesting = _UNHIDDEN * size / tile_bytes * costs["noc.read_interval"]
        opening = costs["noc.multicast_open"] if is_sent else 0.0
        copies = [view for _, view in access.leaves(frame.body) if isinstance(view, Copy)]
        stored = sum(_bytes(copy.src.buffer) for copy in copies if is_global(copy.dst.buffer))
        sums = [_Sum.of(gemm, options.device) for gemm in gemms]
        return cls(
            products=sum(total.products(costs, options.phases, tile_bytes) for total in sums),
            coming=max(size / costs["noc.read_bytes"], sending if is_sent else reading),
            reading=reading,
            loading=requesting + reading + sending,
            latency=costs["noc.read_base"] + costs["dram.read_extra"] + opening,
            packing=sum(total.packing(costs) for total in sums),
            storing=working * stored / dram,
            hidden=max(1 - 1 / total.parts for total in sums),
            turns=-(-blocks // cores),
        )

    def cycles(self, steps: int, factor: int) -> float:
        """Of `steps` of a core, so many of which become one."""
        products = factor * self.products
        arrival = max(self.latency + factor * self.coming, factor * self.reading)
        step = max(products, self.packing, arrival) + _STEP_CYCLES
        before = self.latency + factor * self.loading
        after = max(self.storing - self.hidden * products, 0.0)
        return self.turns * -(-steps // factor) * step + before + after


@dataclass(frozen=True)
class _Sum:
    """The sum that a product adds to: its tiles, and how many of the inner dimension an old step
    has; the subblocks that it is made in, whether they are of float32, and the rows of them."""

    tiles: int
    inner: int
    sub: Subblock
    is_wide: bool
    parts: int

    @classmethod
    def of(cls, gemm: Gemm, device: Device) -> _Sum:
        rows, columns, inner = (-(-size // TILE) for size in gemm.mnk)
        is_wide = gemm.c.buffer.dtype == "float32"
        sub = best_subblock(rows, columns, device.dst_tiles(is_wide))
        return cls(rows * columns, inner, sub, is_wide, rows // sub.rows)

    def products(self, costs: Mapping[str, float], phases: int, tile_bytes: int) -> float:
        """Cycles of the products of an old step."""
        return self.tiles * self.inner * product_cycles(self.sub, costs, phases, tile_bytes)

    def packing(self, costs: Mapping[str, float]) -> float:
        """Cycles of the packer in a step, which is set up to add and back again."""
        tile = costs["pack.wide_tile" if self.is_wide else "pack.tile"] * costs["pack.accumulate"]
        sections = self.tiles // self.sub.tiles * 2 * costs["dst_visible"]
        return self.tiles * tile + sections + 2 * costs["compute.configure"]


def _count(extent: tirx.PrimExpr) -> int:
    return ranges.constant(extent) or UNKNOWN_EXTENT


def _uses(stmt: tirx.Stmt, buffer: tirx.Buffer) -> int:
    return sum(
        buffer.same_as(used)
        for _, view in access.leaves(stmt)
        for used in (*access.reads(view), access.writes(view))
    )


def _bytes(buffer: tirx.Buffer) -> int:
    """At most what the tiles of the buffer take."""
    sizes = [ranges.constant(extent) or TILE for extent in buffer.shape]
    *leading, rows, columns = [1, *sizes] if len(sizes) < 2 else sizes
    tiles = math.prod(leading) * -(-rows // TILE) * -(-columns // TILE)
    return tiles * formats.BY_DTYPE[buffer.dtype].tile_bytes
