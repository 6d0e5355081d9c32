"""Bring the numbers that steer the program to the kernels that need them.

A data-movement kernel reads the page that holds an element into a page of its own, unless it is
there from the last time, and keeps the variables that the program computes. The compute engine
cannot read DRAM: what it needs the reader hands over, one number after another, through a circular
buffer.

    before:  in each kernel:                         after:   reader:
                 m: T.int32 = Mask[by, bx, k]                     m = T.read_scalar(Mask.data, ...)
                 if T.scalar(m, by, bx, k) != 0:                  T.give_scalar(scalars.data, m)
                     ...                                          if m != 0: ...
                                                              compute:
                                                                  m = T.take_scalar(scalars.data)
                                                                  if m != 0: ...

Both kernels go through the same loops and branches, so the numbers come in the order in which they
are taken. A kernel drops the numbers that nothing in it needs.

Needs:    `split_kernels`.
Leaves:   bindings to `read_scalar`, `take_scalar` and to expressions of variables; up to three more
          circular buffers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable

from tvm import IRModule, tirx

from tilelang_tt.analysis import layout, ranges, scalars
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import COMPUTE, READER, ROW_MAJOR, WRITER, CircularBuffer
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import is_global
from tilelang_tt.tiles import FACE, TILE

_ELEMENTS = {"int32": "int32_t", "int8": "int8_t", "uint8": "uint8_t", "bool": "uint8_t"}


def deliver_scalars(kernels: IRModule) -> IRModule:
    """See the module docstring."""
    frames = {role: Frame.of(kernels[role]) for role in attrs.ENGINES}
    if not any(tree.collect(frame.body, tirx.Bind) for frame in frames.values()):
        return kernels
    compute = _needed(frames[COMPUTE].body, ())
    taken = scalars.bound(compute)
    reader = _needed(frames[READER].body, taken)
    writer = _needed(frames[WRITER].body, ())
    circular = _Buffers(frames[READER])
    if taken:
        given = circular.add("scalars", 1, scalars.DEPTH, (READER, COMPUTE), _GIVEN)
        compute = _bindings(compute, lambda bind: [_named(bind, ops.TAKE_SCALAR.call(given))])
        reader = _bindings(reader, lambda bind: [bind, *_gift(bind, taken, given)])
    bodies = {COMPUTE: compute}
    for role, body in ((READER, reader), (WRITER, writer)):
        bodies[role] = circular.reading(role, body)
    return IRModule(
        {
            role: attrs.with_circular_buffers(
                Frame.of(frame.build(body=bodies[role], buffers=circular.buffers)), circular.plan
            )
            for role, frame in frames.items()
        }
    )


_GIVEN = "numbers for the compute engine"
_HELD = "pages of tensors that steer the program"


class _Buffers:
    """The circular buffers of the program, and those that are added."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.buffers = frame.buffers
        self.plan = attrs.circular_buffers(frame)
        self.axes = attrs.tiled_axes(frame)
        self.analyzer = ranges.analyzer_of(frame.func)

    def add(
        self, name: str, pages: int, depth: int, engines: tuple[str, str], reason: str
    ) -> tirx.Var:
        new = fresh_scalars(name, self.buffers)
        self.buffers.append(new)
        taken = {cb.index for cb in self.plan.values()}
        index = next(at for at in itertools.count() if at not in taken)
        self.plan[new.data] = CircularBuffer(
            index, pages, depth, depth, ROW_MAJOR, *engines, unpack_to_dest=False, reason=reason
        )
        return new.data

    def reading(self, role: str, body: tirx.Stmt) -> tirx.Stmt:
        """`body` with its reads of tensors from pages that the kernel holds."""
        found = scalars.tensors(body)
        if not found:
            return body
        held = self.add(f"{role}_scalars", len(found), 1, (role, role), _HELD)

        def read(bind: tirx.Bind) -> list[tirx.Stmt]:
            loads = [e for e in tree.collect(bind.value, tirx.BufferLoad) if is_global(e.buffer)]
            if not loads:
                return [bind]
            (load,) = loads
            by = bind.value.b if isinstance(bind.value, tirx.FloorDiv) else tirx.const(1, "int32")
            return [_named(bind, self._read(load, held, found.index(load.buffer), by))]

        pages = tirx.const(len(found), "int32")
        opened, *closed = (
            op.stmt(held, pages)
            for op in (ops.CB_RESERVE_BACK, ops.CB_PUSH_BACK, ops.CB_WAIT_FRONT, ops.CB_POP_FRONT)
        )
        return tree.sequence([opened, _bindings(body, read), *closed])

    def _read(
        self, load: tirx.BufferLoad, held: tirx.Var, slot: int, by: tirx.PrimExpr
    ) -> tirx.Call:
        tensor = load.buffer
        tiled = self.axes[tensor.data]
        tile = tirx.const(TILE, "int32")
        index = [
            tirx.floordiv(at, tile) if axis in (tiled.row, tiled.column) else at
            for axis, at in enumerate(load.indices)
        ]
        zero = tirx.const(0, "int32")
        row, column = (
            zero if axis is None else tirx.floormod(load.indices[axis], tile)
            for axis in (tiled.row, tiled.column)
        )
        face = tirx.floordiv(row, FACE) * 2 + tirx.floordiv(column, FACE)
        element = (face * FACE + tirx.floormod(row, FACE)) * FACE + tirx.floormod(column, FACE)
        return ops.READ_SCALAR.call(
            tensor.data,
            self.analyzer.simplify(layout.tensor_page(tensor, tiled, index)),
            self.analyzer.simplify(element),
            by,
            held,
            slot,
            tirx.StringImm(_ELEMENTS[tensor.dtype]),
        )


