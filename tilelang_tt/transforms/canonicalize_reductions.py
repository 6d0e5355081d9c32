"""Reduce every reduction to a sum or a maximum into a fresh buffer.

The matrix unit sums and takes maxima along the rows or columns of tiles. What else a reduction asks
for is element-wise work before or after it, and so is a conversion between integers and floats, and
one of integers of 8 bits, which are reduced as int32.

    before:  T.reduce(S[0:64, 0:64], m[0:64], "absmax", 1, False)

    after:   for i, j in T.Parallel(64, 64):
                 S_abs[i, j] = T.abs(S[i, j])
             T.reduce(S_abs[0:64, 0:64], m_red[0:64], "max", 1, True)
             for i in T.Parallel(64):
                 m[i] = T.max(m[i], m_red[i])

A dimension before the last two counts blocks, which are joined element by element.

    before:  T.reduce(S[0:2, 0:64, 0:64], D, "max", 0, True)

    after:   for i, j in T.Parallel(64, 64):
                 D[i, j] = T.max(S[0, i, j], S[1, i, j])

Results for several blocks that are to be the rows of one block are made by themselves first.

    before:  T.reduce(S[0:2, 0:64, 0:64], D[0:2, 0:64], "max", 1, True)

    after:   T.reduce(S, D_rows, "max", 1, True)                 D_rows (2, 1, 64)
             for i, j in T.Parallel(2, 64):
                 D[i, j] = T.if_then_else(i == 0, D_rows[0, 0, j], D_rows[1, 0, j])

Needs:    `IsolateElementwise`, which finds reductions written as loops.
Leaves:   reductions "sum" and "max" of a whole buffer, over one of its last two dimensions, into
          another, which they overwrite: a vector, or a buffer with extent 1 in that dimension. Its
          dtype is that of the result, so that a sum is rounded once.
Errors:   TT1002.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.analysis import ranges
from tilelang_tt.diagnostics import UnsupportedReduction
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.ops import BYTES, computed_in
from tilelang_tt.ir.tileops import Reduce, Region, Transpose, leaf
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import cast, fill_places, map_over

Shape = list[tirx.PrimExpr]
_ONE, _ZERO = tirx.const(1, "int32"), tirx.const(0, "int32")


@dataclass(frozen=True)
class _Kind:
    """How a reduction is made of `core`, of magnitudes or of what is negated before and after.

    `join` makes one result of two.
    """

    core: str
    join: Callable[[tirx.PrimExpr, tirx.PrimExpr], tirx.PrimExpr]
    of_magnitudes: bool = False
    is_negated: bool = False

    def element(self, value: tirx.PrimExpr) -> tirx.PrimExpr:
        return tirx.abs(value) if self.of_magnitudes else value

    def turned(self, value: tirx.PrimExpr) -> tirx.PrimExpr:
        """`value`, or what has the opposite order: of integers the complement, which all have."""
        if not self.is_negated:
            return value
        return tirx.Sub(tirx.const(-1 if value.dtype == "int32" else 0, value.dtype), value)


_KINDS = {
    "sum": _Kind("sum", tirx.Add),
    "max": _Kind("max", tirx.Max),
    "abssum": _Kind("sum", tirx.Add, of_magnitudes=True),
    "absmax": _Kind("max", tirx.Max, of_magnitudes=True),
    "min": _Kind("max", tirx.Min, is_negated=True),
}


class CanonicalizeReductions:
    """See the module docstring."""

    name = "tt.CanonicalizeReductions"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers

        def canonical(stmt: tirx.Stmt) -> list[tirx.Stmt]:
            view = leaf(stmt)
            if not isinstance(view, Reduce):
                return [stmt]
            if view.dim < len(view.src.extents) - 2:
                return [tree.located(_over_blocks(view), stmt)]
            reduction = _Reduction(view, stmt, buffers)
            reduction.make()
            return [tree.located(piece, stmt) for piece in reduction.pieces]

        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [new for stmt in stmts for new in canonical(stmt)]
        )
        return frame.build(body=body, buffers=buffers)


def _over_blocks(view: Reduce) -> tirx.Stmt:
    """A reduction over a dimension that counts blocks."""
    kind = _KINDS[view.kind]
    blocks = [_block(view.src, view.dim, number) for number in range(_size(view.src, view.dim))]

    def join(*values: tirx.PrimExpr) -> tirx.PrimExpr:
        elements = [
            cast(view.dst.buffer.dtype, kind.element(value)) for value in values[: len(blocks)]
        ]
        return functools.reduce(kind.join, [*values[len(blocks) :], *elements])

    return map_over(view.dst, [*blocks, *([] if view.clear else [view.dst])], join)


def _block(region: Region, axis: int, number: int) -> Region:
    """The part of a region with one index along an axis."""
    mins, extents = list(region.mins), list(region.extents)
    mins[axis], extents[axis] = mins[axis] + number, _ONE
    return Region(region.buffer, tuple(mins), tuple(extents))


def _size(region: Region, axis: int) -> int:
    size = ranges.constant(region.extents[axis])
    assert size is not None, region
    return size


@dataclass
class _Reduction:
    """One over one of the last two dimensions; `buffers` and `pieces` get what it needs."""

    view: Reduce
    stmt: tirx.Stmt
    buffers: list[tirx.Buffer]
    pieces: list[tirx.Stmt] = field(default_factory=list)

    def make(self) -> None:
        view, kind = self.view, _KINDS[self.view.kind]
        src, dim = self._source(kind)
        is_direct = view.clear and not kind.is_negated and self._dtype == view.dst.buffer.dtype
        direct = view.dst if view.dst.is_whole and is_direct else None
        if self._is_natural:
            result = direct or self._result("red", list(view.dst.extents))
            self._reduce(src, result, dim)
        elif len(src.extents) < 3:
            result = self._result("red", [src.extents[1 - dim]])
            self._reduce(src, result, dim)
        elif len(src.extents) == 3:
            if direct is None or len(direct.extents) != 2:
                result = self._result("red", [src.extents[0], src.extents[3 - dim]])
            else:
                result = direct
            self._place_rows(result, self._rows(src, dim))
        else:
            raise self._refusal("several dimensions of blocks")
        if result is not direct:
            self._finish(result, kind)

    @property
    def _dtype(self) -> str:
        """What the results are made in."""
        return computed_in(self.view.dst.buffer.dtype)

    @property
    def _is_natural(self) -> bool:
        """Whether the matrix unit gives a result of the destination's shape."""
        src, dst = self.view.src, self.view.dst
        is_vector = len(dst.extents) == 1 and len(src.extents) < 3
        keeps = len(dst.extents) == len(src.extents) and _is_one(dst.extents[self.view.dim])
        return is_vector or keeps

    def _source(self, kind: _Kind) -> tuple[Region, int]:
        """A whole buffer of what is reduced, and the dimension that is.

        Blocks of a dimension of extent 1 need not be counted.
        """
        src, dim = self.view.src, self.view.dim
        rank = len(src.extents)
        shape = [
            extent
            for axis, extent in enumerate(src.extents)
            if self._is_natural or axis >= rank - 2 or not _is_one(extent)
        ]
        dtypes = src.buffer.dtype, self.view.dst.buffer.dtype
        are_floats = [formats.is_float(dtype) for dtype in dtypes]
        is_converted = are_floats[0] != are_floats[1] or bool({*dtypes} & {*BYTES})
        is_changed = is_converted or kind.of_magnitudes or kind.is_negated
        if src.is_whole and len(shape) == rank and not is_changed:
            return src, dim
        dtype = self._dtype if is_converted else src.buffer.dtype
        made = self._fresh(src.buffer, "in", shape, dtype)

        def element(value: tirx.PrimExpr) -> tirx.PrimExpr:
            value = cast(dtypes[1], value) if is_converted else value
            return kind.turned(kind.element(cast(dtype, value)))

        self.pieces.append(map_over(made, [src], element))
        return made, dim - (rank - len(shape))

    def _reduce(self, src: Region, dst: Region, dim: int) -> None:
        self.pieces.append(Reduce(src, dst, _KINDS[self.view.kind].core, dim).stmt())

    def _rows(self, src: Region, dim: int) -> Region:
        """The results for each of several blocks, as a row."""
        blocks, rows, columns = src.extents
        if dim == 1:
            result = self._result("rows", [blocks, _ONE, columns])
            self._reduce(src, result, dim)
            return result
        column = self._result("columns", [blocks, rows, _ONE])
        self._reduce(src, column, dim)
        result = self._result("rows", [blocks, _ONE, rows])
        self.pieces.append(Transpose(column, result).stmt())
        return result

    def _place_rows(self, dst: Region, rows: Region) -> None:
        """Put the rows of several blocks into one."""

        def row(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            block, place = places
            *others, value = [
                tirx.BufferLoad(rows.buffer, [tirx.const(number, "int32"), _ZERO, place])
                for number in range(_size(rows, 0))
            ]
            for number, other in reversed(list(enumerate(others))):
                value = tirx.if_then_else(tirx.EQ(block, number), other, value)
            return value

        self.pieces.append(fill_places(dst, row))

    def _finish(self, result: Region, kind: _Kind) -> None:
        def finish(value: tirx.PrimExpr, old: tirx.PrimExpr | None = None) -> tirx.PrimExpr:
            value = cast(self.view.dst.buffer.dtype, kind.turned(value))
            return value if old is None else kind.join(old, value)

        sources = [result] if self.view.clear else [result, self.view.dst]
        self.pieces.append(map_over(self.view.dst, sources, finish))

    def _result(self, suffix: str, shape: Shape) -> Region:
        """A new buffer for what becomes part of the destination."""
        return self._fresh(self.view.dst.buffer, suffix, shape, self._dtype)

    def _fresh(self, of: tirx.Buffer, suffix: str, shape: Shape, dtype: str) -> Region:
        """A new buffer called after the buffer `of`."""
        buffer = fresh_buffer(f"{of.name}_{suffix}", of, self.buffers, shape, dtype)
        self.buffers.append(buffer)
        return Region.whole(buffer)

    def _refusal(self, over: str) -> UnsupportedReduction:
        return UnsupportedReduction.at(self.stmt, op=f"T.reduce_{self.view.kind} over {over}")


def _is_one(extent: tirx.PrimExpr) -> bool:
    return ranges.constant(extent) == 1
