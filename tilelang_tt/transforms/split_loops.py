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

Loops are shared where that saves a fifth of the time, or wherever they can be if `split` is True,
or as a directive says of one loop.

Needs:    `GuardCopies`; the grid in loops.
Leaves:   parameters `part`, `parts` and `children`; attribute `tt.partition`; copies from and to
          the cores of a team, through a tensor that stands for the way there.
Errors:   TT4006.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import access, ranges, scalars, webs
from tilelang_tt.analysis.block_work import block_work, tile_count
from tilelang_tt.analysis.separation import separated
from tilelang_tt.diagnostics import DirectiveRefused
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import Directive
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
        frame = Frame.of(func)
        block = _Block(tree.statements(frame.body), ranges.analyzer_of(func), frame)
        chosen = self._asked(block) or self._worthwhile(block)
        if chosen is None:
            return func
        own = {name: tirx.Var(name, "int32") for name in TEAM_ARGS}
        sharing = _Sharing(block, chosen.shared, own, frame.buffers)
        body = tree.sequence(sharing.statements())
        new = frame.build(body=body, buffers=sharing.buffers, ways=sharing.ways)
        new = tirx.PrimFunc(
            [*new.params, *own.values()], new.body, new.ret_type, new.buffer_map, new.attrs
        ).with_attr(attrs.CORE_ARGS, list(own.values()))
        return attrs.with_partition(new, Partition(TEAMS, parts=chosen.parts))

    def _worthwhile(self, block: _Block) -> _Chosen | None:
        """What the option or the estimated times say."""
        wants_sharing = attrs.of_buffers(block.frame.func, attrs.MULTICAST).values()
        if self.options.split is False or any(directive.value for directive in wants_sharing):
            return None
        shared = block.shared()
        parts = min([self._most, *map(block.iterations, shared)]) if shared else 1
        if parts < 2 or not (self.options.split or self._pays(block.frame, block, shared, parts)):
            return None
        return _Chosen(shared, parts)

    def _asked(self, block: _Block) -> _Chosen | None:
        """What directives say; other loops are shared along where they have enough iterations."""
        func = block.frame.func
        wanted = [
            (directive, block.position(directive, loop))
            for directive, loop in attrs.of_loops(func, attrs.SPLIT)
            if directive.value != 1
        ]
        if not wanted:
            return None
        parts = self._parts(wanted, block)
        shared = {at: made for at, made in block.shared().items() if block.iterations(at) >= parts}
        for directive, position in wanted:
            if (obstacle := block.obstacle(position)) is not None:
                raise _refused(directive, obstacle)
        return _Chosen(shared, parts) if parts > 1 else None

    def _parts(self, wanted: Sequence[tuple[Directive, int]], block: _Block) -> int:
        """The parts that directives ask for, one number for all."""
        extents = [ranges.constant(loop.extent) for loop in block.frame.loops]
        blocks = math.prod(extent for extent in extents if extent is not None)
        most = self._most // blocks if blocks and None not in extents else self._most
        asked: dict[int, Directive] = {}
        for directive, position in wanted:
            if directive.value > (iterations := block.iterations(position)):
                raise _refused(directive, f"the loop has {iterations} iterations")
            if directive.value > most:
                why = f"there are at most {most} cores for each of the {blocks} blocks"
                raise _refused(directive, why)
            if directive.value != attrs.ANY_PARTS:
                asked.setdefault(directive.value, directive)
        if len(asked) > 1:
            first, second = list(asked.values())[:2]
            why = f"the loop over {first.target} is split in {first.value}, and one team runs both"
            raise _refused(second, why)
        return min([*asked, self._most, *(block.iterations(position) for _, position in wanted)])

    @property
    def _most(self) -> int:
        return min(math.prod(self.options.cores), 2**MOST_CHILDREN - 1)

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
class _Chosen:
    """The loops that a team of at most `parts` cores shares."""

    shared: Mapping[int, Carried]
    parts: int


@dataclass(frozen=True)
class _Obstacle:
    """Why a loop cannot be shared."""

    why: str


