"""Building element-wise nests, shared by the passes that create them."""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.ir.tileops import Elementwise, Region


def nest_over(dst: Region, src: Region) -> tirx.Stmt:
    """The nest that copies `src` to `dst`, pairing the extents that are not 1 in order and
    converting the dtype.

    Those extents must agree.
    """
    loops, dst_indices = _loops_over(dst)
    vars_ = iter(loop.loop_var for loop in loops)
    src_indices = [
        low if _is_one(extent) else _offset(low, next(vars_))
        for low, extent in zip(src.mins, src.extents, strict=True)
    ]
    value: tirx.PrimExpr = tirx.BufferLoad(src.buffer, src_indices)
    return _nest(loops, tirx.BufferStore(dst.buffer, cast(dst.buffer.dtype, value), dst_indices))


def fill_over(dst: Region, value: tirx.PrimExpr) -> tirx.Stmt:
    """The nest that stores `value` everywhere in `dst`."""
    loops, indices = _loops_over(dst)
    return _nest(loops, tirx.BufferStore(dst.buffer, cast(dst.buffer.dtype, value), indices))


def cast(dtype: str, value: tirx.PrimExpr) -> tirx.PrimExpr:
    """`value` as `dtype`; literals are converted at once."""
    if value.dtype == dtype:
        return value
    if isinstance(value, tirx.IntImm | tirx.FloatImm):
        return tirx.const(value.value, dtype)
    return tirx.Cast(dtype, value)


def _loops_over(dst: Region) -> tuple[list[tirx.For], list[tirx.PrimExpr]]:
    loops: list[tirx.For] = []
    indices: list[tirx.PrimExpr] = []
    for low, extent in zip(dst.mins, dst.extents, strict=True):
        if _is_one(extent):
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
