"""Let one core run all blocks that add to the same part of a tensor, and add there itself.

Blocks on different cores cannot add to one place: Tensix has no atomic addition of floats, and the
result would depend on who comes first. So the axes of the grid along which blocks share what they
add to become loops inside the block, which then owns its part of the tensor: it loads the part,
adds on the chip, in the order of the grid, and stores the sum.

    before:  for bx, by, bz in T.grid(2, 2, 4):      after:   for bx, by in T.grid(2, 2):
                 with T.sblock("tilelang_root"):                  with T.sblock("tilelang_root"):
                     ...                                              T.copy(C[...], C_sum)
                     T.atomicadd(C_l, C[by * 64, bx * 64])            for bz in range(4):
                                                                          ...
                                                                          C_sum[i, j] += C_l[i, j]
                                                                      T.copy(C_sum, C[...])

The part is held on the chip for as long as it stays the same. Where it moves on inside a loop and
comes back, each addition loads and stores. The reader then takes the tensor before it loads what
may have been stored, and for that waits until the writer has given it back, with all stores done.

    before:  for bx in range(4):                     after:   for bx in range(4):
                 for k in range(8):                               T.tensor_take(Q.data)
                     ...                                          for k in range(8):
                     T.atomicadd(Q_l, Q[k * 64, 0])                   ...
                                                                      T.copy(Q[k * 64, 0], Q_sum)
                                                                      Q_sum[i, j] += Q_l[i, j]
                                                                      T.copy(Q_sum, Q[k * 64, 0])
                                                                  T.tensor_give(Q.data)

Where only a quotient of an axis says to what blocks add, as where several heads share keys, the
axis is two: the quotient, and the rest, along which blocks share.

    before:  for h in range(32):                     after:   for h_rest, h_group in T.grid(4, 8):
                 T.atomicadd(K_l, K[h // 4, 0])                   T.atomicadd(K_l, K[h_group, 0])

An addition to a buffer on the chip is an assignment. Loops of elements that one element adds up are
serial, as after `LowerReducers`.

Needs:    `InlineBindings`, and TileLang's `MaterializeKernelLaunch`.
Leaves:   no additions; attribute `tt.added`, the names of the tensors that blocks own parts of.
Errors:   TT1003, TT1006, TT1010, TT1014, TT1016, TT2002, TT2005.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt.analysis import ranges
from tilelang_tt.analysis.separation import separated
from tilelang_tt.diagnostics import (
    DataDependent,
    RegionMismatch,
    UnsupportedAtomic,
    UnsupportedSemantics,
    UnsupportedStatement,
)
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Elementwise, Region, called, is_global
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import box_of, cast, map_over, moved_extents

_TILE, _ELEMENT = "tl.tileop.atomicadd", "tl.atomic_add_elem_op"
_HINTS = {"memory_order", "use_tma"}


class LowerAtomics:
    """See the module docstring."""

    name = "tt.LowerAtomics"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        if not any(map(_is_addition, tree.collect(func.body, tirx.Evaluate))):
            return func
        tree.inherit_spans(func.body)
        func = _divided(func)
        frame = Frame.of(func)
        found = _additions(frame.body, ())
        by_tensor: dict[tirx.Buffer, list[_Addition]] = {}
        for one in found:
            if is_global(one.region.buffer):
                by_tensor.setdefault(one.region.buffer, []).append(one)
        for tensor, additions in by_tensor.items():
            _check_uses(tensor, additions, frame.body)
        owning = _Owning(func, frame.buffers)
        own = owning.own_axes(frame.loops, by_tensor.values())
        on_chip = [one for one in found if not is_global(one.region.buffer)]
        body = _assigned(frame.body, on_chip, None)
        for loop in frame.loops:  # the first axis varies fastest, as on a GPU
            if loop.loop_var not in own:
                body = _sequential(loop, body)
        for additions in by_tensor.values():
            body = owning.own(body, additions)
        kept = [loop for loop in frame.loops if loop.loop_var in own]
        new = frame.with_loops(kept).build(body=body, buffers=owning.buffers)
        return attrs.with_added(new, [tensor.name for tensor in by_tensor])


def first_addition(func: tirx.PrimFunc, buffer: tirx.Buffer) -> tirx.Stmt | None:
    """The first statement of a front-end function that adds to a buffer."""
    found = filter(_is_addition, tree.collect(func.body, tirx.Evaluate))
    return next((stmt for stmt in found if _added_to(stmt).same_as(buffer)), None)


def _added_to(stmt: tirx.Evaluate) -> tirx.Buffer:
    first, second = stmt.value.args[:2]
    head = second if stmt.value.op.name == _TILE else first
    return head.args[0].buffer  # of a tl.region or a tl.access_ptr


@dataclass(frozen=True, eq=False)
class _Addition:
    """`region += value`, where `counted` are the loops over elements around `stmt`.

    One element, in such loops, is added at a `place` in the buffer.
    """

    stmt: tirx.Evaluate
    region: Region
    value: tirx.PrimExpr | Region
    counted: tuple[tirx.For, ...] = ()
    place: tirx.BufferLoad | None = None

    @classmethod
    def of(cls, stmt: tirx.Evaluate, counted: tuple[tirx.For, ...]) -> _Addition:
        call = called(stmt)
        assert call is not None, stmt
        for key in call.annotations or {}:
            if str(key) not in _HINTS:
                raise UnsupportedSemantics.at(stmt, what=f"the annotation {str(key)!r}")
        if call.op.name == _TILE and counted:
            what = "T.Parallel loop around something other than assignments, as a"
            raise UnsupportedStatement.at(counted[0], kind=what)
        if call.op.name == _TILE:
            value, dst = call.args
            is_region = isinstance(value, tirx.Call) and value.op.name == "tl.region"
            return cls(stmt, Region.decode(dst), Region.decode(value) if is_region else value)
        place, value = call.args[0].args[0], call.args[1]
        assert isinstance(place, tirx.BufferLoad), stmt
        nest = Elementwise(counted, tirx.BufferStore(place.buffer, place, place.indices))
        region = box_of(place.buffer, place.indices, nest, stmt)
        return cls(stmt, region, value, counted, place)

    @property
    def reads(self) -> list[tirx.Buffer]:
        if isinstance(self.value, Region):
            return [self.value.buffer]
        return [load.buffer for load in tree.collect(self.value, tirx.BufferLoad)]

    @property
    def shared(self) -> set[tirx.Var]:
        """Of the loops over elements, those that count what is added to one element."""
        if self.place is None:
            return set()
        used = {var for index in self.place.indices for var in tree.collect(index, tirx.Var)}
        return {
            loop.loop_var
            for loop in self.counted
            if loop.loop_var not in used or ranges.constant(loop.extent) == 1
        }

    def into(self, held: tirx.Buffer | None) -> tirx.Stmt:
        """The assignment that adds to the region, or to the buffer that holds it."""
        dtype = self.region.buffer.dtype
        if self.place is not None:
            place = self.place if held is None else tirx.BufferLoad(held, self._place_in_box())
            value = place + cast(dtype, self.value)
            return tree.located(tirx.BufferStore(place.buffer, value, place.indices), self.stmt)
        dst = self.region if held is None else Region.whole(held)
        if isinstance(self.value, Region):
            self._check_extents(self.value)
            new = map_over(dst, [dst, self.value], lambda old, new: old + cast(dtype, new))
        else:
            new = map_over(dst, [dst], lambda old: old + cast(dtype, self.value))
        return tree.located(new, self.stmt)

    def _place_in_box(self) -> list[tirx.PrimExpr]:
        assert self.place is not None, self.stmt
        used = [
            loop.loop_var
            for index, extent in zip(self.place.indices, self.region.extents, strict=True)
            for loop in self.counted
            if ranges.constant(extent) != 1 and loop.loop_var in tree.collect(index, tirx.Var)
        ]
        return used or [tirx.const(0, "int32")]

    def _check_extents(self, value: Region) -> None:
        if moved_extents(value, self.stmt) != moved_extents(self.region, self.stmt):
            texts = value.text(), self.region.text()
            raise RegionMismatch.at(self.stmt, src_extents=texts[0], dst_extents=texts[1])


def _is_addition(stmt: tirx.Evaluate) -> bool:
    call = called(stmt)
    return call is not None and call.op.name in (_TILE, _ELEMENT)


def _additions(stmt: tirx.Stmt, counted: tuple[tirx.For, ...]) -> list[_Addition]:
    """The additions in `stmt`, around which the loops `counted` over elements stand."""
    if isinstance(stmt, tirx.Evaluate):
        return [_Addition.of(stmt, counted)] if _is_addition(stmt) else []
    if isinstance(stmt, tirx.For) and (counted or stmt.kind == tirx.ForKind.PARALLEL):
        counted = (*counted, stmt)
    found: list[_Addition] = []

    def visit(child: tirx.Stmt) -> tirx.Stmt:
        found.extend(_additions(child, counted))
        return child

    tree.map_bodies(stmt, visit)
    return found


def _divided(func: tirx.PrimFunc) -> tirx.PrimFunc:
    """The function with two axes for each of which additions to tensors use a quotient."""
    frame = Frame.of(func)
    lows = [
        low
        for one in _additions(frame.body, ())
        if is_global(one.region.buffer)
        for low in one.region.mins
    ]
    loops: list[tirx.For] = []
    values: dict[tirx.Var, tirx.PrimExpr] = {}
    for loop in frame.loops:
        extent, by = ranges.constant(loop.extent), _divisor(loop.loop_var, lows)
        if extent is None or by is None or extent % by:
            loops.append(loop)
            continue
        rest, group = (
            tirx.Var(f"{loop.loop_var.name}_{part}", "int32") for part in ("rest", "group")
        )
        values[loop.loop_var] = group * by + rest
        for var, count in ((rest, by), (group, extent // by)):
            size = tirx.const(count, "int32")
            loops.append(tree.located(tirx.For(var, loop.min, size, loop.kind, loop.body), loop))
    if not values:
        return func
    new = frame.with_loops(loops).build(body=substitute(frame.body, values))
    analyzer = ranges.analyzer_of(new)
    quotients = ["tirx.FloorDiv", "tirx.FloorMod"]
    return new.with_body(ir_transform(new.body, None, analyzer.simplify, quotients))


def _divisor(var: tirx.Var, indices: Sequence[tirx.PrimExpr]) -> int | None:
    """What `var` is divided by in an index, the largest number if there are several."""
    quotients = [div for index in indices for div in tree.collect(index, tirx.FloorDiv)]
    found = [ranges.constant(div.b) for div in quotients if div.a.same_as(var)]
    return max((by for by in found if by is not None and by > 1), default=None)


def _check_uses(tensor: tirx.Buffer, additions: Sequence[_Addition], body: tirx.Stmt) -> None:
    """Nothing but additions may be done to the tensor, and that at places every engine knows."""
    for one in additions:
        for low in one.region.mins:
            for load in tree.collect(low, tirx.BufferLoad):
                raise DataDependent.at(one.stmt, what="a region", buffer=load.buffer.name)
    rest = _replaced(body, {one.stmt: tirx.Evaluate(0) for one in additions})
    used = [access.buffer for access in tree.collect(rest, (tirx.BufferLoad, tirx.BufferStore))]
    used += [buffer for one in additions for buffer in one.reads]
    if any(tensor.same_as(buffer) for buffer in used):
        what = f"T.atomic_add to {tensor.name!r}, which the kernel also reads or writes,"
        raise UnsupportedAtomic.at(additions[0].stmt, op=what)
    first = additions[0].region
    if all(_is_same(one.region, first) for one in additions):
        return
    nests = [one.counted[0] for one in additions if one.counted]
    for one in additions:
        if one.counted and sum(one.counted[0].same_as(nest) for nest in nests) > 1:
            what = f"T.atomic_add to several parts of {tensor.name!r} in one loop over elements"
            raise UnsupportedAtomic.at(one.stmt, op=what)


def _is_same(one: Region, other: Region) -> bool:
    return same_all(one.mins, other.mins) and same_all(one.extents, other.extents)


def _replaced(body: tirx.Stmt, new: Mapping[tirx.Stmt, tirx.Stmt]) -> tirx.Stmt:
    return ir_transform(body, None, new.get, ["tirx.Evaluate"])


def _assigned(
    body: tirx.Stmt, additions: Sequence[_Addition], held: tirx.Buffer | None
) -> tirx.Stmt:
    """`body` with assignments in place of additions.

    Loops over elements that are added to the same one become serial.
    """
    shared = {var for one in additions for var in one.shared}

    def serial(loop: tirx.For) -> tirx.For | None:
        if loop.loop_var not in shared:
            return None
        kind = tirx.ForKind.SERIAL
        return tree.located(tirx.For(loop.loop_var, loop.min, loop.extent, kind, loop.body), loop)

    new = _replaced(body, {one.stmt: one.into(held) for one in additions})
    return ir_transform(new, None, serial, ["tirx.For"])


@dataclass
class _Owning:
    """What a block owns of the tensors it adds to, and the buffers that hold it."""

    func: tirx.PrimFunc
    buffers: list[tirx.Buffer]

    def __post_init__(self) -> None:
        self.analyzer = ranges.analyzer_of(self.func)
        self.loops = ranges.all_loops(self.func)

    def own_axes(
        self, grid: Sequence[tirx.For], groups: Iterable[Sequence[_Addition]]
    ) -> set[tirx.Var]:
        """The axes of the grid along which blocks never add to the same element of a tensor.

        An axis that is not one of them is a loop inside the block, and may put others there.
        """
        kept = list(grid)
        while True:
            apart = kept
            for additions in groups:
                apart = self._separated([one.region for one in additions], apart)
            if len(apart) == len(kept):
                return {loop.loop_var for loop in kept}
            kept = apart

    def _separated(self, regions: Sequence[Region], loops: Sequence[tirx.For]) -> list[tirx.For]:
        around = {loop.loop_var for loop in loops}
        others = [loop for loop in self.loops if loop.loop_var not in around]
        return separated(regions, loops, others, self.analyzer)

    def own(self, body: tirx.Stmt, additions: Sequence[_Addition]) -> tirx.Stmt:
        """`body`, which holds what it adds to of one tensor while it does so.

        One region is held around all that does not move it, several around each addition.
        """
        region = additions[0].region
        if not all(_is_same(one.region, region) for one in additions):
            for one in additions:
                around = _loops_around(body, one)
                body = self._hold(body, [one], around, len(around))
            return body
        moving = {var for low in region.mins for var in tree.collect(low, tirx.Var)}
        around = _loops_around(body, additions[0])
        while around and around[-1].loop_var not in moving:
            around.pop()
        return self._hold(body, additions, around, self._turn(region, around))

    def _turn(self, region: Region, around: Sequence[tirx.For]) -> int | None:
        """In how many of the loops the tensor is taken, once for all that those inside do: these
        never come back to the same part. None where that is so of all."""
        for count in range(len(around)):
            if len(self._separated([region], around[count:])) == len(around) - count:
                return count or None
        return len(around) or None

    def _hold(
        self,
        stmt: tirx.Stmt,
        additions: Sequence[_Addition],
        loops: Sequence[tirx.For],
        take_in: int | None,
    ) -> tirx.Stmt:
        """`stmt`, with the region of the additions held inside `loops`.

        The tensor is taken inside the first `take_in` of them, or not at all.
        """
        if not isinstance(stmt, tirx.SeqStmt):
            return self._hold_one(stmt, additions, loops, take_in)
        children = tree.statements(stmt)
        at = [i for i, child in enumerate(children) if _has(child, additions)]
        first, end = at[0], at[-1] + 1
        some = tree.sequence(children[first:end])
        held = (self._hold if len(at) == 1 else self._hold_one)(some, additions, loops, take_in)
        return tree.sequence([*children[:first], held, *children[end:]])

    def _hold_one(
        self,
        stmt: tirx.Stmt,
        additions: Sequence[_Addition],
        loops: Sequence[tirx.For],
        take_in: int | None,
    ) -> tirx.Stmt:
        if take_in == 0:
            tensor, origin = additions[0].region.buffer.data, additions[0].stmt
            take, give = (
                tree.located(op.stmt(tensor), origin) for op in (ops.TENSOR_TAKE, ops.TENSOR_GIVE)
            )
            return tree.sequence([take, self._hold_one(stmt, additions, loops, None), give])
        if loops and stmt.same_as(loops[0]):
            inside = None if take_in is None else take_in - 1
            return tree.map_bodies(stmt, lambda b: self._hold(b, additions, loops[1:], inside))
        if isinstance(stmt, tirx.AttrStmt) or _is_one_sided(stmt, additions):
            return tree.map_bodies(
                stmt,
                lambda b: self._hold(b, additions, loops, take_in) if _has(b, additions) else b,
            )
        assert not loops, stmt
        return self._held(stmt, additions)

    def _held(self, stmt: tirx.Stmt, additions: Sequence[_Addition]) -> tirx.Stmt:
        """`stmt` between the load and the store of the region."""
        region, origin = additions[0].region, additions[0].stmt
        tensor = region.buffer
        shape = moved_extents(region, origin)
        held = fresh_buffer(f"{tensor.name}_sum", tensor, self.buffers, shape)
        self.buffers.append(held)
        load, store = Copy(region, Region.whole(held)), Copy(Region.whole(held), region)
        return tree.sequence(
            [
                tree.located(load.stmt(), origin),
                _assigned(stmt, additions, held),
                tree.located(store.stmt(), origin),
            ]
        )


def _sequential(axis: tirx.For, body: tirx.Stmt) -> tirx.For:
    """The loop of a block over an axis of the grid."""
    marks = {attrs.GRID_AXIS: tirx.const(1, "int32")}
    loop = tirx.For(axis.loop_var, axis.min, axis.extent, axis.kind, body, None, marks)
    return tree.located(loop, axis)


def _has(stmt: tirx.Stmt, additions: Sequence[_Addition]) -> bool:
    inside = set(tree.collect(stmt, tirx.Evaluate))
    return any(one.stmt in inside for one in additions)


def _loops_around(body: tirx.Stmt, addition: _Addition) -> list[tirx.For]:
    """The loops around an addition, outermost first, those over elements left out."""
    loops = [loop for loop in tree.collect(body, tirx.For) if _has(loop, [addition])]
    counted = {loop.loop_var for loop in addition.counted}
    return [loop for loop in reversed(loops) if loop.loop_var not in counted]


def _is_one_sided(stmt: tirx.Stmt, additions: Sequence[_Addition]) -> bool:
    """Whether `stmt` is a branch with all additions in one of its cases."""
    if not isinstance(stmt, tirx.IfThenElse):
        return False
    cases = [stmt.then_case, stmt.else_case]
    return sum(case is not None and _has(case, additions) for case in cases) == 1
