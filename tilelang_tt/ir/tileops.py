"""Typed views of the statements a tile program is made of; the only code that indexes `call.args`.

A statement is a data-movement `Copy`, a `Gemm`, a `Transpose`, a `Fill`, a `Reduce`, or an
`Elementwise` nest of parallel loops around one store. `leaf` returns the view of any of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tvm import arith, ir, tirx
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.tiles import TILE

_REGION = ir.Op.get("tl.region")
_COPY = ir.Op.get("tl.tileop.copy")
_FILL = ir.Op.get("tl.tileop.fill")
_GEMM = ir.Op.get("tl.tileop.gemm")
_TRANSPOSE = ir.Op.get("tl.tileop.transpose")
_REDUCE = ir.Op.get("tl.tileop.reduce")
_READ, _WRITE, _READ_WRITE = 1, 2, 3
AccumulationKind = Literal["begin", "onto", "end"]
_ACCUMULATIONS: dict[AccumulationKind, ops.OpDef] = {
    "begin": ops.ACCUMULATE_BEGIN,
    "onto": ops.ACCUMULATE_ONTO,
    "end": ops.ACCUMULATE_END,
}
_KINDS: dict[ops.OpDef | None, AccumulationKind] = {op: kind for kind, op in _ACCUMULATIONS.items()}


def is_global(buffer: tirx.Buffer) -> bool:
    """Whether the buffer is a tensor in DRAM rather than an on-chip one."""
    return buffer.scope() == "global"


def called(stmt: tirx.Stmt) -> tirx.Call | None:
    """The operation that a statement evaluates."""
    if (
        isinstance(stmt, tirx.Evaluate)
        and isinstance(stmt.value, tirx.Call)
        and isinstance(stmt.value.op, ir.Op)
    ):
        return stmt.value
    return None


@dataclass(frozen=True)
class Region:
    """A box of a buffer: where it starts and how far it extends, one entry for each dimension."""

    buffer: tirx.Buffer
    mins: tuple[tirx.PrimExpr, ...]
    extents: tuple[tirx.PrimExpr, ...]

    @classmethod
    def decode(cls, expr: tirx.PrimExpr) -> Region:
        assert isinstance(expr, tirx.Call), expr
        assert expr.op.same_as(_REGION), expr
        load, _access, *extents = expr.args
        return cls(load.buffer, tuple(load.indices), tuple(extents))

    @classmethod
    def whole(cls, buffer: tirx.Buffer) -> Region:
        return cls(buffer, tuple(tirx.const(0, "int32") for _ in buffer.shape), tuple(buffer.shape))

    def encode(self, access: int) -> tirx.Call:
        load = tirx.BufferLoad(self.buffer, list(self.mins))
        return tirx.Call("handle", _REGION, [load, tirx.const(access, "int32"), *self.extents])

    @property
    def is_whole(self) -> bool:
        """Whether the region covers its buffer; only constants are compared."""
        pairs = zip(self.mins, self.extents, self.buffer.shape, strict=True)
        return all(_equal(low, 0) and same(extent, size) for low, extent, size in pairs)

    def text(self) -> str:
        return "x".join(str(extent) for extent in self.extents)


@dataclass(frozen=True)
class Copy:
    """`T.copy(src, dst)`.

    `guarded` are the axes of the tensor along which tiles may lie outside of it: they are read as
    zeros and not written. `group` names the cores that take the same region at the same time, of
    which one reads it for all, on `engine`; "" where each core reads for itself.
    """

    src: Region
    dst: Region
    guarded: tuple[int, ...] = ()
    group: str = ""
    engine: str = ""

    def stmt(self) -> tirx.Evaluate:
        guarded = [tirx.const(axis, "int32") for axis in self.guarded]
        shared = [tirx.StringImm(text) for text in (self.group, self.engine) if text]
        regions = [self.src.encode(_READ), self.dst.encode(_WRITE)]
        return tirx.Evaluate(tirx.Call("handle", _COPY, [*regions, *guarded, *shared]))


@dataclass(frozen=True)
class Fill:
    """`T.fill(region, value)`; `T.clear` is a fill with 0."""

    dst: Region
    value: tirx.PrimExpr

    def stmt(self) -> tirx.Evaluate:
        return tirx.Evaluate(tirx.Call("handle", _FILL, [self.dst.encode(_WRITE), self.value]))


@dataclass(frozen=True)
class Transpose:
    """`T.transpose(src, dst)` of the last two dimensions."""

    src: Region
    dst: Region

    def stmt(self) -> tirx.Evaluate:
        return tirx.Evaluate(
            tirx.Call("handle", _TRANSPOSE, [self.src.encode(_READ), self.dst.encode(_WRITE)])
        )


@dataclass(frozen=True)
class Gemm:
    """`T.gemm(a, b, c)`.

    `c = (0 if clear else c) + op(a) @ op(b)`, with `op` a transposition or nothing.
    """

    a: Region
    b: Region
    c: Region
    transpose_a: bool
    transpose_b: bool
    clear: tirx.PrimExpr
    mnk: tuple[int, int, int]
    trailing: tuple[tirx.PrimExpr, ...]

    @property
    def always_clears(self) -> bool:
        return isinstance(self.clear, tirx.IntImm) and bool(self.clear.value)

    @property
    def never_clears(self) -> bool:
        return isinstance(self.clear, tirx.IntImm) and not self.clear.value

    def stmt(self) -> tirx.Evaluate:
        flags = [tirx.IntImm("bool", flag) for flag in (self.transpose_a, self.transpose_b)]
        sizes = [tirx.const(size, "int32") for size in self.mnk]
        policy, *rest = self.trailing
        operands = [
            self.a.encode(_READ),
            self.b.encode(_READ),
            self.c.encode(_WRITE if self.always_clears else _READ_WRITE),
        ]
        return tirx.Evaluate(
            tirx.Call("handle", _GEMM, [*operands, *flags, *sizes, policy, self.clear, *rest])
        )


@dataclass(frozen=True)
class Reduce:
    """`T.reduce_<kind>(src, dst, dim, clear)`.

    `dst = src reduced along dim`, combined with the old `dst` unless `clear`. `scaler` is the tile
    that the matrix unit multiplies by; without one, once `MaterializeScalers` is through, the
    vector unit reduces.
    """

    src: Region
    dst: Region
    kind: str
    dim: int
    clear: bool = True
    scaler: Region | None = None

    def stmt(self) -> tirx.Evaluate:
        operands = [self.src.encode(_READ), self.dst.encode(_WRITE if self.clear else _READ_WRITE)]
        how = [tirx.StringImm(self.kind), tirx.const(self.dim, "int32")]
        clear = tirx.IntImm("bool", self.clear)
        scaler = [] if self.scaler is None else [self.scaler.encode(_READ)]
        return tirx.Evaluate(tirx.Call("handle", _REDUCE, [*operands, *how, clear, *scaler]))


@dataclass(frozen=True)
class Accumulation:
    """The begin or the end of the statements that accumulate into a buffer in place.

    In between the buffer is only touched by gemms that write it. After a "begin" the first one
    overwrites; "onto" adds to the value that the statement before it made.
    """

    dst: Region
    kind: AccumulationKind

    def stmt(self) -> tirx.Evaluate:
        return _ACCUMULATIONS[self.kind].stmt(self.dst.encode(_WRITE))

    @property
    def is_fresh(self) -> bool:
        """Whether a new value begins here."""
        return self.kind == "begin"


@dataclass(frozen=True)
class Elementwise:
    """A perfect nest of parallel loops around one store: `dst[indices] = value` for every point."""

    loops: tuple[tirx.For, ...]
    store: tirx.BufferStore

    @property
    def dst(self) -> tirx.Buffer:
        return self.store.buffer

    @property
    def vars(self) -> tuple[tirx.Var, ...]:
        return tuple(loop.loop_var for loop in self.loops)

    def is_fixed(self, expr: tirx.PrimExpr) -> bool:
        """Whether an expression has one value for all points."""
        return not any(var in self.vars for var in tree.collect(expr, tirx.Var))

    @property
    def loads(self) -> list[tirx.BufferLoad]:
        return tree.collect(self.store.value, tirx.BufferLoad)

    @property
    def is_index_map(self) -> bool:
        """Whether the nest fills one tile with a multiple of the row plus one of the column."""
        value = self.store.value
        is_tile = len(self.dst.shape) == 2 and all(_equal(size, TILE) for size in self.dst.shape)
        if not isinstance(value, tirx.Cast) or value.value.dtype != "int32" or not is_tile:
            return False
        parts = arith.detect_linear_equation(value.value, list(self.vars))
        is_linear = len(parts) > 0 and all(isinstance(part, tirx.IntImm) for part in parts)
        return is_linear and _equal(parts[-1], 0) and self.covers_dst

    @property
    def covers_dst(self) -> bool:
        """Whether every element of the destination is written, at the place of its loop
        variables."""
        if len(self.loops) > len(self.dst.shape):
            return False
        axes = iter(self.loops)
        for index, extent in zip(self.store.indices, self.dst.shape, strict=True):
            if _equal(index, 0) and _equal(extent, 1):
                continue
            loop = next(axes, None)
            if (
                loop is None
                or not index.same_as(loop.loop_var)
                or not same(loop.extent, extent)
                or not _equal(loop.min, 0)
            ):
                return False
        return next(axes, None) is None

    def stmt(self) -> tirx.Stmt:
        """The nest with loop variables of its own, so that two nests never share one.

        It stands where the store stands in the user's program, not where the loops begin.
        """
        fresh = {
            loop.loop_var: tirx.Var(loop.loop_var.name, loop.loop_var.dtype) for loop in self.loops
        }
        stmt: tirx.Stmt = substitute(self.store, fresh)
        tree.located(stmt, self.store)
        for loop in reversed(self.loops):
            inner = tirx.For(
                fresh[loop.loop_var], loop.min, loop.extent, tirx.ForKind.PARALLEL, stmt
            )
            stmt = tree.located(inner, self.store)
        return stmt


Leaf = Copy | Fill | Transpose | Gemm | Reduce | Accumulation | Elementwise
Renaming = Callable[[tirx.Buffer], tirx.Buffer]


def rebuffered(view: Leaf, read: Renaming, write: Renaming) -> tirx.Stmt:
    """The statement on other buffers; an accumulator counts as written."""
    match view:
        case Copy() | Transpose():
            src, dst = _moved(view.src, read), _moved(view.dst, write)
            return dataclasses.replace(view, src=src, dst=dst).stmt()
        case Reduce():
            src, dst = _moved(view.src, read), _moved(view.dst, write)
            scaler = None if view.scaler is None else _moved(view.scaler, read)
            return dataclasses.replace(view, src=src, dst=dst, scaler=scaler).stmt()
        case Accumulation():
            return dataclasses.replace(view, dst=_moved(view.dst, write)).stmt()
        case Gemm():
            a, b, c = _moved(view.a, read), _moved(view.b, read), _moved(view.c, write)
            return dataclasses.replace(view, a=a, b=b, c=c).stmt()
        case Elementwise():
            value = map_loads(
                view.store.value, lambda load: tirx.BufferLoad(read(load.buffer), load.indices)
            )
            return Elementwise(
                view.loops, tirx.BufferStore(write(view.dst), value, view.store.indices)
            ).stmt()
        case Fill():
            raise AssertionError(
                "fills are lowered to element-wise nests before buffers are renamed"
            )


def map_loads(
    value: tirx.PrimExpr, replace: Callable[[tirx.BufferLoad], tirx.PrimExpr | None]
) -> tirx.PrimExpr:
    """`value` with every load replaced, innermost first; None keeps a load."""
    return ir_transform(tirx.Evaluate(value), None, replace, ["tirx.BufferLoad"]).value


def _moved(region: Region, rename: Renaming) -> Region:
    return dataclasses.replace(region, buffer=rename(region.buffer))


def leaf(stmt: tirx.Stmt) -> Leaf | None:
    """The view of a statement of a tile program, None for control flow and everything unknown."""
    if isinstance(stmt, tirx.For):
        return _elementwise(stmt)
    call = called(stmt)
    if call is None:
        return None
    if call.op.same_as(_COPY):
        src, dst, *rest = call.args
        guarded = tuple(int(axis) for axis in rest if isinstance(axis, tirx.IntImm))
        shared = [str(text.value) for text in rest if isinstance(text, tirx.StringImm)]
        return Copy(Region.decode(src), Region.decode(dst), guarded, *shared)
    if call.op.same_as(_FILL):
        return Fill(Region.decode(call.args[0]), call.args[1])
    if call.op.same_as(_TRANSPOSE):
        return Transpose(Region.decode(call.args[0]), Region.decode(call.args[1]))
    if (kind := _KINDS.get(ops.definition(stmt))) is not None:
        return Accumulation(Region.decode(call.args[0]), kind)
    if call.op.same_as(_REDUCE):
        src, dst, kind, dim, clear, *rest = call.args
        regions = Region.decode(src), Region.decode(dst)
        scaler = Region.decode(rest[0]) if rest else None
        return Reduce(*regions, str(kind.value), int(dim.value), bool(clear.value), scaler)
    return _gemm(call) if call.op.same_as(_GEMM) else None


def _elementwise(stmt: tirx.For) -> Elementwise | None:
    loops: list[tirx.For] = []
    inner: tirx.Stmt = stmt
    while isinstance(inner, tirx.For) and inner.kind == tirx.ForKind.PARALLEL:
        loops.append(inner)
        inner = inner.body
    if loops and isinstance(inner, tirx.BufferStore):
        return Elementwise(tuple(loops), inner)
    return None


def _gemm(call: tirx.Call) -> Gemm:
    a, b, c, transpose_a, transpose_b, m, n, k, policy, clear, *rest = call.args
    return Gemm(
        a=Region.decode(a),
        b=Region.decode(b),
        c=Region.decode(c),
        transpose_a=bool(transpose_a.value),
        transpose_b=bool(transpose_b.value),
        clear=clear,
        mnk=(m.value, n.value, k.value),
        trailing=(policy, *rest),
    )


def _equal(expr: tirx.PrimExpr, value: int) -> bool:
    return isinstance(expr, tirx.IntImm) and expr.value == value
