"""Cut the blocks of products that are fewer than the cores.

A GPU program has blocks for the GPU's multiprocessors. Where they leave cores idle, and each takes
long, a block is cut along the axes of its results: the parts are blocks of the grid.

    before:  for bx, by in T.grid(4, 4):             A_s (128, 32), B_s (32, 128), C_l (128, 128)
                 for k in range(16):
                     T.copy(A[by * 128, k * 32], A_s)
                     T.copy(B[k * 32, bx * 128], B_s)
                     T.gemm(A_s, B_s, C_l, clear_accum=k == 0)
                 T.copy(C_l, C[by * 128, bx * 128])

    after:   for bx, by in T.grid(8, 8):             A_s (64, 32), B_s (32, 64), C_l (64, 64)
                 for k in range(16):
                     T.copy(A[by * 64, k * 32], A_s)
                     T.copy(B[k * 32, bx * 64], B_s)
                     T.gemm(A_s, B_s, C_l, clear_accum=k == 0)
                 T.copy(C_l, C[by * 64, bx * 64])

An axis of a block runs through its buffers: a copy, a product and an element-wise nest each say
which dimensions are the same axis. It can be cut where no statement joins what is at different
places of it, as a sum does, every store has it, and one axis of the grid moves every store along
it.

Blocks are cut where that saves more than a launch costs, or as the option `cut` says.

Needs:    `MaterializeViews`, `StageTransfers`.
Leaves:   smaller blocks, more of them.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges, scalars
from tilelang_tt.analysis.block_work import PRODUCT_CYCLES, UNKNOWN_EXTENT
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import (
    Accumulation,
    Copy,
    Elementwise,
    Gemm,
    Leaf,
    Reduce,
    Region,
    Transpose,
    is_global,
    leaf,
    map_loads,
)
from tilelang_tt.options import Options
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer

_LEAST_GAIN = 4000.0  # cycles; what a launch and a first load take
_LOAD_CYCLES = 25.0  # of a tile, to request it
_TURN_CYCLES = 1000.0  # of a block, apart from that

Dim = tuple[tirx.Buffer, int]


@dataclass(frozen=True)
class CutBlocks:
    """See the module docstring."""

    options: Options
    name: str = "tt.CutBlocks"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        if self.options.cut is False:
            return func
        frame = Frame.of(func)
        extents = [ranges.constant(loop.extent) or 0 for loop in frame.loops]
        is_known = bool(extents) and all(extents) and not attrs.added(func)
        if not is_known or math.prod(extents) >= math.prod(self.options.cores):
            return func
        work = _Work.of(frame.body)
        axes = _Axes(frame).splittable()
        if not axes or not work.products:
            return func
        ways = [
            dict(zip(axes, way, strict=True))
            for way in itertools.product(*(axis.factors for axis in axes))
        ]

        def cost(way: _Way) -> tuple[float, int]:
            """Cycles of the busiest core, roughly; then as few blocks as can be."""
            block = work.cycles(way, self.options.phases) + _TURN_CYCLES
            return self._turns(extents, way) * block, math.prod(way.values())

        best = min(ways, key=cost)
        gain = cost(ways[0])[0] - cost(best)[0]
        if gain < (0.0 if self.options.cut else _LEAST_GAIN):
            return func
        return _Split(frame, best).func()

    def _turns(self, extents: list[int], way: _Way) -> int:
        """Blocks one after the other on the busiest core, in the lattice that suits best where the
        grid has two axes."""
        blocks = list(extents)
        for axis, factor in way.items():
            blocks[axis.grid] = axis.blocks(extents[axis.grid], factor)
        columns, rows = self.options.cores
        if (sides := [count for count in blocks if count != 1])[2:] or len(sides) < 2:
            return -(-math.prod(blocks) // (columns * rows))
        across, down = sides
        return min(
            -(-across // columns) * -(-down // rows), -(-down // columns) * -(-across // rows)
        )


@dataclass(frozen=True, eq=False)
class _Axis:
    """An axis of the block: dimensions of buffers, of `extent` elements, that the axis `grid` of
    the grid moves along tensors of `length` elements."""

    dims: frozenset[Dim]
    extent: int
    grid: int
    length: int

    @property
    def factors(self) -> list[int]:
        tiles = self.extent // TILE
        return [factor for factor in range(1, tiles + 1) if tiles % factor == 0]

    def blocks(self, extent: int, factor: int) -> int:
        """Blocks that still begin inside of the tensors, of an axis of the grid of `extent`."""
        return min(extent * factor, -(-self.length * factor // self.extent))


_Way = dict[_Axis, int]
"""Into how many parts each axis is cut."""


class _Axes:
    """Which dimensions of on-chip buffers are the same axis of the block."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.home: dict[Dim, Dim] = {
            (buffer, dim): (buffer, dim)
            for buffer in frame.buffers
            for dim in range(len(buffer.shape))
        }
        self.joined: set[Dim] = set()
        self.stores: list[Copy] = []
        self.is_known = _visit(frame.body, self._add)

    def splittable(self) -> list[_Axis]:
        """One for each axis of the grid at most."""
        if not self.is_known or not self.stores:
            return []
        classes: dict[Dim, set[Dim]] = {}
        for dim in self.home:
            classes.setdefault(self._find(dim), set()).add(dim)
        barred = {self._find(dim) for dim in self.joined}
        found = [
            axis
            for home, dims in classes.items()
            if home not in barred and (axis := self._axis(dims)) is not None
        ]
        grids = [axis.grid for axis in found]
        return [axis for axis in found if grids.count(axis.grid) == 1]

    def _axis(self, dims: set[Dim]) -> _Axis | None:
        sizes = {ranges.constant(buffer.shape[dim]) for buffer, dim in dims}
        (extent,) = sizes if len(sizes) == 1 else (None,)
        if extent is None or extent % TILE or extent == TILE:
            return None
        moved = {self._moved(store, dims, extent) for store in self.stores}
        (place,) = moved if len(moved) == 1 else (None,)
        return None if place is None else _Axis(frozenset(dims), extent, *place)

    def _moved(self, store: Copy, dims: set[Dim], extent: int) -> tuple[int, int] | None:
        """The axis of the grid that moves a store by whole blocks, and the tensor's length."""
        own = [dim for buffer, dim in dims if buffer.same_as(store.src.buffer)]
        if len(own) != 1:
            return None
        axis = _paired(store)[own[0]]
        length = ranges.constant(store.dst.buffer.shape[axis])
        analyzer = arith.Analyzer()
        for at, loop in enumerate(self.frame.loops):
            if length and analyzer.can_prove_equal(store.dst.mins[axis], loop.loop_var * extent):
                return at, length
        return None

    def _find(self, dim: Dim) -> Dim:
        while self.home[dim] != dim:
            dim = self.home[dim]
        return dim

    def _same(self, one: Dim, other: Dim) -> None:
        self.home[self._find(one)] = self._find(other)

    def _join(self, buffer: tirx.Buffer) -> None:
        self.joined.update((buffer, dim) for dim in range(len(buffer.shape)))

    # What each statement says. --------------------------------------------------------------------

    def _add(self, view: Leaf) -> bool:
        """Whether it is known what the statement joins."""
        match view:
            case Copy():
                return self._add_copy(view)
            case Gemm():
                self._add_gemm(view)
            case Elementwise():
                self._add_nest(view)
            case Reduce():
                self._add_reduction(view)
            case Transpose():
                self._add_transpose(view)
            case Accumulation():
                pass
            case _:
                return False
        return True

    def _add_copy(self, copy: Copy) -> bool:
        if is_global(copy.src.buffer) == is_global(copy.dst.buffer):
            return False
        own = copy.dst if is_global(copy.src.buffer) else copy.src
        paired = _paired(copy)
        if not own.is_whole:
            self._join(own.buffer)
        self.joined.update(
            (own.buffer, dim) for dim in range(len(own.extents)) if dim not in paired
        )
        if own is copy.src:
            self.stores.append(copy)
        return True

    def _add_gemm(self, gemm: Gemm) -> None:
        a, b, c = (region.buffer for region in (gemm.a, gemm.b, gemm.c))
        if not all(region.is_whole and len(region.extents) == 2 for region in _regions(gemm)):
            for buffer in (a, b, c):
                self._join(buffer)
            return
        inner_a, inner_b = int(not gemm.transpose_a), int(gemm.transpose_b)
        self._same((a, 1 - inner_a), (c, 0))
        self._same((b, 1 - inner_b), (c, 1))
        self.joined.update(((a, inner_a), (b, inner_b)))

    def _add_nest(self, nest: Elementwise) -> None:
        first: dict[tirx.Var, Dim] = {}
        outside = map_loads(nest.store.value, lambda load: tirx.const(0, load.dtype))
        named = tree.collect(outside, tirx.Var)
        for access_ in (nest.store, *nest.loads):
            if is_global(access_.buffer):
                named += [var for index in access_.indices for var in tree.collect(index, tirx.Var)]
                continue
            for dim, index in enumerate(access_.indices):
                own = (access_.buffer, dim)
                loop = next((loop for loop in nest.loops if index.same_as(loop.loop_var)), None)
                if loop is None or not same(loop.extent, access_.buffer.shape[dim]):
                    self.joined.add(own)
                    named += tree.collect(index, tirx.Var)
                    continue
                self._same(own, first.setdefault(loop.loop_var, own))
        self.joined.update(dim for var, dim in first.items() if var in named)

    def _add_reduction(self, reduce: Reduce) -> None:
        src, dst = reduce.src, reduce.dst
        dim = reduce.dim % len(src.extents)
        kept = [at for at in range(len(src.extents)) if at != dim]
        places = kept if len(dst.extents) == len(src.extents) else range(len(dst.extents))
        if not src.is_whole or not dst.is_whole or len(places) != len(kept):
            self._join(src.buffer)
            self._join(dst.buffer)
            return
        for at, place in zip(kept, places, strict=True):
            self._same((src.buffer, at), (dst.buffer, place))
        self.joined.add((src.buffer, dim))

    def _add_transpose(self, transpose: Transpose) -> None:
        src, dst = transpose.src, transpose.dst
        if not src.is_whole or not dst.is_whole:
            self._join(src.buffer)
            self._join(dst.buffer)
            return
        *leading, row, column = range(len(src.extents))
        for at, place in zip((*leading, row, column), (*leading, column, row), strict=True):
            self._same((src.buffer, at), (dst.buffer, place))


