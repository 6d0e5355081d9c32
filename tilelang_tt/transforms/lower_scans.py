"""Turn running sums and maxima into products and reductions.

The sum of a row of floats up to each of its elements is a product with a triangle of ones.

    before:  T.cumsum(S, D, 1, False)                D (64, 32)

    after:   for i, j in T.Parallel(32, 32):
                 D_ones[i, j] = T.if_then_else(i <= j, 1, 0)
             T.gemm(S, D_ones, D, clear_accum=True)

What the matrix unit does not do exactly, maxima and integers, is made a column or row at a time.

    before:  T.cummax(S, D, 1, False)                D (64, 32)

    after:   for i, j in T.Parallel(64, 32):
                 D_all[i, j] = S[i, j]
             T.fill(D, -inf)
             for k in range(32):
                 for i, j in T.Parallel(64, 32):
                     D_terms[i, j] = T.if_then_else(j <= k, D_all[i, j], -inf)
                 T.reduce(D_terms, D_line, "max", 1, True)
                 for i in T.Parallel(64):
                     D[i, k] = D_line[i]

A vector takes one reduction.

    before:  T.cummax(S, D, 0, False)                D (32,)

    after:   for i, j in T.Parallel(32, 32):
                 D_terms[i, j] = T.if_then_else(j <= i, S[j], -inf)
             T.reduce(D_terms, D, "max", 1, True)

Needs:    `LegalizeConstructs`.
Leaves:   no scans.
Errors:   TT1002.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.analysis import ranges
from tilelang_tt.diagnostics import UnsupportedReduction
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Gemm, Reduce, Region, called
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import fill_over, fill_places, nest_over, neutral

SCANS = {"tl.tileop.cumsum": "sum", "tl.tileop.cummax": "max"}
"""The reduction that each running result is of."""


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
    kind = SCANS[call.op.name]
    src, dst = (Region.decode(arg) for arg in call.args[:2])
    sizes = [ranges.constant(extent) or 0 for extent in src.extents]
    if len(sizes) > 2 or not all(sizes):
        what = f"T.cum{kind} of a buffer that is no vector or block"
        raise UnsupportedReduction.at(stmt, op=what)
    scan = _Scan(kind, src, dst, int(call.args[2].value), bool(call.args[3].value), sizes, buffers)
    if len(sizes) == 1:
        pieces = scan.of_vector()
    elif kind == "sum" and formats.is_float(src.buffer.dtype):
        pieces = scan.by_product()
    else:
        pieces = scan.by_lines()
    return [tree.located_throughout(piece, stmt) for piece in pieces]


@dataclass(frozen=True)
class _Scan:
    """A running result of a region along `dim`; `buffers` get what it needs."""

    kind: str
    src: Region
    dst: Region
    dim: int
    is_reverse: bool
    sizes: list[int]
    buffers: list[tirx.Buffer]

    def _counts(self, term: tirx.PrimExpr, place: tirx.PrimExpr) -> tirx.PrimExpr:
        """Whether the result at `place` has this term."""
        return tirx.GE(term, place) if self.is_reverse else tirx.LE(term, place)

    def _fresh(self, suffix: str, shape: list[int], dtype: str = "") -> Region:
        of = self.dst.buffer
        buffer = fresh_buffer(f"{of.name}_{suffix}", of, self.buffers, shape, dtype)
        self.buffers.append(buffer)
        return Region.whole(buffer)

    def of_vector(self) -> list[tirx.Stmt]:
        def term(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            value = tirx.BufferLoad(self.src.buffer, [self.src.mins[0] + places[1]])
            none = neutral(self.kind, value.dtype)
            return tirx.if_then_else(self._counts(places[1], places[0]), value, none)

        terms = self._fresh("terms", self.sizes * 2)
        return [fill_places(terms, term), Reduce(terms, self.dst, self.kind, 1).stmt()]

    def by_product(self) -> list[tirx.Stmt]:
        def one(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            is_term = self._counts(*(places if self.dim == 1 else reversed(places)))
            dtype = self.dst.buffer.dtype
            return tirx.if_then_else(is_term, tirx.const(1.0, dtype), tirx.const(0.0, dtype))

        ones = self._fresh("ones", [self.sizes[self.dim]] * 2)
        a, b = (self.src, ones) if self.dim == 1 else (ones, self.src)
        always, zero = tirx.IntImm("bool", 1), tirx.const(0, "int32")
        mnk = (self.sizes[0], self.sizes[1], self.sizes[self.dim])
        product = Gemm(a, b, self.dst, False, False, always, mnk, (zero,) * 4)
        return [fill_places(ones, one), product.stmt()]

    def by_lines(self) -> list[tirx.Stmt]:
        dtype = self.dst.buffer.dtype
        none = neutral(self.kind, dtype)
        all_ = self._fresh("all", self.sizes)
        terms = self._fresh("terms", self.sizes)
        line = self._fresh("line", [self.sizes[1 - self.dim]])
        place = tirx.Var("k", "int32")

        def term(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            is_term = self._counts(places[self.dim], place)
            return tirx.if_then_else(is_term, tirx.BufferLoad(all_.buffer, places), none)

        body = [
            fill_places(terms, term),
            Reduce(terms, line, self.kind, self.dim).stmt(),
            nest_over(self._line_at(place), line),
        ]
        zero = tirx.const(0, "int32")
        lines = tirx.For(
            place, zero, self.src.extents[self.dim], tirx.ForKind.SERIAL, tirx.SeqStmt(body)
        )
        return [nest_over(all_, self.src), fill_over(self.dst, none), lines]

    def _line_at(self, place: tirx.PrimExpr) -> Region:
        """The results at one place along the dimension."""
        mins, extents = list(self.dst.mins), list(self.dst.extents)
        mins[self.dim], extents[self.dim] = mins[self.dim] + place, tirx.const(1, "int32")
        return Region(self.dst.buffer, tuple(mins), tuple(extents))
