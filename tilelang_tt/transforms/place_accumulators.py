"""Decide where matrix products accumulate: in L1, step by step, or by an addition of their own.

Products that add up in one buffer, with nothing else touching it between the first and the last,
leave the sum to the packer, which adds to what L1 holds. The statements are put between an
`accumulate_begin` and an `accumulate_end`; in between, the buffer holds no value yet.

    before:  for k in range(8):                      after:   T.accumulate_begin(C_l)
                 T.gemm(A_s, B_s, C_l,                        for k in range(8):
                        clear_accum=k == 0)                       T.gemm(A_s, B_s, C_l, ...)
                                                              T.accumulate_end(C_l)

Any other product that accumulates is computed by itself and added.

    before:  for k in range(8):                      after:   for k in range(8):
                 T.gemm(A_s, B_s, C_l)                            T.gemm(A_s, B_s, C_l_mm,
                 D_l[i, j] = C_l[i, j]                                   clear_accum=True)
                                                                  C_l[i, j] += C_l_mm[i, j]
                                                                  D_l[i, j] = C_l[i, j]

Needs:    `FoldClears`, `AccumulateInPlace`.
Leaves:   gemms that overwrite their destination, or stand between a begin and an end.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import access, ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Accumulation, AccumulationKind, Gemm, Region, leaf
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import fill_over, map_over


class PlaceAccumulators:
    """See the module docstring."""

    name = "tt.PlaceAccumulators"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        placing = _Placing(ranges.analyzer_of(func), frame.buffers)
        body = placing.visit(frame.body, ())
        return frame.build(body=body, buffers=placing.buffers)


@dataclass
class _Placing:
    analyzer: arith.Analyzer
    buffers: list[tirx.Buffer]

    def visit(self, stmt: tirx.Stmt, open_: tuple[tirx.Buffer, ...]) -> tirx.Stmt:
        """`stmt`, with the products into the buffers `open_` left as they are."""
        children = tree.statements(stmt)
        runs = self._runs(children, open_)
        result: list[tirx.Stmt] = []
        placed: tuple[tirx.Buffer, ...] = ()
        for position, child in enumerate(children):
            placed = _placed(child, placed)
            begun = [buffer for buffer, run in runs if run.start == position]
            ended = [buffer for buffer, run in runs if run.stop == position + 1]
            inside = [buffer for buffer, run in runs if position in run]
            result += [_bracket(buffer, child, "begin") for buffer in begun]
            result += self._visit_child(child, (*open_, *placed, *inside))
            result += [_bracket(buffer, child, "end") for buffer in reversed(ended)]
        return tree.sequence(result)

    def _visit_child(self, child: tirx.Stmt, open_: tuple[tirx.Buffer, ...]) -> list[tirx.Stmt]:
        view = leaf(child)
        if view is None:
            return [tree.map_bodies(child, lambda body: self.visit(body, open_))]
        if not isinstance(view, Gemm) or view.always_clears or view.c.buffer in open_:
            return [child]
        return [tree.located(piece, child) for piece in self._added(view)]

    def _added(self, gemm: Gemm) -> list[tirx.Stmt]:
        """The product by itself, then the addition."""
        out = fresh_buffer(f"{gemm.c.buffer.name}_mm", gemm.c.buffer, self.buffers, gemm.c.extents)
        self.buffers.append(out)
        product = Region.whole(out)
        always = tirx.IntImm("bool", 1)
        alone = dataclasses.replace(gemm, c=product, clear=always).stmt()
        added = map_over(gemm.c, [gemm.c, product], tirx.Add)
        if gemm.never_clears:
            return [alone, added]
        zero = fill_over(gemm.c, tirx.const(0.0, out.dtype))
        return [tirx.IfThenElse(gemm.clear, zero, None), alone, added]

    def _runs(
        self, children: list[tirx.Stmt], open_: tuple[tirx.Buffer, ...]
    ) -> list[tuple[tirx.Buffer, range]]:
        """The buffers that the packer can accumulate into, and the children that do."""
        runs: list[tuple[tirx.Buffer, range]] = []
        placed = open_
        for position, child in enumerate(children):
            placed = _placed(child, placed)
            for buffer in _accumulators(child):
                is_taken = buffer in placed or any(
                    buffer.same_as(other) and position in run for other, run in runs
                )
                if is_taken or not self._opens(child, buffer):
                    continue
                stop = self._last_update(children, position, buffer) + 1
                if stop > position + 1 or not _is_overwriting(child):
                    runs.append((buffer, range(position, stop)))
        return runs

    def _opens(self, child: tirx.Stmt, buffer: tirx.Buffer) -> bool:
        """Whether `child` only accumulates into the buffer, starting afresh."""
        if not only_updates(child, buffer):
            return False
        first: dict[tirx.Var, tirx.PrimExpr] = {}
        stmt = child
        while leaf(stmt) is None:
            if isinstance(stmt, tirx.For):
                if not self.analyzer.can_prove(stmt.extent >= 1):
                    return False
                first[stmt.loop_var] = stmt.min
                stmt = stmt.body
            elif isinstance(stmt, tirx.SeqStmt):
                stmt = next(inner for inner in stmt.seq if access.touches(inner, buffer))
            else:
                return False
        view = leaf(stmt)
        assert isinstance(view, Gemm), stmt  # nothing else touches the buffer here
        return self.analyzer.can_prove(substitute(view.clear, first))

    def _last_update(self, children: list[tirx.Stmt], start: int, buffer: tirx.Buffer) -> int:
        last = start
        for position in range(start + 1, len(children)):
            child = children[position]
            if access.touches(child, buffer):
                if not only_updates(child, buffer) or self._opens(child, buffer):
                    break
                last = position
        return last


def _placed(stmt: tirx.Stmt, open_: tuple[tirx.Buffer, ...]) -> tuple[tirx.Buffer, ...]:
    """The buffers that are accumulated into after `stmt`, given those before it."""
    view = leaf(stmt)
    if not isinstance(view, Accumulation):
        return open_
    others = tuple(buffer for buffer in open_ if not buffer.same_as(view.dst.buffer))
    return others if view.kind == "end" else (*others, view.dst.buffer)


def _bracket(buffer: tirx.Buffer, origin: tirx.Stmt, kind: AccumulationKind) -> tirx.Stmt:
    return tree.located(Accumulation(Region.whole(buffer), kind).stmt(), origin)


def _accumulators(stmt: tirx.Stmt) -> list[tirx.Buffer]:
    views = (view for _, view in access.leaves(stmt))
    return list(dict.fromkeys(view.c.buffer for view in views if isinstance(view, Gemm)))


def _is_overwriting(stmt: tirx.Stmt) -> bool:
    view = leaf(stmt)
    return isinstance(view, Gemm) and view.always_clears


def only_updates(stmt: tirx.Stmt, buffer: tirx.Buffer) -> bool:
    """Whether the buffer, if `stmt` touches it at all, is only the destination of whole gemms."""
    for _, view in access.leaves(stmt):
        touched = buffer.same_as(access.writes(view)) or any(
            buffer.same_as(read) for read in access.reads(view)
        )
        if not touched:
            continue
        if not isinstance(view, Gemm) or not view.c.is_whole or not view.c.buffer.same_as(buffer):
            return False
        if buffer.same_as(view.a.buffer) or buffer.same_as(view.b.buffer):
            return False
    return True
