"""Building element-wise nests, shared by the passes that create them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt import formats
from tilelang_tt.analysis import ranges
from tilelang_tt.diagnostics import SymbolicRegion, UnsupportedIndex
from tilelang_tt.ir import tree
from tilelang_tt.ir.tileops import Elementwise, Region


def map_over(
    dst: Region, sources: Sequence[Region], value: Callable[..., tirx.PrimExpr]
) -> tirx.Stmt:
    """The nest that stores `value` of the elements of `sources` in `dst`, pairing the extents that
    are not 1 in order.

    Those extents must agree.
    """
    loops, dst_indices = _loops_over(dst)

    def load(src: Region) -> tirx.BufferLoad:
        vars_ = iter(loop.loop_var for loop in loops)
        indices = [
            low if _is_one(extent) else _offset(low, next(vars_))
            for low, extent in zip(src.mins, src.extents, strict=True)
        ]
        return tirx.BufferLoad(src.buffer, indices)

    stored = value(*map(load, sources))
    return _nest(loops, tirx.BufferStore(dst.buffer, stored, dst_indices))


def fill_places(dst: Region, value: Callable[[list[tirx.PrimExpr]], tirx.PrimExpr]) -> tirx.Stmt:
    """The nest that stores in `dst` what `value` makes of each place."""
    loops, indices = _loops_over(dst)
    return _nest(loops, tirx.BufferStore(dst.buffer, value(indices), indices))


def map_places(
    dst: Region,
    src: Region,
    value: Callable[[list[tirx.PrimExpr], tirx.PrimExpr], tirx.PrimExpr],
) -> tirx.Stmt:
    """The nest that stores in `dst` what `value` makes of the place and the element of `src`
    there."""
    return fill_places(dst, lambda places: value(places, tirx.BufferLoad(src.buffer, places)))


def nest_over(dst: Region, src: Region) -> tirx.Stmt:
    """The nest that copies `src` to `dst`, converting the dtype."""
    return map_over(dst, [src], lambda value: cast(dst.buffer.dtype, value))


def fill_over(dst: Region, value: tirx.PrimExpr) -> tirx.Stmt:
    """The nest that stores `value` everywhere in `dst`."""
    loops, indices = _loops_over(dst)
    return _nest(loops, tirx.BufferStore(dst.buffer, cast(dst.buffer.dtype, value), indices))


def affine_over(dst: Region, per_row: int, per_column: int) -> tirx.Stmt:
    """The nest that stores `per_row` times the row plus `per_column` times the column."""
    loops, indices = _loops_over(dst)
    row, column = indices[-2:]
    value = arith.Analyzer().simplify(row * per_row + column * per_column)
    return _nest(loops, tirx.BufferStore(dst.buffer, tirx.Cast(dst.buffer.dtype, value), indices))


def cast(dtype: str, value: tirx.PrimExpr) -> tirx.PrimExpr:
    """`value` as `dtype`; literals are converted at once."""
    if value.dtype == dtype:
        return value
    if isinstance(value, tirx.IntImm | tirx.FloatImm):
        return tirx.const(value.value, dtype)
    return tirx.Cast(dtype, value)


def neutral(kind: str, dtype: str) -> tirx.PrimExpr:
    """What changes no sum, or no maximum or minimum, of numbers of `dtype`."""
    if kind == "sum":
        return tirx.const(0, dtype)
    if formats.is_float(dtype):
        return tirx.const(-math.inf if kind == "max" else math.inf, dtype)
    return tirx.min_value(dtype) if kind == "max" else tirx.max_value(dtype)


def box_of(
    buffer: tirx.Buffer, indices: Sequence[tirx.PrimExpr], nest: Elementwise, stmt: tirx.Stmt
) -> Region:
    """The box of `buffer` that the nest accesses by `indices`; TT1010 where it is none."""
    start = {var: tirx.const(0, var.dtype) for var in nest.vars}
    analyzer = arith.Analyzer()
    mins: list[tirx.PrimExpr] = []
    extents: list[tirx.PrimExpr] = []
    for index in indices:
        low = substitute(index, start)
        used = [loop for loop in nest.loops if loop.loop_var in tree.collect(index, tirx.Var)]
        moves = not used or analyzer.can_prove_equal(index - low, used[0].loop_var)
        if not moves or len(used) > 1:
            names = ", ".join(var.name for var in nest.vars)
            access = tirx.BufferLoad(buffer, list(indices))
            raise UnsupportedIndex.at(stmt, access=access, loops=names)
        mins.append(analyzer.simplify(low))
        extents.append(used[0].extent if used else tirx.const(1, "int32"))
    return Region(buffer, tuple(mins), tuple(extents))


def moved_extents(region: Region, stmt: tirx.Stmt) -> list[int]:
    """The extents of a region that are not 1, all of them constant.

    A single element has one extent of 1.
    """
    extents: list[int] = []
    for extent in region.extents:
        size = ranges.constant(extent)
        if size is None:
            raise SymbolicRegion.at(stmt, extent=extent, buffer=region.buffer.name)
        if size != 1:
            extents.append(size)
    return extents or [1]


def _loops_over(dst: Region) -> tuple[list[tirx.For], list[tirx.PrimExpr]]:
    loops: list[tirx.For] = []
    indices: list[tirx.PrimExpr] = []
    is_element = all(map(_is_one, dst.extents))
    last = len(dst.extents) - 1
    for axis, (low, extent) in enumerate(zip(dst.mins, dst.extents, strict=True)):
        if _is_one(extent) and not (is_element and axis == last):
            indices.append(low)
            continue
        var = tirx.Var("ijklmn"[len(loops)], "int32")
        loops.append(
            tirx.For(var, tirx.const(0, "int32"), extent, tirx.ForKind.PARALLEL, tirx.Evaluate(0))
        )
        indices.append(_offset(low, var))
    return loops, indices


def _nest(loops: list[tirx.For], store: tirx.BufferStore) -> tirx.Stmt:
    return Elementwise(tuple(loops), store).stmt()


def _offset(low: tirx.PrimExpr, var: tirx.Var) -> tirx.PrimExpr:
    return var if ranges.constant(low) == 0 else low + var


def _is_one(extent: tirx.PrimExpr) -> bool:
    return ranges.constant(extent) == 1
