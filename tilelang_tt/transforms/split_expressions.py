"""Compute in two steps what needs more destination registers than there are.

    before:  C[i, j] = (a + b) * (c + d) + ...       more registers than DST holds

    after:   C_part[i, j] = (a + b) * (c + d)
             C[i, j] = C_part[i, j] + ...

The part is stored in a circular buffer in between. It is the largest one that fits by itself.

Needs:    `FuseElementwise`.
Leaves:   element-wise nests that fit into DST; attribute `tt.spilled`, the names of the parts,
          where there are any.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.analysis.expression import slots_needed
from tilelang_tt.ir import tree
from tilelang_tt.ir.attrs import SPILLED
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, leaf
from tilelang_tt.transforms.buffers import fresh_buffer

_STORED = ("float32", "float16", "bfloat16", "int32", "int8", "uint8")


@dataclass(frozen=True)
class SplitExpressions:
    """See the module docstring.

    `dst_tiles` is the number of destination registers an expression may use.
    """

    dst_tiles: int
    name: str = "tt.SplitExpressions"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers

        def split(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in self._split(stmt, buffers)]

        func = frame.build(body=tree.rewrite_sequences(frame.body, split), buffers=buffers)
        parts = [buffer.name for buffer in buffers[len(frame.buffers) :]]
        return func.with_attr(SPILLED, parts) if parts else func

    def _split(self, stmt: tirx.Stmt, buffers: list[tirx.Buffer]) -> list[tirx.Stmt]:
        nest = leaf(stmt)
        if not isinstance(nest, Elementwise):
            return [stmt]
        parts: list[tirx.Stmt] = []
        while slots_needed(nest.store.value, stmt) > self.dst_tiles:
            part = self._part(nest.store.value)
            if part is None:
                break
            buffer = fresh_buffer(f"{nest.dst.name}_part", nest.dst, buffers, dtype=part.dtype)
            buffers.append(buffer)
            made = tirx.BufferStore(buffer, part, nest.store.indices)
            parts.append(tree.located(Elementwise(nest.loops, made).stmt(), stmt))
            load = tirx.BufferLoad(buffer, nest.store.indices)
            value = _replaced(nest.store.value, part, load)
            nest = Elementwise(nest.loops, tirx.BufferStore(nest.dst, value, nest.store.indices))
        return [*parts, tree.located(nest.stmt(), stmt)] if parts else [stmt]

    def _part(self, value: tirx.PrimExpr) -> tirx.PrimExpr | None:
        """The part of `value` that takes most registers of those that fit."""
        candidates = [
            part
            for part in tree.collect(value, tirx.PrimExpr)
            if part.dtype in _STORED
            and not part.same_as(value)
            and not isinstance(part, tirx.BufferLoad)
            and tree.collect(part, tirx.BufferLoad)
        ]
        fitting = [part for part in candidates if 1 < slots_needed(part) <= self.dst_tiles]
        return max(fitting, key=lambda part: (slots_needed(part), _size(part)), default=None)


def _size(value: tirx.PrimExpr) -> int:
    return len(tree.collect(value, tirx.PrimExpr))


def _replaced(value: tirx.PrimExpr, part: tirx.PrimExpr, load: tirx.BufferLoad) -> tirx.PrimExpr:
    kind = f"tirx.{type(part).__name__}"
    return ir_transform(
        tirx.Evaluate(value), None, lambda node: load if same(node, part) else None, [kind]
    ).value
