"""Give every element-wise assignment a perfect nest of parallel loops of its own.

Element-wise code comes as T.Parallel loops, as serial loops, as several assignments in one loop
body, under conditions, or as a fill. The passes that follow see one form: parallel loops around one
store.

    before:  for i in T.serial(64):                  after:   for i, j in T.Parallel(64, 64):
                 for j in T.serial(64):                           C[i, j] = A[i, j] + B[i, j]
                     C[i, j] = A[i, j] + B[i, j]              for i, j in T.Parallel(64, 64):
                     if C[i, j] > 0:                              D[i, j] = T.if_then_else(
                         D[i, j] = 1                                  C[i, j] > 0, 1, D[i, j])

Splitting a loop runs all instances of the first assignment before any of the second. That is right
if an element that one assignment writes is used by the others, and by itself, at the same place
only; anything else is refused.

A serial loop over elements that one element of the destination adds up, or takes the extremum of,
becomes a reduction. Under a condition, the terms it leaves out are neutral. Nothing else in the
loop may use the destination, whose values in between are never made.

    before:  for i in T.Parallel(64):                after:   for i, k in T.Parallel(64, 32):
                 for k in T.serial(32):                           s_terms[i, k] = T.if_then_else(
                     if A[i, k] > 0:                                  A[i, k] > 0, B[i, k], 0)
                         s[i] += B[i, k]                      T.reduce(s_terms, s, "sum", 1, False)

Needs:    `LegalizeConstructs`.
Leaves:   stores only inside perfect parallel nests; no fills.
Errors:   TT1006, TT1016, TT3005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.ir import Op
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt.analysis import ranges, scalars
from tilelang_tt.diagnostics import OverlappingIterations, UnsupportedStatement
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same, same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Fill, Reduce, Region, leaf, map_loads
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import fill_over, neutral


class IsolateElementwise:
    """See the module docstring."""

    name = "tt.IsolateElementwise"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        isolation = _Isolation(frame.buffers)
        body = isolation.isolate(frame.body)
        return frame.build(body=body, buffers=isolation.buffers)


@dataclass
class _Isolation:
    """Rewrites statements and collects the buffers they need."""

    buffers: list[tirx.Buffer]

    def isolate(self, stmt: tirx.Stmt) -> tirx.Stmt:
        view = leaf(stmt)
        if isinstance(view, Fill):
            return tree.located(fill_over(view.dst, view.value), stmt)
        if _is_elementwise(stmt) and not _is_control(stmt):
            return self._split(stmt)
        if isinstance(stmt, tirx.For) and stmt.kind == tirx.ForKind.PARALLEL:
            raise UnsupportedStatement.at(
                stmt, kind="T.Parallel loop around something other than assignments, as a"
            )
        return tree.map_bodies(stmt, self.isolate)

    def _split(self, stmt: tirx.Stmt) -> tirx.Stmt:
        nests = [_in_store_order(_with_unit_axes(nest)) for nest in _nests(stmt, (), self.buffers)]
        _check_independent(nests)
        return tree.sequence(
            tree.located(piece, nest.store) for nest in nests for piece in self._pieces(nest)
        )

    def _pieces(self, nest: Elementwise) -> list[tirx.Stmt]:
        reduction = _reduction_of(nest)
        if reduction is None:
            return [nest.stmt()]
        return reduction.stmts(self.buffers)


def _is_elementwise(stmt: tirx.Stmt) -> bool:
    """Whether nothing but loops, conditions and stores is inside."""
    match stmt:
        case tirx.For():
            return _is_elementwise(stmt.body)
        case tirx.SeqStmt():
            return all(_is_elementwise(child) for child in stmt.seq)
        case tirx.IfThenElse():
            cases = [stmt.then_case, stmt.else_case]
            return all(case is None or _is_elementwise(case) for case in cases)
    return isinstance(stmt, tirx.BufferStore) and not scalars.is_scalar(stmt.buffer)


def _is_control(stmt: tirx.Stmt) -> bool:
    """Whether a statement of which nothing but stores is left repeats or selects whole nests.

    A serial loop does whose variable counts no elements, or parts of a dimension; a condition that
    is one for all of them.
    """
    match stmt:
        case tirx.For() if stmt.kind != tirx.ForKind.PARALLEL:
            return any(
                _counts_parts(nest, stmt.loop_var)
                or (not _uses(nest.store, stmt.loop_var) and _reduction_of(nest) is None)
                for nest in _nests(stmt, (), [])
            )
        case tirx.IfThenElse():
            return not tree.collect(stmt.condition, tirx.BufferLoad)
        case tirx.SeqStmt():
            return True
    return False


def _counts_parts(nest: Elementwise, var: tirx.Var) -> bool:
    """Whether the place along a dimension depends on `var` and on another loop."""
    used = [set(tree.collect(index, tirx.Var)) for index in nest.store.indices]
    return any(var in vars_ and len(vars_ & set(nest.vars)) > 1 for vars_ in used)


def _uses(store: tirx.BufferStore, var: tirx.Var) -> bool:
    return any(
        var.same_as(used) for index in store.indices for used in tree.collect(index, tirx.Var)
    )


def _nests(
    stmt: tirx.Stmt, loops: tuple[tirx.For, ...], buffers: list[tirx.Buffer]
) -> list[Elementwise]:
    """One nest for each store in `stmt`; `buffers` gets those that hold conditions."""
    match stmt:
        case tirx.For():
            loop = _from_zero(stmt)
            return _nests(loop.body, (*loops, loop), buffers)
        case tirx.IfThenElse():
            return _choices(stmt, loops, buffers)
        case tirx.BufferStore():
            return [_nest(stmt, loops)]
    return [nest for child in tree.statements(stmt) for nest in _nests(child, loops, buffers)]


def _from_zero(loop: tirx.For) -> tirx.For:
    """The loop with a variable that starts at 0."""
    if ranges.constant(loop.min) == 0:
        return loop
    moved = substitute(loop.body, {loop.loop_var: loop.loop_var + loop.min})
    body = ir_transform(moved, None, _with_simple_indices, ["tirx.BufferLoad", "tirx.BufferStore"])
    zero = tirx.const(0, "int32")
    return tree.located(tirx.For(loop.loop_var, zero, loop.extent, loop.kind, body), loop)


def _with_simple_indices(
    access: tirx.BufferLoad | tirx.BufferStore,
) -> tirx.BufferLoad | tirx.BufferStore:
    indices = [arith.Analyzer().simplify(index) for index in access.indices]
    if isinstance(access, tirx.BufferLoad):
        return tirx.BufferLoad(access.buffer, indices)
    return tree.located(tirx.BufferStore(access.buffer, access.value, indices), access)


def _nest(store: tirx.BufferStore, loops: tuple[tirx.For, ...]) -> Elementwise:
    if loops:
        return Elementwise(loops, store)
    var = tirx.Var("i", "int32")
    one = tirx.const(1, "int32")
    loop = tirx.For(var, tirx.const(0, "int32"), one, tirx.ForKind.PARALLEL, tirx.Evaluate(0))
    indices = [*store.indices[:-1], store.indices[-1] + var]
    old = tirx.BufferLoad(store.buffer, indices)
    value = map_loads(store.value, lambda load: old if _is_at(load, store) else None)
    return _storing(value, indices, Elementwise((loop,), store))


def _choices(
    stmt: tirx.IfThenElse, loops: tuple[tirx.For, ...], buffers: list[tirx.Buffer]
) -> list[Elementwise]:
    """A branch as choices of what is stored.

    Where both cases store to the same places the choice is between their values, elsewhere between
    a value and what was there. A condition that would change with the first of several stores is
    kept in a buffer.
    """
    yes = _nests(stmt.then_case, loops, buffers)
    no = [] if stmt.else_case is None else _nests(stmt.else_case, loops, buffers)
    is_paired = len(yes) == len(no) and all(map(_is_same_place, yes, no))
    written = [nest.dst for nest in (yes if is_paired else [*yes, *no])[:-1]]
    kept: list[Elementwise] = []
    condition = stmt.condition
    if any(load.buffer in written for load in tree.collect(condition, tirx.BufferLoad)):
        shape = [loop.extent for loop in loops] or [1]
        flags = fresh_buffer("condition", written[0], buffers, shape)
        buffers.append(flags)
        places = [loop.loop_var for loop in loops] or [tirx.const(0, "int32")]
        store = tirx.BufferStore(flags, tirx.Cast(flags.dtype, condition), places)
        kept = [_nest(tree.located(store, stmt), loops)]
        condition = tirx.BufferLoad(flags, places) != tirx.const(0, flags.dtype)
    if is_paired:
        return kept + [
            _chosen(condition, then, other.store.value) for then, other in zip(yes, no, strict=True)
        ]
    return [
        *kept,
        *(_chosen(condition, nest, _old(nest)) for nest in yes),
        *(_chosen(tirx.Not(condition), nest, _old(nest)) for nest in no),
    ]


def _is_same_place(a: Elementwise, b: Elementwise) -> bool:
    return (
        a.dst.same_as(b.dst)
        and same_all(a.store.indices, b.store.indices)
        and len(a.loops) == len(b.loops)
        and all(map(tirx.For.same_as, a.loops, b.loops))
    )


def _chosen(condition: tirx.PrimExpr, nest: Elementwise, other: tirx.PrimExpr) -> Elementwise:
    value = tirx.if_then_else(condition, nest.store.value, other)
    return _storing(value, nest.store.indices, nest)


def _old(nest: Elementwise) -> tirx.BufferLoad:
    return tirx.BufferLoad(nest.dst, list(nest.store.indices))


def _storing(
    value: tirx.PrimExpr, indices: Sequence[tirx.PrimExpr], nest: Elementwise
) -> Elementwise:
    simple = [arith.Analyzer().simplify(index) for index in indices]
    store = tirx.BufferStore(nest.dst, value, simple)
    return Elementwise(nest.loops, tree.located(store, nest.store))


def _with_unit_axes(nest: Elementwise) -> Elementwise:
    """The nest with the variables of loops of one iteration, which simplification made 0, where
    they were: in the indices of the store that no other loop runs through, and of dimensions of
    extent 1 of what lies as the store does."""
    store = nest.store
    units = [
        loop.loop_var
        for loop in nest.loops
        if ranges.constant(loop.extent) == 1 and not _uses(store, loop.loop_var)
    ]
    free = [axis for axis, index in enumerate(store.indices) if nest.is_fixed(index)]
    if not units or len(units) != len(free):
        return nest
    places = dict(zip(free, units, strict=True))

    def placed(load: tirx.BufferLoad) -> tirx.BufferLoad | None:
        if len(load.indices) != len(store.indices):
            return None
        sizes = map(ranges.constant, load.buffer.shape)
        indices = [
            places.get(axis, index) if size == 1 else index
            for axis, (size, index) in enumerate(zip(sizes, load.indices, strict=True))
        ]
        return tirx.BufferLoad(load.buffer, indices)

    value = map_loads(store.value, placed)
    indices = [index + places.get(axis, 0) for axis, index in enumerate(store.indices)]
    return _storing(value, indices, nest)


def _in_store_order(nest: Elementwise) -> Elementwise:
    """The nest with its loops, whose order means nothing, in the order of the store's indices."""
    ordered = [
        loop
        for index in nest.store.indices
        for loop in nest.loops
        if loop.loop_var in tree.collect(index, tirx.Var)
    ]
    is_permutation = len(ordered) == len(nest.loops) == len({loop.loop_var for loop in ordered})
    return Elementwise(tuple(ordered), nest.store) if is_permutation else nest