def _paired(copy: Copy) -> dict[int, int]:
    """The axis of the tensor for each dimension of the buffer that has more than one element,
    where they pair up."""
    own, tensor = (copy.dst, copy.src) if is_global(copy.src.buffer) else (copy.src, copy.dst)
    dims = [at for at, size in enumerate(own.extents) if ranges.constant(size) != 1]
    axes = [at for at, size in enumerate(tensor.extents) if ranges.constant(size) != 1]
    pairs = list(zip(dims, axes, strict=False))
    is_paired = len(dims) == len(axes) and all(
        same(own.extents[dim], tensor.extents[axis]) for dim, axis in pairs
    )
    return dict(pairs) if is_paired else {}


def _regions(gemm: Gemm) -> tuple[Region, Region, Region]:
    return gemm.a, gemm.b, gemm.c


def _visit(stmt: tirx.Stmt, add: Callable[[Leaf], bool]) -> bool:
    """Show every statement to `add`; whether each is known to it."""
    if (view := leaf(stmt)) is not None:
        return add(view)
    if not isinstance(stmt, tirx.SeqStmt | tirx.For | tirx.IfThenElse):
        return tree.is_nothing(stmt) or isinstance(stmt, tirx.Bind) or scalars.is_store(stmt)
    answers: list[bool] = []

    def visit(inner: tirx.Stmt) -> tirx.Stmt:
        answers.append(_visit(inner, add))
        return inner

    tree.map_bodies(stmt, visit)
    return all(answers)


