"""Give the blocks of products another size where that suits the cores better.

A GPU program has blocks for the GPU's multiprocessors. Where they leave cores idle, and each takes
long, a block is cut along the axes of its results: the parts are blocks of the grid. Where there is
more than one for each core, and some cores have one more to do than others, blocks of another size
may share the work out evenly.

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
it. Where that axis of the grid moves all else by whole blocks too and is not used otherwise, blocks
may have any size, smaller or larger; else a size that divides the old one. Together they cover what
the old ones covered.

Blocks are cut where that saves more than a launch costs, or as the option `cut` says; those that
are as many as the cores only where it saves a good part of the time. Where
directives cut axes of the grid, blocks are cut as they say and no further; where one splits a loop,
the cores are left to its parts.

Needs:    `MaterializeViews`, `StageTransfers`.
Leaves:   smaller blocks, more of them.
Errors:   TT4006.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt import formats
from tilelang_tt.analysis import ranges, scalars
from tilelang_tt.analysis.block_work import UNKNOWN_EXTENT
from tilelang_tt.analysis.subblocks import best_subblock, product_cycles
from tilelang_tt.diagnostics import DirectiveRefused
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
from tilelang_tt.mock import timing
from tilelang_tt.options import Options
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer

_LARGEST = 2  # times the size that the program says
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
        frame = Frame.of(func)
        asked = attrs.of_loops(func, attrs.CUT)
        way = _asked(frame, asked) if asked else self._best(frame)
        changed = {axis: part for axis, part in way.items() if part != axis.extent}
        return _Split(frame, changed).func() if changed else func

    def _best(self, frame: Frame) -> _Way:
        """The way that costs least, if it saves enough."""
        func = frame.func
        is_split = any(each.value != 1 for each, _ in attrs.of_loops(func, attrs.SPLIT))
        if self.options.cut is False or is_split:
            return {}
        extents = [ranges.constant(loop.extent) or 0 for loop in frame.loops]
        is_known = bool(extents) and all(extents) and not attrs.added(func)
        work = _Work.of(frame.body)
        if not is_known or not work.products:
            return {}
        axes = _Axes(frame).splittable()
        idle = math.prod(extents) < math.prod(self.options.cores)
        if not idle:
            axes = [axis for axis in axes if axis.is_free]
        if not axes:
            return {}
        ways = [
            dict(zip(axes, way, strict=True))
            for way in itertools.product(
                *(axis.parts(extents[axis.grid], is_larger=not idle) for axis in axes)
            )
        ]

        def cost(way: _Way) -> tuple[float, int]:
            """Cycles of the busiest core, roughly; then as few blocks as can be."""
            blocks = _blocks(extents, way)
            return self._cycles(work, way, blocks), math.prod(blocks)

        now = cost({axis: axis.extent for axis in axes})[0]
        best = min(ways, key=cost)
        least = 0.0 if self.options.cut else _LEAST_GAIN if idle else max(_LEAST_GAIN, now / 4)
        return {} if now - cost(best)[0] < least else best

    def _cycles(self, work: _Work, way: _Way, blocks: list[int]) -> float:
        """Of the busiest core, roughly: in the lattice that suits best, whose lines of cores share
        what they load, or each core by itself."""
        columns, rows = cores = self.options.cores
        side = min(cores)

        def shared(axes: list[_Axis]) -> int:
            return math.prod(min(blocks[axis.grid], side) for axis in axes)

        used = min(math.prod(blocks), columns * rows)
        turns = -(-math.prod(blocks) // (columns * rows))
        alone = turns * (work.cycles(way, self.options, lambda _: used) + _TURN_CYCLES)
        sides = [count for count in blocks if count != 1]
        if self.options.multicast is False or len(sides) != 2:
            return alone
        across, down = sides
        turns = min(
            -(-across // columns) * -(-down // rows), -(-down // columns) * -(-across // rows)
        )
        block = max(work.cycles(way, self.options, shared), work.passed_on(way, self.options))
        together = turns * (block + _TURN_CYCLES)
        return together if self.options.multicast else min(together, alone)


def _blocks(extents: list[int], way: _Way) -> list[int]:
    """The extents of the grid whose blocks are cut this way."""
    blocks = list(extents)
    for axis, part in way.items():
        blocks[axis.grid] = axis.blocks(extents[axis.grid], part)
    return blocks


@dataclass(frozen=True, eq=False)
class _Axis:
    """An axis of the block: dimensions of buffers, of `extent` elements, that the axis `grid` of
    the grid moves along tensors of `length` elements. `is_free` where that axis of the grid says
    nothing but where the block begins."""

    dims: frozenset[Dim]
    extent: int
    grid: int
    length: int
    is_free: bool

    def parts(self, extent: int, is_larger: bool) -> list[int]:
        """Sizes that blocks may have, of whole tiles; `extent` is that of the axis of the grid.
        Where it leaves out the end of the tensors, so do blocks of another size."""
        most = self.extent // TILE
        tiles = range(1, (_LARGEST * most if is_larger else most) + 1)
        covered = extent * self.extent
        sizes = [size * TILE for size in tiles if self.is_free or most % size == 0]
        return [size for size in sizes if covered >= self.length or covered % size == 0]

    def blocks(self, extent: int, part: int) -> int:
        """Blocks of a size that begin inside of the tensors, of an axis of the grid of `extent`."""
        return -(-min(extent * self.extent, self.length) // part)


_Way = dict[_Axis, int]
"""The size of a block along each axis, in elements."""


def _asked(frame: Frame, asked: Sequence[tuple[attrs.Directive, tirx.For | None]]) -> _Way:
    """What directives say."""
    axes = _Axes(frame)
    found = {axis.grid: axis for axis in axes.splittable()}
    way: _Way = {}
    for directive, loop in asked:
        if directive.value == 1:
            continue
        at = next((at for at, own in enumerate(frame.loops) if own.same_as(loop)), None)
        if at is None:
            raise _refused(directive, "it is no axis of the grid whose blocks run apart")
        if ranges.constant(frame.loops[at].extent) is None:
            raise _refused(
                directive, "the number of blocks along it is not known before the launch"
            )
        if added := attrs.added(frame.func):
            raise _refused(directive, f"blocks add to parts of {min(added)!r}")
        if at not in found:
            raise _refused(directive, axes.obstacle(at))
        tiles = found[at].extent // TILE
        if tiles % directive.value:
            why = f"a block has {tiles} tiles along it, which {directive.value} does not divide"
            raise _refused(directive, why)
        way[found[at]] = found[at].extent // directive.value
    return way


def _refused(directive: attrs.Directive, why: str) -> DirectiveRefused:
    return DirectiveRefused.at_place(
        directive.place,
        directive=directive.text,
        why=why,
        instead="leave it out, or make the blocks of the program smaller",
    )


class _Axes:
    """Which dimensions of on-chip buffers are the same axis of the block."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.home: dict[Dim, Dim] = {
            (buffer, dim): (buffer, dim)
            for buffer in frame.buffers
            for dim in range(len(buffer.shape))
        }
        self.joined: dict[Dim, tirx.Stmt] = {}
        self.stores: list[Copy] = []
        self.unknown: list[tirx.Stmt] = []
        _visit(frame.body, self._add)

    def splittable(self) -> list[_Axis]:
        """One for each axis of the grid at most."""
        if self.unknown or not self.stores:
            return []
        found = [
            axis
            for dims in self._classes()
            if not dims & self.joined.keys() and (axis := self._axis(dims)) is not None
        ]
        grids = [axis.grid for axis in found]
        return [axis for axis in found if grids.count(axis.grid) == 1]

    def obstacle(self, grid: int) -> str:
        """Why blocks cannot be cut along an axis of the grid."""
        if self.unknown:
            return (
                f"{tree.where(self.unknown[0])} may join what lies at different places of a block"
            )
        moved = [
            dims
            for dims in self._classes()
            if any(
                (place := self._moved(store, dims)) and place[0] == grid for store in self.stores
            )
        ]
        if not moved:
            return "no store moves on along it by whole blocks"
        for dims in moved:
            for dim in (dim for dim in self.joined if dim in dims):
                stmt, name = self.joined[dim], dim[0].name
                return (
                    f"{tree.where(stmt)} joins what lies at different places of {name!r} along it"
                )
        if any(self._axis(dims) is None for dims in moved):
            return "a block is one tile long along it, or not every store has a part of it"
        return "it moves two axes of the block"

    def _classes(self) -> list[set[Dim]]:
        """The dimensions that are one axis of the block."""
        classes: dict[Dim, set[Dim]] = {}
        for dim in self.home:
            classes.setdefault(self._find(dim), set()).add(dim)
        return list(classes.values())

    def _axis(self, dims: set[Dim]) -> _Axis | None:
        extent = _extent(dims)
        if extent is None or extent % TILE or extent == TILE:
            return None
        moved = {self._moved(store, dims) for store in self.stores}
        (place,) = moved if len(moved) == 1 else (None,)
        if place is None:
            return None
        return _Axis(frozenset(dims), extent, *place, self._is_free(dims, extent, place[0]))

    def _is_free(self, dims: set[Dim], extent: int, grid: int) -> bool:
        """Whether the axis of the grid says nothing but where blocks begin, along these
        dimensions."""
        var = self.frame.loops[grid].loop_var

        def begun_at_0(stmt: tirx.Stmt) -> tirx.Stmt:
            view = leaf(stmt)
            if view is None:
                return tree.map_bodies(stmt, begun_at_0)
            if not isinstance(view, Copy):
                return stmt
            own, tensor = _sides(view)
            mins = list(tensor.mins)
            for dim, at in _paired(view).items():
                if (own.buffer, dim) in dims:
                    mins[at] = _inside(mins[at], var, extent)
            return _copied(view, own, dataclasses.replace(tensor, mins=tuple(mins)))

        return var not in tree.collect(begun_at_0(self.frame.body), tirx.Var)

    def _moved(self, store: Copy, dims: set[Dim]) -> tuple[int, int] | None:
        """The axis of the grid that moves a store by whole blocks, and the tensor's length."""
        own = [dim for buffer, dim in dims if buffer.same_as(store.src.buffer)]
        extent = _extent(dims)
        if len(own) != 1 or own[0] not in _paired(store) or extent is None:
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

    def _join(self, dims: Iterable[Dim], stmt: tirx.Stmt) -> None:
        self.joined.update((dim, stmt) for dim in dims if dim not in self.joined)

    # What each statement says. --------------------------------------------------------------------

    def _add(self, stmt: tirx.Stmt, view: Leaf | None) -> None:
        match view:
            case Copy() if is_global(view.src.buffer) != is_global(view.dst.buffer):
                joined = self._add_copy(view)
            case Gemm():
                joined = self._add_gemm(view)
            case Elementwise():
                joined = self._add_nest(view)
            case Reduce():
                joined = self._add_reduction(view)
            case Transpose():
                joined = self._add_transpose(view)
            case Accumulation():
                joined = []
            case _:
                self.unknown.append(stmt)
                return
        self._join(joined, stmt)

    def _add_copy(self, copy: Copy) -> list[Dim]:
        own = copy.dst if is_global(copy.src.buffer) else copy.src
        paired = _paired(copy) if own.is_whole else {}
        if own is copy.src:
            self.stores.append(copy)
        return [dim for dim in _dims(own.buffer) if dim[1] not in paired]

    def _add_gemm(self, gemm: Gemm) -> list[Dim]:
        a, b, c = (region.buffer for region in _regions(gemm))
        if not all(region.is_whole and len(region.extents) == 2 for region in _regions(gemm)):
            return _dims(a, b, c)
        inner_a, inner_b = int(not gemm.transpose_a), int(gemm.transpose_b)
        self._same((a, 1 - inner_a), (c, 0))
        self._same((b, 1 - inner_b), (c, 1))
        return [(a, inner_a), (b, inner_b)]

    def _add_nest(self, nest: Elementwise) -> list[Dim]:
        first: dict[tirx.Var, Dim] = {}
        outside = map_loads(nest.store.value, lambda load: tirx.const(0, load.dtype))
        named = tree.collect(outside, tirx.Var)
        joined: list[Dim] = []
        for access_ in (nest.store, *nest.loads):
            if is_global(access_.buffer):
                named += [var for index in access_.indices for var in tree.collect(index, tirx.Var)]
                continue
            for dim, index in enumerate(access_.indices):
                own = (access_.buffer, dim)
                loop = next((loop for loop in nest.loops if index.same_as(loop.loop_var)), None)
                if loop is None or not same(loop.extent, access_.buffer.shape[dim]):
                    joined.append(own)
                    named += tree.collect(index, tirx.Var)
                    continue
                self._same(own, first.setdefault(loop.loop_var, own))
        return [*joined, *(dim for var, dim in first.items() if var in named)]

    def _add_reduction(self, reduce: Reduce) -> list[Dim]:
        src, dst = reduce.src, reduce.dst
        dim = reduce.dim % len(src.extents)
        kept = [at for at in range(len(src.extents)) if at != dim]
        places = kept if len(dst.extents) == len(src.extents) else range(len(dst.extents))
        if not src.is_whole or not dst.is_whole or len(places) != len(kept):
            return _dims(src.buffer, dst.buffer)
        for at, place in zip(kept, places, strict=True):
            self._same((src.buffer, at), (dst.buffer, place))
        return [(src.buffer, dim)]

    def _add_transpose(self, transpose: Transpose) -> list[Dim]:
        src, dst = transpose.src, transpose.dst
        if not src.is_whole or not dst.is_whole:
            return _dims(src.buffer, dst.buffer)
        *leading, row, column = range(len(src.extents))
        for at, place in zip((*leading, row, column), (*leading, column, row), strict=True):
            self._same((src.buffer, at), (dst.buffer, place))
        return []