def fresh_scalars(name: str, others: Iterable[tirx.Buffer]) -> tirx.Buffer:
    """The buffer of a circular buffer of whole pages of int32."""
    taken = {buffer.name for buffer in others}
    while name in taken:
        name += "_"
    return tirx.decl_buffer([TILE, TILE], "int32", name, scope="shared.dyn")


def _named(bind: tirx.Bind, value: tirx.PrimExpr) -> tirx.Stmt:
    return tree.located(tirx.Bind(bind.var, value), bind)


def _gift(bind: tirx.Bind, taken: Collection[tirx.Var], given: tirx.Var) -> list[tirx.Stmt]:
    if bind.var not in taken:
        return []
    return [tree.located(ops.GIVE_SCALAR.stmt(given, scalars.use(bind.var, ())), bind)]


def _bindings(body: tirx.Stmt, new: Callable[[tirx.Bind], list[tirx.Stmt]]) -> tirx.Stmt:
    """`body` with other statements in place of each binding."""

    def rewrite(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [s for stmt in stmts for s in (new(stmt) if isinstance(stmt, tirx.Bind) else [stmt])]

    return tree.rewrite_sequences(body, rewrite)


def _needed(body: tirx.Stmt, wanted: Collection[tirx.Var]) -> tirx.Stmt:
    """`body` without numbers that it does not use, but for those that are `wanted` elsewhere, and
    without what is then empty."""
    size, fewer = -1, body
    while size != (size := len(tree.collect(fewer, tirx.Stmt))):
        fewer = _pruned(fewer, scalars.used(fewer) | set(wanted))
    return fewer


def _pruned(body: tirx.Stmt, used: Collection[tirx.Var]) -> tirx.Stmt:
    read = {load.buffer for load in tree.collect(body, tirx.BufferLoad)}

    def is_needed(stmt: tirx.Stmt) -> bool:
        match stmt:
            case tirx.Bind():
                return stmt.var in used
            case tirx.BufferStore():
                return stmt.buffer in read
            case tirx.For():
                return not tree.is_nothing(stmt.body)
            case tirx.IfThenElse(else_case=None):
                return not tree.is_nothing(stmt.then_case)
        return not tree.is_nothing(stmt)

    return tree.rewrite_sequences(body, lambda stmts: [s for s in stmts if is_needed(s)])
