"""Make every transfer between DRAM and the chip a plain copy of one dtype into a buffer of its own.

A data-movement core moves bytes: it neither converts nor computes. Whatever a copy or an
element-wise loop does beyond moving is done on tiles on the chip, before or after a plain copy
through a new buffer.

    before:  T.copy(C_l[0:64, 0:64], C[...])         float32 to bfloat16
             for i, j in T.Parallel(64, 64):
                 D[by * 64 + i, j] = A[by * 64 + i, j] + 1

    after:   for i, j in T.Parallel(64, 64):
                 C_out[i, j] = T.Cast("bfloat16", C_l[i, j])
             T.copy(C_out[0:64, 0:64], C[...])
             T.copy(A[...], A_in[0:64, 0:64])
             for i, j in T.Parallel(64, 64):
                 D_out[i, j] = A_in[i, j] + 1
             T.copy(D_out[0:64, 0:64], D[...])

Needs:    `IsolateElementwise`.
Leaves:   tensors only in copies, between a tensor and a buffer of its dtype.
Errors:   TT1010, TT2002, TT2005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tvm import tirx

from tilelang_tt.diagnostics import RegionMismatch
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Elementwise, Region, is_global, leaf, map_loads
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import box_of, moved_extents, nest_over


class StageTransfers:
    """See the module docstring."""

    name = "tt.StageTransfers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        staging = _Staging(frame.buffers)
        body = tree.rewrite_sequences(frame.body, staging.stage_all)
        return frame.build(body=body, buffers=staging.buffers)


@dataclass
class _Staging:
    """Rewrites sequences and collects the buffers they need."""

    buffers: list[tirx.Buffer] = field(default_factory=list)

    def stage_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [new for stmt in stmts for new in self._stage(stmt)]

    def _stage(self, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        match leaf(stmt):
            case Copy() as copy:
                new = self._stage_copy(copy, stmt)
            case Elementwise() as nest:
                new = self._stage_nest(nest, stmt)
            case _:
                return [stmt]
        return [tree.located(piece, stmt) for piece in new]

    def _stage_copy(self, copy: Copy, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        src, dst = copy.src.buffer, copy.dst.buffer
        if moved_extents(copy.src, stmt) != moved_extents(copy.dst, stmt):
            raise RegionMismatch.at(stmt, src_extents=copy.src.text(), dst_extents=copy.dst.text())
        if not is_global(src) and not is_global(dst):
            return [nest_over(copy.dst, copy.src)]
        if is_global(src) and is_global(dst):
            between = self._buffer(src, src.name + "_in", moved_extents(copy.src, stmt))
            return [
                Copy(copy.src, Region.whole(between)).stmt(),
                *self._stage_copy(Copy(Region.whole(between), copy.dst), stmt),
            ]
        if src.dtype == dst.dtype:
            return [copy.stmt()]
        if is_global(src):
            between = self._buffer(src, dst.name + "_in", moved_extents(copy.dst, stmt))
            return [
                Copy(copy.src, Region.whole(between)).stmt(),
                nest_over(copy.dst, Region.whole(between)),
            ]
        between = self._buffer(dst, src.name + "_out", moved_extents(copy.src, stmt))
        return [
            nest_over(Region.whole(between), copy.src),
            Copy(Region.whole(between), copy.dst).stmt(),
        ]

    def _stage_nest(self, nest: Elementwise, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        value, before = self._stage_loads(nest, stmt)
        if not is_global(nest.dst):
            store = tirx.BufferStore(nest.dst, value, nest.store.indices)
            return [*before, Elementwise(nest.loops, store).stmt()] if before else [stmt]
        region = box_of(nest.dst, nest.store.indices, nest, stmt)
        inner = _counted(nest.store.indices, nest)
        out = self._buffer(nest.dst, nest.dst.name + "_out", moved_extents(region, stmt))
        store = tirx.BufferStore(out, value, inner)
        return [
            *before,
            Elementwise(nest.loops, store).stmt(),
            Copy(Region.whole(out), region).stmt(),
        ]

    def _stage_loads(
        self, nest: Elementwise, stmt: tirx.Stmt
    ) -> tuple[tirx.PrimExpr, list[tirx.Stmt]]:
        staged: list[tuple[tirx.BufferLoad, tirx.BufferLoad]] = []
        before: list[tirx.Stmt] = []
        for load in nest.loads:
            if is_global(load.buffer) and not any(same(load, old) for old, _ in staged):
                region = box_of(load.buffer, load.indices, nest, stmt)
                inner = _counted(load.indices, nest)
                buffer = self._buffer(
                    load.buffer, load.buffer.name + "_in", moved_extents(region, stmt)
                )
                staged.append((load, tirx.BufferLoad(buffer, inner)))
                before.append(Copy(region, Region.whole(buffer)).stmt())

        def replace(load: tirx.BufferLoad) -> tirx.BufferLoad | None:
            return next((new for old, new in staged if same(old, load)), None)

        return map_loads(nest.store.value, replace), before

    def _buffer(self, like: tirx.Buffer, name: str, shape: list[int]) -> tirx.Buffer:
        buffer = fresh_buffer(name, like, self.buffers, shape)
        self.buffers.append(buffer)
        return buffer


def _counted(indices: Sequence[tirx.PrimExpr], nest: Elementwise) -> list[tirx.PrimExpr]:
    """The variables of the nest in the order of the indices they are in: those into a buffer of the
    box."""
    used = [var for index in indices for var in nest.vars if var in tree.collect(index, tirx.Var)]
    return [*used] or [tirx.const(0, "int32")]