def _dims(*buffers: tirx.Buffer) -> list[Dim]:
    return [(buffer, dim) for buffer in buffers for dim in range(len(buffer.shape))]


def _extent(dims: set[Dim]) -> int | None:
    """The one extent of these dimensions."""
    sizes = {ranges.constant(buffer.shape[dim]) for buffer, dim in dims}
    return next(iter(sizes)) if len(sizes) == 1 else None


def _paired(copy: Copy) -> dict[int, int]:
    """The axis of the tensor for each dimension of the buffer that has more than one element,
    where they pair up."""
    own, tensor = _sides(copy)
    dims = [at for at, size in enumerate(own.extents) if ranges.constant(size) != 1]
    axes = [at for at, size in enumerate(tensor.extents) if ranges.constant(size) != 1]
    pairs = list(zip(dims, axes, strict=False))
    is_paired = len(dims) == len(axes) and all(
        same(own.extents[dim], tensor.extents[axis]) for dim, axis in pairs
    )
    return dict(pairs) if is_paired else {}


def _sides(copy: Copy) -> tuple[Region, Region]:
    """The part of the on-chip buffer, and that of the tensor."""
    return (copy.dst, copy.src) if is_global(copy.src.buffer) else (copy.src, copy.dst)


def _copied(copy: Copy, own: Region, tensor: Region) -> tirx.Stmt:
    """The copy, of other parts."""
    src, dst = (tensor, own) if is_global(copy.src.buffer) else (own, tensor)
    return dataclasses.replace(copy, src=src, dst=dst).stmt()


