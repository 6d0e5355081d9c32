"""Give every element-wise assignment a perfect nest of parallel loops of its own.

Element-wise code comes as T.Parallel loops, as serial loops, as several assignments in one loop
body, or as a fill. The passes that follow see one form: parallel loops around one store.

    before:  for i in T.serial(64):                  after:   for i, j in T.Parallel(64, 64):
                 for j in T.serial(64):                           C[i, j] = A[i, j] + B[i, j]
                     C[i, j] = A[i, j] + B[i, j]              for i, j in T.Parallel(64, 64):
                     D[i, j] = C[i, j] * 2                        D[i, j] = C[i, j] * 2

Splitting a loop runs all instances of the first assignment before any of the second. That is right
if an element that one assignment writes is used by the others, and by itself, at the same place
only; anything else is refused.

Needs:    `LegalizeConstructs`.
Leaves:   stores only inside perfect parallel nests; no fills.
Errors:   TT1006, TT3005.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.diagnostics import OverlappingIterations, UnsupportedStatement
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Fill, leaf
from tilelang_tt.transforms.elementwise import fill_over


class IsolateElementwise:
    """See the module docstring."""

    name = "tt.IsolateElementwise"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        return frame.build(body=_isolate(frame.body))


def _isolate(stmt: tirx.Stmt) -> tirx.Stmt:
    if isinstance(stmt, tirx.BufferStore):
        raise UnsupportedStatement.at(stmt, kind="scalar assignment")
    if isinstance(stmt, tirx.For) and _is_element_loop(stmt):
        nests = [_in_store_order(nest) for nest in _nests(stmt, ())]
        _check_independent(nests)
        return tree.sequence(tree.located(nest.stmt(), nest.store) for nest in nests)
    view = leaf(stmt)
    if isinstance(view, Fill):
        return tree.located(fill_over(view.dst, view.value), stmt)
    if isinstance(stmt, tirx.For) and stmt.kind == tirx.ForKind.PARALLEL:
        raise UnsupportedStatement.at(
            stmt, kind="T.Parallel loop around something other than assignments, as a"
        )
    return tree.map_bodies(stmt, _isolate)


def _is_element_loop(stmt: tirx.Stmt) -> bool:
    """Whether nothing but loops and stores is inside, and the loop variables only count
    elements."""
    match stmt:
        case tirx.For():
            return _is_element_loop(stmt.body)
        case tirx.SeqStmt():
            return all(_is_element_loop(child) for child in stmt.seq)
    return isinstance(stmt, tirx.BufferStore)


def _nests(stmt: tirx.Stmt, loops: tuple[tirx.For, ...]) -> list[Elementwise]:
    match stmt:
        case tirx.For():
            return _nests(stmt.body, (*loops, stmt))
        case tirx.BufferStore():
            return [Elementwise(loops, stmt)]
    return [nest for child in tree.statements(stmt) for nest in _nests(child, loops)]


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


def _check_independent(nests: list[Elementwise]) -> None:
    for written in nests:
        for nest in nests:
            _check_same_place(
                written.store,
                [load for load in nest.loads if load.buffer.same_as(written.dst)],
                nest,
            )
            if nest.dst.same_as(written.dst):
                _check_same_place(written.store, [nest.store], nest)
        used = {var for index in written.store.indices for var in tree.collect(index, tirx.Var)}
        if any(loop.loop_var not in used for loop in written.loops):
            raise OverlappingIterations.at(written.store, buffer=written.dst.name)


def _check_same_place(
    written: tirx.BufferStore,
    accesses: list[tirx.BufferLoad] | list[tirx.BufferStore],
    nest: Elementwise,
) -> None:
    for access in accesses:
        if not same_all(access.indices, written.indices):
            raise OverlappingIterations.at(nest.store, buffer=written.buffer.name)
