"""Give a buffer that two engines read, or that two write, a copy for the second.

A circular buffer has one producer and one consumer. A value that the compute engine uses and that
is also stored to DRAM is copied by the compute engine into a buffer for the writer; one that is
loaded from DRAM and goes on as a value of the compute engine is copied into that one's buffer.

    before:  T.copy(A[...], A_s)                     after:   T.copy(A[...], A_s)
             C_s[i, j] = A_s[i, j] * 2                        C_s[i, j] = A_s[i, j] * 2
             T.copy(A_s, D[...])                              A_s_out[i, j] = A_s[i, j]
                                                              T.copy(A_s_out, D[...])

Needs:    `FuseElementwise`.
Leaves:   buffers that one engine writes and one engine reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tvm import tirx

from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Region, leaf
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import nest_over


class SeparateConsumers:
    """See the module docstring."""

    name = "tt.SeparateConsumers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        views = [view for _, view in access.leaves(frame.body)]
        separation = _Separation(
            computed={
                read
                for view in views
                if not isinstance(view, Copy)
                for read in access.consumed(view)
            },
            made={access.writes(view) for view in views if not isinstance(view, Copy)},
            buffers=frame.buffers,
        )
        body = tree.rewrite_sequences(frame.body, separation.separate_all)
        return frame.build(body=body, buffers=separation.buffers)


@dataclass
class _Separation:
    """Rewrites sequences and collects the buffers they need."""

    computed: set[tirx.Buffer]
    made: set[tirx.Buffer]
    buffers: list[tirx.Buffer]

    def separate_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [new for stmt in stmts for new in self._separate(stmt)]

    def _separate(self, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        view = leaf(stmt)
        if not isinstance(view, Copy):
            return [stmt]
        if view.src.buffer in self.computed:
            out = Region.whole(self._like(view.src.buffer, "_out"))
            pieces = [nest_over(out, view.src), replace(view, src=out).stmt()]
        elif view.dst.buffer in self.made:
            loaded = Region.whole(self._like(view.dst.buffer, "_in"))
            pieces = [replace(view, dst=loaded).stmt(), nest_over(view.dst, loaded)]
        else:
            return [stmt]
        return [tree.located(piece, stmt) for piece in pieces]

    def _like(self, buffer: tirx.Buffer, suffix: str) -> tirx.Buffer:
        new = fresh_buffer(buffer.name + suffix, buffer, self.buffers)
        self.buffers.append(new)
        return new