def _is_at(load: tirx.BufferLoad, store: tirx.BufferStore) -> bool:
    return load.buffer.same_as(store.buffer) and same_all(load.indices, store.indices)


@dataclass(frozen=True)
class _Reduction:
    """`dst[place] = dst[place] <kind> term` for every element that `inner` counts."""

    nest: Elementwise
    inner: tirx.For
    kind: str
    term: tirx.PrimExpr

    def stmts(self, buffers: list[tirx.Buffer]) -> list[tirx.Stmt]:
        """The terms, in a new buffer of `buffers`, and their reduction."""
        outer = [loop for loop in self.nest.loops if not loop.same_as(self.inner)]
        loops = [*outer, self.inner]
        if outer and _reads_across(self.term, outer[-1].loop_var, self.inner.loop_var):
            loops = [*outer[:-1], self.inner, outer[-1]]
        dst = self.nest.dst
        shape = [loop.extent for loop in loops]
        terms = fresh_buffer(f"{dst.name}_terms", dst, buffers, shape)
        buffers.append(terms)
        places = [loop.loop_var for loop in loops]
        made = Elementwise(tuple(loops), tirx.BufferStore(terms, self.term, places))
        dim = next(i for i, loop in enumerate(loops) if loop.same_as(self.inner))
        return [
            made.stmt(),
            Reduce(Region.whole(terms), self._written(), self.kind, dim, False).stmt(),
        ]

    def _written(self) -> Region:
        counted = {loop.loop_var: loop.extent for loop in self.nest.loops}
        one = tirx.const(1, "int32")
        indices = self.nest.store.indices
        start = {var: tirx.const(0, "int32") for var in counted}
        mins = tuple(substitute(index, start) for index in indices)
        extents = tuple(
            counted.get(index, one) if isinstance(index, tirx.Var) else one for index in indices
        )
        return Region(self.nest.dst, mins, extents)


