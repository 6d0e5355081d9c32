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
    sizes = _sizes(src, kind, stmt)
    size = sizes[dim]

    def fresh(name: str, shape: list[int]) -> Region:
        buffer = fresh_buffer(name, dst.buffer, buffers, shape)
        buffers.append(buffer)
        return Region.whole(buffer)

    def counts(term: tirx.PrimExpr, place: tirx.PrimExpr) -> tirx.PrimExpr:
        """Whether the sum at `place` has this term."""
        return tirx.GE(term, place) if is_reverse else tirx.LE(term, place)

    if len(sizes) == 1:
        terms = fresh(f"{dst.buffer.name}_terms", [size, size])

        def term(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            value = tirx.BufferLoad(src.buffer, [src.mins[0] + places[1]])
            none = tirx.const(neutral, value.dtype)
            return tirx.if_then_else(counts(places[1], places[0]), value, none)

        pieces = [fill_places(terms, term), Reduce(terms, dst, kind, 1).stmt()]
        return [tree.located(piece, stmt) for piece in pieces]
    if kind != "sum":
        raise UnsupportedReduction.at(stmt, op=f"T.cum{kind} of a block")
    ones = fresh(f"{dst.buffer.name}_ones", [size, size])

    def one(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
        term, place = places if dim == 1 else reversed(places)
        dtype = dst.buffer.dtype
        is_term = counts(term, place)
        return tirx.if_then_else(is_term, tirx.const(1.0, dtype), tirx.const(0.0, dtype))

    a, b = (src, ones) if dim == 1 else (ones, src)
    always, zero = tirx.IntImm("bool", 1), tirx.const(0, "int32")
    mnk = (sizes[0], sizes[1], size)
    product = Gemm(a, b, dst, False, False, always, mnk, (zero,) * 4)
    return [tree.located(piece, stmt) for piece in (fill_places(ones, one), product.stmt())]


def _sizes(src: Region, kind: str, stmt: tirx.Stmt) -> list[int]:
    """The extents of the vector or block that is scanned."""
    extents = [ranges.constant(extent) for extent in src.extents]
    if not 1 <= len(extents) <= 2 or None in extents:
        raise UnsupportedReduction.at(
            stmt, op=f"T.cum{kind} of a buffer that is no vector or block"
        )
    return [extent or 0 for extent in extents]