@dataclass(frozen=True)
class _Work:
    """Tile products of a block, and the tiles that it loads into each buffer."""

    products: float
    loads: Mapping[tirx.Buffer, float]

    @classmethod
    def of(cls, stmt: tirx.Stmt) -> _Work:
        match leaf(stmt):
            case Gemm() as gemm:
                return cls(math.prod(-(-size // TILE) for size in gemm.mnk), {})
            case Copy() as copy if is_global(copy.src.buffer):
                sizes = [ranges.constant(size) or TILE for size in copy.dst.extents]
                return cls(0.0, {copy.dst.buffer: math.prod(-(-size // TILE) for size in sizes)})
            case None:
                pass
            case _:
                return cls(0.0, {})
        inside: list[_Work] = []

        def visit(inner: tirx.Stmt) -> tirx.Stmt:
            inside.append(cls.of(inner))
            return inner

        tree.map_bodies(stmt, visit)
        runs = 1
        if isinstance(stmt, tirx.For):
            runs = ranges.constant(stmt.extent) or UNKNOWN_EXTENT
        loads: dict[tirx.Buffer, float] = {}
        for work in inside:
            for buffer, tiles in work.loads.items():
                loads[buffer] = loads.get(buffer, 0.0) + runs * tiles
        return cls(runs * sum(work.products for work in inside), loads)

    def cycles(self, way: _Way, phases: int) -> float:
        """Of a block that is cut this way."""
        products = PRODUCT_CYCLES * phases * self.products / math.prod(way.values())
        return products + _LOAD_CYCLES * sum(
            tiles
            / math.prod(
                factor
                for axis, factor in way.items()
                if any(own.same_as(buffer) for own, _ in axis.dims)
            )
            for buffer, tiles in self.loads.items()
        )


class _Split:
    """The function with its blocks cut."""

    def __init__(self, frame: Frame, way: _Way) -> None:
        self.frame = frame
        self.factors = {dim: factor for axis, factor in way.items() for dim in axis.dims}
        self.axes = {dim: axis for axis in way for dim in axis.dims}
        self.vars = {
            axis: tirx.Var(frame.loops[axis.grid].loop_var.name, "int32")
            for axis, factor in way.items()
            if factor > 1
        }
        self.way = way
        self.buffers = {buffer: self._smaller(buffer) for buffer in frame.buffers}
        self.analyzer = arith.Analyzer()

    def func(self) -> tirx.PrimFunc:
        loops = list(self.frame.loops)
        for axis, var in self.vars.items():
            old = loops[axis.grid]
            blocks = axis.blocks(int(old.extent), self.way[axis])
            loops[axis.grid] = tirx.For(
                var,
                old.min,
                tirx.const(blocks, "int32"),
                old.kind,
                old.body,
                old.thread_binding,
                old.annotations,
            )
        body = substitute(self._visit(self.frame.body), self._outer())
        return self.frame.with_loops(loops).build(body=body, buffers=list(self.buffers.values()))

    def _outer(self) -> dict[tirx.Var, tirx.PrimExpr]:
        """The old places in the grid by the new ones."""
        return {
            self.frame.loops[axis.grid].loop_var: tirx.floordiv(var, self.way[axis])
            for axis, var in self.vars.items()
        }

    def _smaller(self, old: tirx.Buffer) -> tirx.Buffer:
        shape = [
            tirx.const(int(size) // factor, "int32")
            if (factor := self.factors.get((old, dim), 1)) > 1
            else size
            for dim, size in enumerate(old.shape)
        ]
        if all(new is size for new, size in zip(shape, old.shape, strict=True)):
            return old
        return fresh_buffer(old.name, old, [], shape)

    def _visit(self, stmt: tirx.Stmt) -> tirx.Stmt:
        view = leaf(stmt)
        if view is None:
            return tree.map_bodies(stmt, self._visit)
        return tree.located(self._rewritten(view), stmt)

    def _rewritten(self, view: Leaf) -> tirx.Stmt:
        match view:
            case Copy():
                is_load = is_global(view.src.buffer)
                own, tensor = (view.dst, view.src) if is_load else (view.src, view.dst)
                own, tensor = self._region(own), self._moved(view, tensor)
                src, dst = (tensor, own) if is_load else (own, tensor)
                return dataclasses.replace(view, src=src, dst=dst).stmt()
            case Gemm():
                a, b, c = map(self._region, _regions(view))
                m, n = (int(size) for size in c.extents)
                return dataclasses.replace(view, a=a, b=b, c=c, mnk=(m, n, view.mnk[2])).stmt()
            case Elementwise():
                return self._nest(view)
            case Reduce() | Transpose():
                src, dst = self._region(view.src), self._region(view.dst)
                return dataclasses.replace(view, src=src, dst=dst).stmt()
            case Accumulation():
                return dataclasses.replace(view, dst=self._region(view.dst)).stmt()
        raise AssertionError(view)

    def _region(self, region: Region) -> Region:
        new = self.buffers[region.buffer]
        return region if new is region.buffer else Region.whole(new)

    def _moved(self, copy: Copy, tensor: Region) -> Region:
        """The part of the tensor's region that a block still has."""
        own = copy.dst if tensor is copy.src else copy.src
        mins, extents = list(tensor.mins), list(tensor.extents)
        for dim, at in _paired(copy).items():
            axis = self.axes.get((own.buffer, dim))
            if axis is None or axis not in self.vars:
                continue
            part = axis.extent // self.way[axis]
            inside = tirx.floormod(self.vars[axis], self.way[axis]) * part
            mins[at] = self.analyzer.simplify(substitute(mins[at], self._outer()) + inside)
            extents[at] = tirx.const(part, "int32")
        return Region(tensor.buffer, tuple(mins), tuple(extents))

    def _nest(self, nest: Elementwise) -> tirx.Stmt:
        sizes: dict[tirx.Var, tirx.PrimExpr] = {}
        for access_ in (nest.store, *nest.loads):
            for dim, index in enumerate(access_.indices):
                if self.factors.get((access_.buffer, dim), 1) > 1:
                    sizes[index] = self.buffers[access_.buffer].shape[dim]
        loops = tuple(
            tirx.For(
                loop.loop_var,
                loop.min,
                sizes.get(loop.loop_var, loop.extent),
                loop.kind,
                loop.body,
            )
            for loop in nest.loops
        )

        def moved(load: tirx.BufferLoad) -> tirx.BufferLoad | None:
            new = self.buffers.get(load.buffer)
            return None if new is None else tirx.BufferLoad(new, load.indices)

        value = map_loads(nest.store.value, moved)
        store = tirx.BufferStore(self.buffers[nest.dst], value, nest.store.indices)
        return Elementwise(loops, store).stmt()