_KINDS = {tirx.Add: "sum", tirx.Max: "max", tirx.Min: "min"}
_CHOICE = Op.get("tirx.if_then_else")


def _reduction_of(nest: Elementwise) -> _Reduction | None:
    """The reduction that a nest with one serial loop over terms is."""
    unused = [loop for loop in nest.loops if not _uses(nest.store, loop.loop_var)]
    if len(unused) != 1 or unused[0].kind == tirx.ForKind.PARALLEL:
        return None
    joined = _joined(nest.store.value, _old(nest))
    if joined is None:
        return None
    loads = tree.collect(joined.term, tirx.BufferLoad)
    if any(load.buffer.same_as(nest.dst) for load in loads):
        return None
    if not any(_counts_elements(load, unused[0].loop_var) for load in loads):
        return None
    return _Reduction(nest, unused[0], joined.kind, joined.term)


@dataclass(frozen=True)
class _Joined:
    """A value that is another one joined with a term."""

    kind: str
    term: tirx.PrimExpr

    def where(self, condition: tirx.PrimExpr) -> _Joined:
        """The same with a term that changes nothing where the condition does not hold."""
        none = neutral(self.kind, self.term.dtype)
        return _Joined(self.kind, tirx.if_then_else(condition, self.term, none))


def _joined(value: tirx.PrimExpr, old: tirx.PrimExpr) -> _Joined | None:
    """What `value` joins to `old`, perhaps only where a condition holds."""
    if type(value) in _KINDS:
        for one, other in ((value.a, value.b), (value.b, value.a)):
            if same(one, old):
                return _Joined(_KINDS[type(value)], other)
    if not isinstance(value, tirx.Call) or not value.op.same_as(_CHOICE):
        return None
    condition, yes, no = value.args
    then, other = _joined(yes, old), _joined(no, old)
    if then is not None and same(no, old):
        return then.where(condition)
    if other is not None and same(yes, old):
        return other.where(tirx.Not(condition))
    if then is None or other is None or then.kind != other.kind:
        return None
    return _Joined(then.kind, tirx.if_then_else(condition, then.term, other.term))


