"""The frame of a tile program: grid loops around one block that owns the on-chip buffers.

for bx, by in T.grid(...):              loops
    with T.sblock("tilelang_root"):     block: alloc_buffers, annotations
        ...                             body
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tvm import tirx

from tilelang_tt.ir import tree

SCALAR = "local.scalar"
"""The scope of a buffer of one element that every kernel keeps in a variable."""


@dataclass(frozen=True)
class Frame:
    """The parts of a function in the form above; `build` puts them together again."""

    func: tirx.PrimFunc
    loops: tuple[tirx.For, ...]
    realize: tirx.SBlockRealize

    @classmethod
    def of(cls, func: tirx.PrimFunc) -> Frame:
        loops: list[tirx.For] = []
        stmt = func.body
        if isinstance(stmt, tirx.SBlockRealize) and stmt.block.name_hint == "root":
            stmt = stmt.block.body
        while isinstance(stmt, tirx.For):
            loops.append(stmt)
            stmt = stmt.body
        assert isinstance(stmt, tirx.SBlockRealize), stmt
        return cls(func, tuple(loops), stmt)

    @property
    def body(self) -> tirx.Stmt:
        return self.realize.block.body

    @property
    def buffers(self) -> list[tirx.Buffer]:
        """The on-chip buffers."""
        return [buffer for buffer in self._allocated if buffer.scope() not in ("global", SCALAR)]

    @property
    def ways(self) -> list[tirx.Buffer]:
        """What stands for the ways between the cores of a team: a block copied to one on some core
        comes out of it on another."""
        return [buffer for buffer in self._allocated if buffer.scope() == "global"]

    @property
    def scalars(self) -> list[tirx.Buffer]:
        """The numbers that the program computes as it goes, in variables of the kernels."""
        return [buffer for buffer in self._allocated if buffer.scope() == SCALAR]

    @property
    def _allocated(self) -> list[tirx.Buffer]:
        return list(self.realize.block.alloc_buffers)

    @property
    def tensors(self) -> list[tirx.Buffer]:
        """The global tensors, in the order of the function's parameters."""
        return [self.func.buffer_map[p] for p in self.func.params if p in self.func.buffer_map]

    @property
    def annotations(self) -> dict[str, Any]:
        return dict(self.realize.block.annotations)

    def build(
        self,
        *,
        body: tirx.Stmt | None = None,
        buffers: Sequence[tirx.Buffer] | None = None,
        ways: Sequence[tirx.Buffer] | None = None,
        scalars: Sequence[tirx.Buffer] | None = None,
        annotations: dict[str, object] | None = None,
    ) -> tirx.PrimFunc:
        """The function with the given parts of its block replaced."""
        allocated = [
            *(self.buffers if buffers is None else buffers),
            *(self.ways if ways is None else ways),
            *(self.scalars if scalars is None else scalars),
        ]
        block = tree.block_with(
            self.realize.block, body=body, buffers=allocated, annotations=annotations
        )
        stmt: tirx.Stmt = tree.located(
            tirx.SBlockRealize(self.realize.iter_values, self.realize.predicate, block),
            self.realize,
        )
        for loop in reversed(self.loops):
            stmt = tree.with_body(loop, stmt)
        return self.func.with_body(stmt)

    def with_loops(self, loops: Sequence[tirx.For]) -> Frame:
        return dataclasses.replace(self, loops=tuple(loops))
