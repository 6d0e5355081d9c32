"""Which on-chip buffers hold values that are needed at the same time.

A value is live from the statement that writes it to the last one that may read it. One walk from
the end to the beginning finds what is live after each statement; a loop is walked until what is
live at its head stays the same.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tvm import tirx

from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.tileops import Accumulation, Gemm, Leaf, is_global, leaf

Live = frozenset[tirx.Buffer]


def interference(body: tirx.Stmt) -> dict[tirx.Buffer, set[tirx.Buffer]]:
    """For each on-chip buffer, those that may hold a value while it is written or holds one."""
    walk = _Walk()
    walk.before(body, frozenset())
    return walk.meets


@dataclass
class _Walk:
    meets: dict[tirx.Buffer, set[tirx.Buffer]] = field(default_factory=lambda: defaultdict(set))

    def before(self, stmt: tirx.Stmt, live: Live) -> Live:
        """What is live before `stmt`, if `live` is after it."""
        view = leaf(stmt)
        if view is not None:
            return self._before_leaf(view, live)
        match stmt:
            case tirx.SeqStmt():
                for child in reversed(stmt.seq):
                    live = self.before(child, live)
                return live
            case tirx.IfThenElse():
                then = self.before(stmt.then_case, live)
                return then | (
                    live if stmt.else_case is None else self.before(stmt.else_case, live)
                )
            case tirx.For():
                while (wider := live | self.before(stmt.body, live)) != live:
                    live = wider
                return live
        inner: list[tirx.Stmt] = []
        tree.map_bodies(stmt, lambda body: (inner.append(body), body)[1])
        return self.before(inner[0], live) if inner else live

    def _before_leaf(self, view: Leaf, live: Live) -> Live:
        dst = access.writes(view)
        read = {buffer for buffer in access.reads(view) if not is_global(buffer)}
        if is_global(dst):
            return live | read
        for other in (live | read) - {dst}:
            self.meets[dst].add(other)
            self.meets[other].add(dst)
        is_start = not isinstance(view, Gemm) or view.always_clears
        if isinstance(view, Accumulation):
            is_start = view.is_fresh
        return ((live - {dst}) if is_start else live | {dst}) | read