def _refused(directive: Directive, why: str | _Obstacle) -> DirectiveRefused:
    return DirectiveRefused.at_place(
        directive.place,
        directive=directive.text,
        why=why.why if isinstance(why, _Obstacle) else why,
        instead="leave it out, or split a loop whose iterations only add up or keep an extreme",
    )


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

    def position(self, directive: Directive, loop: tirx.For | None) -> int:
        """Where a loop stands that a directive wants split."""
        if loop is None:
            what = "no loop over blocks is left of it: it runs once, or over elements of buffers"
            raise _refused(directive, what)
        if any(axis.same_as(loop) for axis in self.frame.loops):
            raise _refused(
                directive, "it is an axis of the grid, of which directives.cut makes more"
            )
        found = [at for at, stmt in enumerate(self.stmts) if stmt.same_as(loop)]
        if not found:
            raise _refused(
                directive, "it stands in another loop or branch, and teams share outer ones"
            )
        if ranges.constant(loop.extent) is None:
            what = f"the number of its iterations, {loop.extent}, is not known before the launch"
            raise _refused(directive, what)
        return found[0]

    def shared(self) -> dict[int, Carried]:
        """The loops, by position, that a team can share, and what each makes; without those of
        which the program says that they are not split."""
        if self._joined_by is not None:
            return {}
        found = {at: self._carried(at) for at in range(len(self.stmts)) if not self._is_kept(at)}
        return {at: carried for at, carried in found.items() if not isinstance(carried, _Obstacle)}

    def obstacle(self, position: int) -> _Obstacle | None:
        """Why a team cannot share a loop."""
        found = self._joined_by or self._carried(position)
        return found if isinstance(found, _Obstacle) else None

    def _is_kept(self, position: int) -> bool:
        stmt = self.stmts[position]
        if not isinstance(stmt, tirx.For):
            return False
        directive = attrs.of_loop(self.frame.func, stmt, attrs.SPLIT)
        return directive is not None and directive.value == 1

    @functools.cached_property
    def _joined_by(self) -> _Obstacle | None:
        """Why not all cores may do what no loop shares: something is handed between the engines, or
        what is stored is loaded, but for what part 0 alone adds to."""
        evaluated = tree.collect(self.frame.body, tirx.Evaluate)
        for each in evaluated:
            if ops.definition(each) in (ops.TENSOR_TAKE, ops.TENSOR_GIVE):
                return _Obstacle(f"parts of a tensor that {tree.where(each)} adds to come back")
        copies = [view for _, view in access.leaves(self.frame.body) if isinstance(view, Copy)]
        loaded = {copy.src.buffer.name for copy in copies if is_global(copy.src.buffer)}
        stored = {copy.dst.buffer.name for copy in copies if is_global(copy.dst.buffer)}
        both = sorted((loaded & stored) - attrs.added(self.frame.func))
        return _Obstacle(f"{both[0]!r} is both loaded and stored") if both else None

    def _carried(self, position: int) -> Carried | _Obstacle:
        """What a loop makes step by step, or why it cannot be shared."""
        loop = self.stmts[position]
        if not isinstance(loop, tirx.For) or leaf(loop) is not None:
            return _Obstacle("it is no loop")
        if ranges.constant(loop.extent) is None or ranges.constant(loop.min) != 0:
            return _Obstacle("it does not run from 0 to a number that is known")
        views = [view for _, view in access.leaves(loop)]
        if (joined := self._joined_stores(loop)) is not None:
            return joined
        exposed = _exposed(loop.body)
        carried: dict[tirx.Buffer, str] = {}
        for buffer in dict.fromkeys(access.writes(view) for view in views):
            if is_global(buffer) or not (buffer in exposed or self._used_around(position, buffer)):
                continue
            kind = self._kind(position, buffer)
            if isinstance(kind, _Obstacle):
                return kind
            if buffer.dtype not in _DTYPES:
                return _Obstacle(f"parts of {buffer.name!r}, of {buffer.dtype}, cannot be combined")
            carried[buffer] = kind
        return carried

    def _used_around(self, position: int, buffer: tirx.Buffer) -> bool:
        others = (*self.stmts[:position], *self.stmts[position + 1 :])
        return any(access.touches(stmt, buffer) for stmt in others)

    def _joined_stores(self, loop: tirx.For) -> _Obstacle | None:
        """What iterations of the loop store that may not lie apart."""
        if any(map(scalars.is_store, tree.collect(loop, tirx.BufferStore))):
            return _Obstacle("it changes a variable of the program")
        stored: dict[tirx.Buffer, list[Region]] = {}
        for _, view in access.leaves(loop):
            if isinstance(view, Copy) and is_global(view.dst.buffer):
                stored.setdefault(view.dst.buffer, []).append(view.dst)
        inner = [other for other in tree.collect(loop.body, tirx.For) if leaf(other) is None]
        others = [*self.frame.loops, *inner]
        for tensor, regions in stored.items():
            if not separated(regions, [loop], others, self.analyzer):
                return _Obstacle(
                    f"its iterations store to parts of {tensor.name!r} that may overlap"
                )
        return None

    def _kind(self, position: int, buffer: tirx.Buffer) -> str | _Obstacle:
        """How the loop makes the buffer step by step."""
        loop = self.stmts[position]
        assert isinstance(loop, tirx.For), loop
        touching = [
            (stmt, view)
            for stmt, view in access.leaves(loop)
            if buffer in access.reads(view) or buffer.same_as(access.writes(view))
        ]
        mark = self.mark_before(position, buffer)
        kinds: dict[str, None] = {}
        for stmt, view in touching:
            if mark is not None:
                kind = "sum" if _adds_up(view, buffer, loop, mark.is_fresh) else None
            else:
                kind = _accumulated(view, buffer)
            if kind is None:
                return _Obstacle(
                    f"an iteration needs the {buffer.name!r} of the one before, of which "
                    f"{tree.where(stmt)} makes no sum, maximum or minimum"
                )
            kinds[kind] = None
        if len(kinds) > 1:
            return _Obstacle(f"{buffer.name!r} is combined in different ways: {', '.join(kinds)}")
        if (mark is None or not mark.is_fresh) and not self._has_start(position, buffer):
            return _Obstacle(
                f"what the loop begins with in {buffer.name!r} is not made for it alone"
            )
        return next(iter(kinds))

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
        return self._last_write(position, buffer)

    def _last_write(self, position: int, buffer: tirx.Buffer) -> int | None:
        before = range(position - 1, -1, -1)
        written = (
            at
            for at in before
            if access.is_written(self.stmts[at], buffer) and not _marks(self.stmts[at])
        )
        return next(written, None)

    def _has_start(self, position: int, buffer: tirx.Buffer) -> bool:
        """Whether a nest makes, for the loop alone, what it begins with."""
        start = self._last_write(position, buffer)
        if start is None:
            return False
        nest = leaf(self.stmts[start])
        between = self.stmts[start:position]
        return (
            isinstance(nest, Elementwise)
            and nest.covers_dst
            and not any(access.is_read(stmt, buffer) for stmt in between if not _marks(stmt))
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
