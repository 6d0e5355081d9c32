"""Turn the grid of blocks into loops over the blocks of a core.

A GPU starts a block for each point of the grid. Here a core runs many blocks, or none: which, it
learns from the host, so the same kernel serves any number of cores.

    before:  for bx, by in T.grid(gx, gy):           partition: runs
                 with T.sblock("tilelang_root"):
                     ...

    after:   with T.sblock("tilelang_root"):
                 for block in T.serial(first_block, block_count):
                     ...   bx = block % gx, by = block // gx

Cores that take pages from each other take their turns together. One whose turn is past the end of
the grid runs the last block with the others, and does not write it.

    before:  for bx, by in T.grid(gx, gy):           partition: lattice, columns bx, rows by
                 with T.sblock("tilelang_root"):
                     ...
                     T.copy(C_s, C[...])

    after:   with T.sblock("tilelang_root"):
                 for turn in range(ceildiv(gx, columns) * ceildiv(gy, rows)):
                     ...   bx = min(turn % ceildiv(gx, columns) * columns + column, gx - 1)
                     if turn % ceildiv(gx, columns) * columns + column < gx and ...:
                         T.copy(C_s, C[...])

Needs:    `ChoosePartition`.
Leaves:   loops inside the block, which owns the buffers; attributes `tt.grid` and `tt.core_args`;
          parameters for what each core is told.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence

from tvm import tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import CORE_ARGS, GRID
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, is_global, leaf
from tilelang_tt.partition import LATTICE, LINE, RUNS, SNAKE, TEAMS, Partition

Coordinates = dict[tirx.Var, tirx.PrimExpr]


class MapGrid:
    """See the module docstring."""

    name = "tt.MapGrid"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        partition = attrs.partition(func)
        known = attrs.core_args(func) if CORE_ARGS in func.attrs else {}
        own = {name: known.get(name, tirx.Var(name, "int32")) for name in partition.core_args}
        body = tree.located(_MAPPED[partition.kind](frame, partition, own), frame.realize)
        inner = frame.with_loops(()).build(body=body)
        new = tirx.PrimFunc(
            [*func.params, *(var for name, var in own.items() if name not in known)],
            inner.body,
            func.ret_type,
            func.buffer_map,
            func.attrs,
        )
        extents = [loop.extent for loop in frame.loops] or [tirx.const(1, "int32")]
        return new.with_attr({GRID: extents, CORE_ARGS: list(own.values())})


def _runs(frame: Frame, partition: Partition, own: Mapping[str, tirx.Var]) -> tirx.Stmt:
    block = tirx.Var("block", "int32")
    body = substitute(frame.body, _coordinates(block, frame.loops))
    return tirx.For(block, own["first_block"], own["block_count"], tirx.ForKind.SERIAL, body)


def _snake(frame: Frame, partition: Partition, own: Mapping[str, tirx.Var]) -> tirx.Stmt:
    """Turns go from the first core to the last and back; the axes `rows` vary slowest."""
    turn = tirx.Var("turn", "int32")
    core, cores = own["core"], own["cores"]
    place = core + turn % 2 * (cores - 1 - 2 * core)
    block = turn * cores + place
    slow = [frame.loops[axis] for axis in partition.rows]
    fast = [loop for axis, loop in enumerate(frame.loops) if axis not in partition.rows]
    body = substitute(frame.body, _coordinates(block, (*fast, *slow)))
    zero = tirx.const(0, "int32")
    return tirx.For(turn, zero, own["block_count"], tirx.ForKind.SERIAL, body)


def _lattice(frame: Frame, partition: Partition, own: Mapping[str, tirx.Var]) -> tirx.Stmt:
    across = [frame.loops[axis] for axis in partition.columns]
    down = [frame.loops[axis] for axis in partition.rows]
    return _together(
        frame, [(across, own["column"], own["columns"]), (down, own["row"], own["rows"])]
    )


def _line(frame: Frame, partition: Partition, own: Mapping[str, tirx.Var]) -> tirx.Stmt:
    return _together(frame, [(frame.loops, own["core"], own["cores"])])


def _together(
    frame: Frame, sides: Sequence[tuple[Sequence[tirx.For], tirx.Var, tirx.Var]]
) -> tirx.Stmt:
    """A loop over turns; each side of the grid, the fastest first, is given by its axes, the place
    of the core and the number of places."""
    turn = tirx.Var("turn", "int32")
    rest: tirx.PrimExpr = turn
    turns: tirx.PrimExpr = tirx.const(1, "int32")
    # An axis of one block is on no side.
    coordinates: Coordinates = {loop.loop_var: tirx.const(0, "int32") for loop in frame.loops}
    is_inside: list[tirx.PrimExpr] = []
    for position, (axes, place, places) in enumerate(sides):
        count = functools.reduce(
            operator.mul, [axis.extent for axis in axes] or [tirx.const(1, "int32")]
        )
        own_turns = tirx.floordiv(count + places - 1, places)
        is_last = position == len(sides) - 1
        block = (rest if is_last else tirx.floormod(rest, own_turns)) * places + place
        coordinates |= _coordinates(tirx.Min(block, count - 1), axes)
        is_inside.append(tirx.LT(block, count))
        rest, turns = tirx.floordiv(rest, own_turns), turns * own_turns
    body = substitute(_guarded(frame.body, functools.reduce(tirx.And, is_inside)), coordinates)
    return tirx.For(turn, tirx.const(0, "int32"), turns, tirx.ForKind.SERIAL, body)


def _guarded(body: tirx.Stmt, condition: tirx.PrimExpr) -> tirx.Stmt:
    """`body`, which writes tensors only where `condition` holds."""

    def guard(stmt: tirx.Stmt) -> tirx.Stmt:
        view = leaf(stmt)
        if isinstance(view, Copy) and is_global(view.dst.buffer):
            return tree.located(tirx.IfThenElse(condition, stmt, None), stmt)
        return stmt

    return tree.rewrite_sequences(body, lambda stmts: [guard(stmt) for stmt in stmts])


def _coordinates(block: tirx.PrimExpr, loops: Sequence[tirx.For]) -> Coordinates:
    """Each grid variable by the number of the block; the first varies fastest, as on a GPU."""
    coordinates: Coordinates = {}
    rest = block
    for position, loop in enumerate(loops):
        is_last = position == len(loops) - 1
        if ranges.constant(loop.extent) == 1:
            coordinates[loop.loop_var] = tirx.const(0, "int32")
            continue
        coordinates[loop.loop_var] = rest if is_last else tirx.floormod(rest, loop.extent)
        rest = tirx.floordiv(rest, loop.extent)
    return coordinates


_MAPPED = {RUNS: _runs, SNAKE: _snake, LATTICE: _lattice, LINE: _line, TEAMS: _runs}
