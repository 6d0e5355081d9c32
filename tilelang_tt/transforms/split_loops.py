"""Let several cores share the loops of a block, where there are fewer blocks than cores.

A loop that only adds to what it makes, or keeps the largest or smallest of it, can be run by the
cores of a team: each takes every so many iterations, and holds a part of the result. The parts
then meet along a tree, part 1 at part 0, part 3 at part 2, part 2 at part 0 and so on, and part 0
goes on alone.

    before:  T.accumulate_begin(C_l)
             for k in range(32):
                 T.copy(A[0, k * 64], A_s)
                 T.copy(B[k * 64, 0], B_s)
                 T.gemm(A_s, B_s, C_l, clear_accum=k == 0)
             T.accumulate_end(C_l)
             T.copy(C_l, C[0, 0])

    after:   T.accumulate_begin(C_l)
             for k in range((32 + parts - 1 - part) // parts):
                 T.copy(A[0, (k * parts + part) * 64], A_s)
                 T.copy(B[(k * parts + part) * 64, 0], B_s)
                 T.gemm(A_s, B_s, C_l, clear_accum=k == 0)
             T.accumulate_end(C_l)
             for child in range(children):
                 T.copy(C_l_net[child, 0, 0], C_l_part, "children")
                 C_l[i, j] = C_l[i, j] + C_l_part[i, j]
             if part != 0:
                 T.copy(C_l, C_l_net[0, 0, 0], "parent")
             if part == 0:
                 T.copy(C_l, C[0, 0])

What a loop adds to is there before it on part 0 alone; the others begin with zeros. Where a later
shared loop needs a result, it comes back down the tree to every part. Between shared loops all
cores do the same, and part 0 stores. A loop that makes nothing but parts of tensors that lie apart
is shared as it is.

Loops are shared where that saves a fifth of the time, or wherever they can be if `split` is True.

Needs:    `GuardCopies`; the grid in loops.
Leaves:   parameters `part`, `parts` and `children`; attribute `tt.partition`; copies from and to
          the cores of a team, through a tensor that stands for the way there.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import access, ranges, scalars, webs
from tilelang_tt.analysis.block_work import block_work, tile_count
from tilelang_tt.analysis.separation import separated
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import (
    Accumulation,
    Copy,
    Elementwise,
    Gemm,
    Region,
    is_global,
    leaf,
    rebuffered,
)
from tilelang_tt.options import Options
from tilelang_tt.partition import CHILDREN, MOST_CHILDREN, PARENT, TEAM_ARGS, TEAMS, Partition
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.choose_partition import ChoosePartition, overlapped
from tilelang_tt.transforms.elementwise import fill_over, map_over, nest_over, neutral

_GAIN = 0.8
_CORE_BANDWIDTH = 25.0  # bytes a cycle that one core moves
_STEP_CYCLES = 1500.0  # of handing a part on, besides moving and adding its tiles
_TILE_CYCLES = 300.0
_COMBINED: dict[str, Callable[[tirx.PrimExpr, tirx.PrimExpr], tirx.PrimExpr]] = {
    "sum": lambda one, other: one + other,
    "max": tirx.Max,
    "min": tirx.Min,
}
_KINDS: dict[type[tirx.PrimExpr], str] = {tirx.Add: "sum", tirx.Max: "max", tirx.Min: "min"}
_DTYPES = ("float32", "bfloat16", "float16", "int32")

Carried = Mapping[tirx.Buffer, str]
"""What a loop makes step by step, and how the results of two parts are combined."""


@dataclass(frozen=True)
class SplitLoops:
    """See the module docstring."""

    options: Options
    name: str = "tt.SplitLoops"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        if self.options.split is False:
            return func
        frame = Frame.of(func)
        block = _Block(tree.statements(frame.body), ranges.analyzer_of(func), frame)
        shared = block.shared()
        if not shared:
            return func
        parts = min(block.iterations(position) for position in shared)
        parts = min(parts, math.prod(self.options.cores), 2**MOST_CHILDREN - 1)
        if parts < 2 or not (self.options.split or self._pays(frame, block, shared, parts)):
            return func
        own = {name: tirx.Var(name, "int32") for name in TEAM_ARGS}
        sharing = _Sharing(block, shared, own, frame.buffers)
        body = tree.sequence(sharing.statements())
        new = frame.build(body=body, buffers=sharing.buffers, ways=sharing.ways)
        new = tirx.PrimFunc(
            [*new.params, *own.values()], new.body, new.ret_type, new.buffer_map, new.attrs
        ).with_attr(attrs.CORE_ARGS, list(own.values()))
        return attrs.with_partition(new, Partition(TEAMS, parts=parts))

    def _pays(self, frame: Frame, block: _Block, shared: Mapping[int, Carried], limit: int) -> bool:
        """Whether there are idle cores, and sharing saves enough."""
        known = [ranges.constant(loop.extent) for loop in frame.loops]
        extents = [extent for extent in known if extent is not None]
        if len(extents) < len(known):
            return False
        parts = min(limit, math.prod(self.options.cores) // max(1, math.prod(extents)))
        if parts < 2:
            return False
        phases, bandwidth = self.options.phases, self.options.device.dram_bytes_per_cycle
        loops = tree.sequence([block.stmts[position] for position in shared])
        whole = block_work(frame, phases)
        split = block_work(Frame.of(frame.build(body=loops)), phases)
        saved = 1 - 1 / parts
        moved = whole.bytes - saved * split.bytes
        times = (
            math.prod(extents) * whole.bytes / bandwidth,
            moved / _CORE_BANDWIDTH,
            whole.cycles - saved * split.cycles,
        )
        carried = [buffer for made in shared.values() for buffer in made]
        step = sum(_STEP_CYCLES + tile_count(buffer) * _TILE_CYCLES for buffer in carried)
        cost = overlapped(times) + step * math.ceil(math.log2(parts))
        alone = overlapped((whole.bytes / _CORE_BANDWIDTH, whole.cycles))
        return cost < _GAIN * max(alone, ChoosePartition(self.options).cycles(frame))


@dataclass(frozen=True)
class _Block:
    """The statements of a block, one after the other."""

    stmts: Sequence[tirx.Stmt]
    analyzer: arith.Analyzer
    frame: Frame

    def iterations(self, position: int) -> int:
        extent = ranges.constant(self.stmts[position].extent)
        assert extent is not None, self.stmts[position]
        return extent

    def shared(self) -> dict[int, Carried]:
        """The loops, by position, that a team can share, and what each makes."""
        if not self._stands_alone():
            return {}
        found = {position: self._carried(position) for position in range(len(self.stmts))}
        return {position: carried for position, carried in found.items() if carried is not None}

    def _stands_alone(self) -> bool:
        """Whether all cores may do what no loop shares: nothing is handed between the engines, and
        what is stored is not loaded but for what part 0 alone adds to."""
        evaluated = tree.collect(self.frame.body, tirx.Evaluate)
        if any(ops.definition(each) in (ops.TENSOR_TAKE, ops.TENSOR_GIVE) for each in evaluated):
            return False
        copies = [view for _, view in access.leaves(self.frame.body) if isinstance(view, Copy)]
        loaded = {copy.src.buffer for copy in copies if is_global(copy.src.buffer)}
        stored = {copy.dst.buffer for copy in copies if is_global(copy.dst.buffer)}
        return {buffer.name for buffer in loaded & stored} <= attrs.added(self.frame.func)

    def _carried(self, position: int) -> Carried | None:
        """What a loop makes step by step; None where the statement is no loop to be shared."""
        loop = self.stmts[position]
        if not isinstance(loop, tirx.For) or leaf(loop) is not None:
            return None
        if ranges.constant(loop.extent) is None or ranges.constant(loop.min) != 0:
            return None
        views = [view for _, view in access.leaves(loop)]
        if any(map(scalars.is_store, tree.collect(loop, tirx.BufferStore))):
            return None
        if not self._stores_apart(loop):
            return None
        exposed = _exposed(loop.body)
        carried: dict[tirx.Buffer, str] = {}
        for buffer in dict.fromkeys(access.writes(view) for view in views):
            if is_global(buffer) or not (buffer in exposed or self._used_around(position, buffer)):
                continue
            kind = self._kind(position, buffer)
            if kind is None or buffer.dtype not in _DTYPES:
                return None
            carried[buffer] = kind
        return carried

    def _used_around(self, position: int, buffer: tirx.Buffer) -> bool:
        others = (*self.stmts[:position], *self.stmts[position + 1 :])
        return any(access.touches(stmt, buffer) for stmt in others)

    def _stores_apart(self, loop: tirx.For) -> bool:
        """Whether iterations of the loop store in parts of tensors that lie apart."""
        stored: dict[tirx.Buffer, list[Region]] = {}
        for _, view in access.leaves(loop):
            if isinstance(view, Copy) and is_global(view.dst.buffer):
                stored.setdefault(view.dst.buffer, []).append(view.dst)
        inner = [other for other in tree.collect(loop.body, tirx.For) if leaf(other) is None]
        others = [*self.frame.loops, *inner]
        return all(separated(regions, [loop], others, self.analyzer) for regions in stored.values())

    def _kind(self, position: int, buffer: tirx.Buffer) -> str | None:
        """How the loop makes the buffer step by step; None where it makes it in another way."""
        loop = self.stmts[position]
        assert isinstance(loop, tirx.For), loop
        touching = [
            view
            for _, view in access.leaves(loop)
            if buffer in access.reads(view) or buffer.same_as(access.writes(view))
        ]
        mark = self.mark_before(position, buffer)
        if mark is not None:
            is_sum = all(_adds_up(view, buffer, loop, mark.is_fresh) for view in touching)
            return (
                "sum" if is_sum and (mark.is_fresh or self._has_start(position, buffer)) else None
            )
        kinds = {_accumulated(view, buffer) for view in touching}
        return kinds.pop() if len(kinds) == 1 and self._has_start(position, buffer) else None

    def mark_before(self, position: int, buffer: tirx.Buffer) -> Accumulation | None:
        """The mark that the loop adds to the buffer in place, as nothing else does before the
        end."""
        views = [leaf(stmt) for stmt in self.stmts]
        marks = [
            (at, view)
            for at, view in enumerate(views)
            if isinstance(view, Accumulation) and view.dst.buffer.same_as(buffer)
        ]
        for (begin, mark), (end, _) in itertools.pairwise(marks):
            if mark.kind != "end" and begin < position < end:
                between = [at for at in range(begin + 1, end) if at != position]
                is_alone = not any(access.touches(self.stmts[at], buffer) for at in between)
                return mark if is_alone else None
        return None

    def end_of(self, position: int, buffer: tirx.Buffer) -> int:
        """The place after which the buffer holds what the loop makes."""
        if self.mark_before(position, buffer) is None:
            return position
        views = ((at, leaf(self.stmts[at])) for at in range(position, len(self.stmts)))
        return next(
            at
            for at, view in views
            if isinstance(view, Accumulation) and view.dst.buffer.same_as(buffer)
        )

    def start(self, position: int, buffer: tirx.Buffer) -> int | None:
        """The statement that makes what the loop begins with; None where it begins afresh."""
        mark = self.mark_before(position, buffer)
        if mark is not None and mark.is_fresh:
            return None
        before = range(position - 1, -1, -1)
        return next(
            at
            for at in before
            if access.is_written(self.stmts[at], buffer)
            and not isinstance(leaf(self.stmts[at]), Accumulation)
        )

    def _has_start(self, position: int, buffer: tirx.Buffer) -> bool:
        """Whether a nest makes, for the loop alone, what it begins with."""
        before = self.stmts[:position]
        if not any(access.is_written(stmt, buffer) for stmt in before):
            return False
        start = self.start(position, buffer)
        assert start is not None, buffer
        nest = leaf(self.stmts[start])
        return (
            isinstance(nest, Elementwise)
            and nest.covers_dst
            and not any(access.is_read(stmt, buffer) for stmt in before[start:] if not _marks(stmt))
        )

    def feeding(self, at: int) -> list[int]:
        """The statements that make, of tensors, what the statement alone needs, in order."""
        view = leaf(self.stmts[at])
        assert view is not None, self.stmts[at]
        found: set[int] = set()
        for buffer in access.reads(view):
            users = [i for i, s in enumerate(self.stmts) if access.touches(s, buffer) and i != at]
            if is_global(buffer):
                continue
            maker = leaf(self.stmts[users[0]]) if len(users) == 1 else None
            if maker is None or not buffer.same_as(access.writes(maker)):
                return []
            inner = self.feeding(users[0])
            if inner or all(is_global(read) for read in access.reads(maker)):
                found |= {*inner, users[0]}
        return sorted(found)


def _marks(stmt: tirx.Stmt) -> bool:
    return isinstance(leaf(stmt), Accumulation)


def _exposed(body: tirx.Stmt) -> set[tirx.Buffer]:
    """The buffers that an iteration may read before it writes them."""
    return {
        buffer
        for site in webs.find(body).sites
        for buffer, reaching in site.reaching.items()
        if webs.NOTHING in reaching
    }


def _adds_up(view: object, buffer: tirx.Buffer, loop: tirx.For, is_fresh: bool) -> bool:
    """Whether the statement is a product that is added to the buffer, the first perhaps but for
    that."""
    if not isinstance(view, Gemm) or buffer in access.matrix_operands(view):
        return False
    if view.never_clears:
        return not is_fresh
    return is_fresh and _is_first(view.clear, loop.loop_var)


def _is_first(condition: tirx.PrimExpr, var: tirx.Var) -> bool:
    """Whether the condition says, of this loop, that it is its first iteration."""
    if isinstance(condition, tirx.And):
        used = [side for side in (condition.a, condition.b) if var in tree.collect(side, tirx.Var)]
        return len(used) == 1 and _is_first(used[0], var)
    is_start = isinstance(condition, tirx.EQ) and ranges.constant(condition.b) == 0
    return is_start and condition.a.same_as(var)


def _accumulated(view: object, buffer: tirx.Buffer) -> str | None:
    """How the statement combines the old value of the buffer with another one."""
    if not isinstance(view, Elementwise) or not view.dst.same_as(buffer):
        return None
    analyzer = arith.Analyzer()
    ranges.enter(analyzer, view.loops)

    def is_old(value: tirx.PrimExpr) -> bool:
        value = _uncast(value)
        return (
            isinstance(value, tirx.BufferLoad)
            and value.buffer.same_as(buffer)
            and all(map(analyzer.can_prove_equal, value.indices, view.store.indices))
        )

    value = _uncast(view.store.value)
    kind = _KINDS.get(type(value))
    if kind is None:
        return None
    reads = [load for load in view.loads if load.buffer.same_as(buffer)]
    return kind if len(reads) == 1 and any(map(is_old, _terms(value, type(value)))) else None


def _terms(value: tirx.PrimExpr, kind: type[tirx.PrimExpr]) -> list[tirx.PrimExpr]:
    """What a chain of operations of one kind combines."""
    if not isinstance(value, kind):
        return [value]
    return [*_terms(value.a, kind), *_terms(value.b, kind)]


def _uncast(value: tirx.PrimExpr) -> tirx.PrimExpr:
    return _uncast(value.value) if isinstance(value, tirx.Cast) else value


@dataclass
class _Sharing:
    """A block whose loops are shared, and its buffers."""

    block: _Block
    shared: Mapping[int, Carried]
    own: Mapping[str, tirx.Var]
    buffers: list[tirx.Buffer]
    ways: list[tirx.Buffer] = field(default_factory=list)
    renamed: dict[tirx.Buffer, tirx.Buffer] = field(default_factory=dict)

    def statements(self) -> list[tirx.Stmt]:
        exchanged: dict[int, list[tuple[tirx.Buffer, str, tirx.Stmt]]] = {}
        for position, carried in self.shared.items():
            for buffer, kind in carried.items():
                place = exchanged.setdefault(self.block.end_of(position, buffer), [])
                place.append((buffer, kind, self.block.stmts[position]))
        last = max([*self.shared, *exchanged])
        firsts = self._on_first()
        result: list[tirx.Stmt] = []
        for at, stmt in enumerate(self.block.stmts[: last + 1]):
            if at in self.shared:
                result.append(self._every_so_many(self._renamed(stmt)))
            elif at in firsts:
                result += map(self._renamed, firsts[at])
            else:
                result.append(self._stored_by_part_0(self._renamed(stmt)))
            for buffer, kind, origin in exchanged.get(at, []):
                is_needed = any(
                    access.touches(s, buffer) for s in self.block.stmts[at + 1 : last + 1]
                )
                made = self._combined(buffer, kind, goes_back=is_needed)
                result += [tree.located_throughout(each, origin) for each in made]
        rest = [self._renamed(stmt) for stmt in self.block.stmts[last + 1 :]]
        if rest:
            result.append(self._on_part_0(tree.sequence(rest), None, rest[0]))
        return result

    def _renamed(self, stmt: tirx.Stmt) -> tirx.Stmt:
        """`stmt` on the results that came back."""
        if not self.renamed:
            return stmt

        def rename(buffer: tirx.Buffer) -> tirx.Buffer:
            return self.renamed.get(buffer, buffer)

        def one(inner: tirx.Stmt) -> tirx.Stmt:
            view = leaf(inner)
            return inner if view is None else tree.located(rebuffered(view, rename, rename), inner)

        return tree.rewrite_sequences(stmt, lambda stmts: [one(inner) for inner in stmts])

    def _every_so_many(self, loop: tirx.Stmt) -> tirx.Stmt:
        """The iterations of one part."""
        assert isinstance(loop, tirx.For), loop
        part, parts, var = self.own["part"], self.own["parts"], loop.loop_var
        step = tirx.Var(var.name, var.dtype)
        body = self._with_first(loop, step)
        body = substitute(body, {var: step * parts + part})
        extent = tirx.floordiv(loop.extent + parts - 1 - part, parts)
        new = tirx.For(step, loop.min, extent, loop.kind, body, None, loop.annotations)
        return tree.located(new, loop)

    def _with_first(self, loop: tirx.For, step: tirx.Var) -> tirx.Stmt:
        """The body of a loop whose products begin afresh in the first iteration of each part."""

        def own_first(stmt: tirx.Stmt) -> tirx.Stmt:
            view = leaf(stmt)
            if not isinstance(view, Gemm) or view.always_clears or view.never_clears:
                return stmt
            if not _is_first(view.clear, loop.loop_var):
                return stmt
            clear = substitute(view.clear, {loop.loop_var: step})
            return tree.located(dataclasses.replace(view, clear=clear).stmt(), stmt)

        return tree.rewrite_sequences(loop.body, lambda stmts: [own_first(s) for s in stmts])

    def _on_first(self) -> dict[int, list[tirx.Stmt]]:
        """What stands in place of the statements that make what shared loops begin with, and of
        those that only these need: part 0 alone begins with more than nothing."""
        found: dict[int, list[tirx.Stmt]] = {}
        for position, carried in self.shared.items():
            for buffer, kind in carried.items():
                start = self.block.start(position, buffer)
                nothing = neutral(kind, buffer.dtype)
                if start is None or self._stores(start, nothing):
                    continue
                feeding = self.block.feeding(start)
                made = tree.sequence([self.block.stmts[at] for at in [*feeding, start]])
                empty = fill_over(Region.whole(buffer), nothing)
                found.update((at, []) for at in feeding)
                found[start] = [self._on_part_0(made, empty, self.block.stmts[start])]
        return found

    def _stores(self, at: int, value: tirx.PrimExpr) -> bool:
        nest = leaf(self.block.stmts[at])
        assert isinstance(nest, Elementwise), nest
        return same(nest.store.value, value)

    def _on_part_0(self, stmt: tirx.Stmt, other: tirx.Stmt | None, origin: tirx.Stmt) -> tirx.Stmt:
        new = tirx.IfThenElse(tirx.EQ(self.own["part"], 0), stmt, other)
        return tree.located_throughout(new, origin)

    def _stored_by_part_0(self, stmt: tirx.Stmt) -> tirx.Stmt:
        def guard(inner: tirx.Stmt) -> tirx.Stmt:
            view = leaf(inner)
            is_store = isinstance(view, Copy) and is_global(view.dst.buffer)
            return self._on_part_0(inner, None, inner) if is_store else inner

        return tree.rewrite_sequences(stmt, lambda stmts: [guard(inner) for inner in stmts])

    def _combined(self, buffer: tirx.Buffer, kind: str, *, goes_back: bool) -> list[tirx.Stmt]:
        """What hands the parts of a buffer up the tree, and the result down again."""
        part, children = self.own["part"], self.own["children"]
        whole = Region.whole(buffer)
        up = self._way(buffer, "net")
        taken = self._fresh(buffer, "part")
        child = tirx.Var("child", "int32")
        take = [
            Copy(_slot(up, child), Region.whole(taken), group=CHILDREN).stmt(),
            map_over(whole, [whole, Region.whole(taken)], _COMBINED[kind]),
        ]
        hand_on = Copy(whole, _slot(up), group=PARENT).stmt()
        result: list[tirx.Stmt] = [_counted(child, children, take)]
        others = tirx.NE(part, 0)
        if not goes_back:
            return [*result, tirx.IfThenElse(others, hand_on, None)]
        down = self._way(buffer, "back")
        came, complete = self._fresh(buffer, "came"), self._fresh(buffer, "all")
        back = [
            Copy(_slot(down), Region.whole(came), group=PARENT).stmt(),
            nest_over(Region.whole(complete), Region.whole(came)),
        ]
        kept = nest_over(Region.whole(complete), whole)
        result.append(tirx.IfThenElse(others, tree.sequence([hand_on, *back]), kept))
        child = tirx.Var("child", "int32")
        give = Copy(Region.whole(complete), _slot(down, child), group=CHILDREN).stmt()
        result.append(_counted(child, children, [give]))
        self.renamed[buffer] = complete
        return result

    def _fresh(self, buffer: tirx.Buffer, what: str) -> tirx.Buffer:
        new = fresh_buffer(f"{buffer.name}_{what}", buffer, self.buffers)
        self.buffers.append(new)
        return new

    def _way(self, buffer: tirx.Buffer, what: str) -> tirx.Buffer:
        shape = [tirx.const(1, "int32"), *buffer.shape]
        new = tirx.decl_buffer(shape, buffer.dtype, f"{buffer.name}_{what}", scope="global")
        self.ways.append(new)
        return new


def _slot(net: tirx.Buffer, peer: tirx.PrimExpr | None = None) -> Region:
    """The way to or from one of the peers."""
    zero = tirx.const(0, "int32")
    first = zero if peer is None else peer
    return Region(net, (first, *(zero for _ in net.shape[1:])), tuple(net.shape))


def _counted(var: tirx.Var, count: tirx.PrimExpr, body: list[tirx.Stmt]) -> tirx.For:
    return tirx.For(var, tirx.const(0, "int32"), count, tirx.ForKind.SERIAL, tree.sequence(body))
