"""Turn running sums into matrix products, running sums and maxima of vectors into reductions.

The sum of a row up to each of its elements is a product with a triangle of ones.

    before:  T.cumsum(S, D, 1, False)                D (64, 32)

    after:   for i, j in T.Parallel(32, 32):
                 D_ones[i, j] = T.if_then_else(i <= j, 1, 0)
             T.gemm(S, D_ones, D, clear_accum=True)

    before:  T.cummax(S, D, 0, False)                D (32,)

    after:   for i, j in T.Parallel(32, 32):
                 D_terms[i, j] = T.if_then_else(j <= i, S[j], -inf)
             T.reduce(D_terms, D, "max", 1, True)

Needs:    `LegalizeConstructs`.
Leaves:   no scans.
Errors:   TT1002.
"""

from __future__ import annotations

import math

from tvm import tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.diagnostics import UnsupportedReduction
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Gemm, Reduce, Region, called
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import fill_places

SCANS = {"tl.tileop.cumsum": ("sum", 0.0), "tl.tileop.cummax": ("max", -math.inf)}
"""The reduction that each running result is of, and what changes nothing in it."""


class LowerScans:
    """See the module docstring."""

    name = "tt.LowerScans"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers
        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [new for stmt in stmts for new in _lower(stmt, buffers)]
        )
        return frame.build(body=body, buffers=buffers)


def _lower(stmt: tirx.Stmt, buffers: list[tirx.Buffer]) -> list[tirx.Stmt]:
    call = called(stmt)
    if call is None or call.op.name not in SCANS:
        return [stmt]
    kind, neutral = SCANS[call.op.name]
    src, dst = (Region.decode(arg) for arg in call.args[:2])
    dim, is_reverse = int(call.args[2].value), bool(call.args[3].value)
    sizes = [ranges.constant(extent) or 0 for extent in src.extents]
    is_vector = len(sizes) == 1
    if len(sizes) > 2 or not all(sizes):
        what = f"T.cum{kind} of a buffer that is no vector or block"
        raise UnsupportedReduction.at(stmt, op=what)
    if kind != "sum" and not is_vector:
        raise UnsupportedReduction.at(stmt, op=f"T.cum{kind} of a block")

    def counts(term: tirx.PrimExpr, place: tirx.PrimExpr) -> tirx.PrimExpr:
        """Whether the result at `place` has this term."""
        return tirx.GE(term, place) if is_reverse else tirx.LE(term, place)

    def term(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
        value = tirx.BufferLoad(src.buffer, [src.mins[0] + places[1]])
        none = tirx.const(neutral, value.dtype)
        return tirx.if_then_else(counts(places[1], places[0]), value, none)

    def one(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
        is_term = counts(*(places if dim == 1 else reversed(places)))
        dtype = dst.buffer.dtype
        return tirx.if_then_else(is_term, tirx.const(1.0, dtype), tirx.const(0.0, dtype))

    suffix, made = ("terms", term) if is_vector else ("ones", one)
    square = fresh_buffer(f"{dst.buffer.name}_{suffix}", dst.buffer, buffers, [sizes[dim]] * 2)
    buffers.append(square)
    operand = Region.whole(square)
    if is_vector:
        result = Reduce(operand, dst, kind, 1).stmt()
    else:
        result = _product(src, operand, dst, dim, sizes)
    return [tree.located(piece, stmt) for piece in (fill_places(operand, made), result)]


def _product(src: Region, ones: Region, dst: Region, dim: int, sizes: list[int]) -> tirx.Stmt:
    a, b = (src, ones) if dim == 1 else (ones, src)
    always, zero = tirx.IntImm("bool", 1), tirx.const(0, "int32")
    mnk = (sizes[0], sizes[1], sizes[dim])
    return Gemm(a, b, dst, False, False, always, mnk, (zero,) * 4).stmt()