def _counts_elements(load: tirx.BufferLoad, var: tirx.Var) -> bool:
    """Whether `var` runs through the last two dimensions of what is read."""
    return any(
        used.same_as(var) for index in load.indices[-2:] for used in tree.collect(index, tirx.Var)
    )


def _reads_across(term: tirx.PrimExpr, outer: tirx.Var, inner: tirx.Var) -> bool:
    """Whether a block is read with the terms along its rows."""
    return any(
        len(load.indices) > 1
        and any(inner.same_as(var) for var in tree.collect(load.indices[-2], tirx.Var))
        and any(outer.same_as(var) for var in tree.collect(load.indices[-1], tirx.Var))
        for load in tree.collect(term, tirx.BufferLoad)
    )


def _check_independent(nests: list[Elementwise]) -> None:
    for written in nests:
        reduction = _reduction_of(written)
        for nest in nests:
            if reduction is not None and nest is not written:
                _check_outside(reduction, nest)
            _check_same_place(
                written,
                [load for load in nest.loads if load.buffer.same_as(written.dst)],
                nest,
            )
            if nest.dst.same_as(written.dst):
                _check_same_place(written, [nest.store], nest)
        used = {var for index in written.store.indices for var in tree.collect(index, tirx.Var)}
        if reduction is None and any(loop.loop_var not in used for loop in written.loops):
            raise OverlappingIterations.at(written.store, buffer=written.dst.name)


def _check_outside(reduction: _Reduction, nest: Elementwise) -> None:
    """A nest inside the loop of a reduction would see values from the middle of it."""
    is_inside = any(loop.same_as(reduction.inner) for loop in nest.loops)
    used = [nest.dst, *(load.buffer for load in nest.loads)]
    if is_inside and any(buffer.same_as(reduction.nest.dst) for buffer in used):
        raise OverlappingIterations.at(nest.store, buffer=reduction.nest.dst.name)


def _check_same_place(
    written: Elementwise,
    accesses: list[tirx.BufferLoad] | list[tirx.BufferStore],
    nest: Elementwise,
) -> None:
    for access in accesses:
        is_same = same_all(access.indices, written.store.indices)
        if not is_same and not _are_apart(written, access, nest):
            raise OverlappingIterations.at(nest.store, buffer=written.dst.name)


def _are_apart(
    written: Elementwise, access: tirx.BufferLoad | tirx.BufferStore, nest: Elementwise
) -> bool:
    """Whether no iteration accesses what any writes: along some axis they are in other places."""
    analyzer = arith.Analyzer()
    for ours, theirs in zip(written.store.indices, access.indices, strict=True):
        one, other = _span(ours, written.loops), _span(theirs, nest.loops)
        if one is None or other is None:
            continue
        if analyzer.can_prove(one[1] < other[0]) or analyzer.can_prove(other[1] < one[0]):
            return True
    return False


def _span(
    index: tirx.PrimExpr, loops: Sequence[tirx.For]
) -> tuple[tirx.PrimExpr, tirx.PrimExpr] | None:
    """The first and the last place that the loops count; None where that is not known."""
    parts = arith.detect_linear_equation(index, [loop.loop_var for loop in loops])
    if len(parts) == 0:
        return None
    *factors, low = parts
    high = low
    for factor, loop in zip(factors, loops, strict=True):
        if (step := ranges.constant(factor)) is None:
            return None
        reach = step * (loop.extent - 1)
        low, high = (low, high + reach) if step >= 0 else (low + reach, high)
    return low, high