def _inside(begin: tirx.PrimExpr, var: tirx.Var, extent: int) -> tirx.PrimExpr:
    """Where a region begins in a block of `extent` elements, counted by `var`."""
    return arith.Analyzer().simplify(begin - var * extent)


def _regions(gemm: Gemm) -> tuple[Region, Region, Region]:
    return gemm.a, gemm.b, gemm.c


def _visit(stmt: tirx.Stmt, add: Callable[[tirx.Stmt, Leaf | None], None]) -> None:
    """Show every statement to `add`, with its view; control flow is seen through."""
    view = leaf(stmt)
    if view is None and isinstance(stmt, tirx.SeqStmt | tirx.For | tirx.IfThenElse):

        def visit(inner: tirx.Stmt) -> tirx.Stmt:
            _visit(inner, add)
            return inner

        tree.map_bodies(stmt, visit)
    elif not (tree.is_nothing(stmt) or isinstance(stmt, tirx.Bind) or scalars.is_store(stmt)):
        add(stmt, view)


@dataclass(frozen=True)
class _Work:
    """The products of a block, how often each is computed, and the tiles that the block loads into
    each buffer."""

    products: Sequence[tuple[float, Gemm]]
    loads: Mapping[tirx.Buffer, float]

    @classmethod
    def of(cls, stmt: tirx.Stmt) -> _Work:
        match leaf(stmt):
            case Gemm() as gemm:
                return cls([(1.0, gemm)], {})
            case Copy() as copy if is_global(copy.src.buffer):
                sizes = [ranges.constant(size) or TILE for size in copy.dst.extents]
                return cls([], {copy.dst.buffer: math.prod(-(-size // TILE) for size in sizes)})
            case None:
                pass
            case _:
                return cls([], {})
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
        products = [(runs * times, gemm) for work in inside for times, gemm in work.products]
        return cls(products, loads)

    def cycles(self, way: _Way, options: Options, readers: Callable[[list[_Axis]], int]) -> float:
        """Of a block of this size. `readers` are the cores that read parts of their own of what
        moves along these axes."""
        products = sum(times * _product_cycles(gemm, way, options) for times, gemm in self.products)
        tiles, moved = 0.0, 0.0
        for buffer, count, own in self._loaded(way):
            tiles += count
            moved += readers(own) * count * formats.BY_DTYPE[buffer.dtype].tile_bytes
        return max(products, moved / options.device.dram_bytes_per_cycle) + tiles * _LOAD_CYCLES

    def passed_on(self, way: _Way, options: Options) -> float:
        """Cycles in which one core reads what is loaded into a buffer and sends it on to others,
        for the buffer that takes longest."""
        costs = timing.load(options.arch).values
        each = 1 / costs["noc.read_bytes"] + 1 / costs["noc.multicast_bytes"]
        return max(
            count * formats.BY_DTYPE[buffer.dtype].tile_bytes * each
            for buffer, count, _ in self._loaded(way)
        )

    def _loaded(self, way: _Way) -> Iterator[tuple[tirx.Buffer, float, list[_Axis]]]:
        """The tiles that a block of this size loads into each buffer, and the axes it has."""
        for buffer, tiles in self.loads.items():
            own = [axis for axis in way if any(one.same_as(buffer) for one, _ in axis.dims)]
            yield buffer, tiles * math.prod(way[axis] / axis.extent for axis in own), own


def _product_cycles(gemm: Gemm, way: _Way, options: Options) -> float:
    """Of a product of blocks of this size, in the best subblocks."""
    resized = {dim: part for axis, part in way.items() for dim in axis.dims}
    total = gemm.c.buffer
    rows, columns = (
        -(-resized.get((total, dim), size) // TILE) for dim, size in enumerate(gemm.mnk[:2])
    )
    is_wide = total.dtype == "float32" and options.fp32_acc is not False
    subblock = best_subblock(rows, columns, options.device.dst_tiles(fp32=is_wide))
    costs = timing.load(options.arch).values
    tile_bytes = formats.BY_DTYPE[gemm.a.buffer.dtype].tile_bytes
    each = product_cycles(subblock, costs, options.phases, tile_bytes)
    return each * rows * columns * -(-gemm.mnk[2] // TILE)


class _Split:
    """The function with its blocks cut."""

    def __init__(self, frame: Frame, way: _Way) -> None:
        self.frame = frame
        self.axes = {dim: axis for axis in way for dim in axis.dims}
        self.vars = {axis: tirx.Var(frame.loops[axis.grid].loop_var.name, "int32") for axis in way}
        self.way = way
        self.buffers = {buffer: self._resized(buffer) for buffer in frame.buffers}
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
        """The old places in the grid by the new ones, where blocks are parts of the old ones."""
        return {
            self.frame.loops[axis.grid].loop_var: tirx.floordiv(var, axis.extent // part)
            for axis, var in self.vars.items()
            if axis.extent % (part := self.way[axis]) == 0
        }

    def _resized(self, old: tirx.Buffer) -> tirx.Buffer:
        resized = [self.axes.get((old, dim)) for dim in range(len(old.shape))]
        if not any(resized):
            return old
        shape = [
            size if axis is None else tirx.const(self.way[axis], "int32")
            for axis, size in zip(resized, old.shape, strict=True)
        ]
        return fresh_buffer(old.name, old, [], shape)

    def _visit(self, stmt: tirx.Stmt) -> tirx.Stmt:
        view = leaf(stmt)
        if view is None:
            return tree.map_bodies(stmt, self._visit)
        return tree.located(self._rewritten(view), stmt)

    def _rewritten(self, view: Leaf) -> tirx.Stmt:
        match view:
            case Copy():
                return _copied(view, self._region(_sides(view)[0]), self._moved(view))
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

    def _moved(self, copy: Copy) -> Region:
        """The part of the tensor's region that a block has."""
        own, tensor = _sides(copy)
        mins, extents = list(tensor.mins), list(tensor.extents)
        for dim, at in _paired(copy).items():
            if (axis := self.axes.get((own.buffer, dim))) is None:
                continue
            var, part = self.vars[axis], self.way[axis]
            if axis.is_free:
                old = self.frame.loops[axis.grid].loop_var
                begin = var * part + _inside(mins[at], old, axis.extent)
            else:
                inside = tirx.floormod(var, axis.extent // part) * part
                begin = substitute(mins[at], self._outer()) + inside
            mins[at] = self.analyzer.simplify(begin)
            extents[at] = tirx.const(part, "int32")
        return Region(tensor.buffer, tuple(mins), tuple(extents))

    def _nest(self, nest: Elementwise) -> tirx.Stmt:
        sizes: dict[tirx.Var, tirx.PrimExpr] = {}
        for access_ in (nest.store, *nest.loads):
            for dim, index in enumerate(access_.indices):
                if (access_.buffer, dim) in self.axes:
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
