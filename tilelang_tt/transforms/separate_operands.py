"""Give the matrix unit its own copy of a float32 value that the vector unit reads in full.

The unpacker takes a circular buffer either into the source registers, which hold 19 bits of an
element, or straight into the destination registers, which hold all 32. A buffer that the matrix
unit multiplies goes the first way; what the vector unit computes with, or reduces, goes the second.

    before:  T.gemm(S, V, O, clear_accum=True)       after:   S_mm[i, j] = S[i, j]
             P[i, j] = T.exp(S[i, j] - m[i, 0])               T.gemm(S_mm, V, O, clear_accum=True)
                                                              P[i, j] = T.exp(S[i, j] - m[i, 0])

A conversion to a narrower float needs no more than the source registers hold.

Needs:    `ChooseDstMode`.
Leaves:   32-bit destination registers: float32 buffers that only the matrix unit reads, or none.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Leaf, Reduce, Region, leaf, rebuffered
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import nest_over


class SeparateOperands:
    """See the module docstring."""

    name = "tt.SeparateOperands"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        if not func.attrs[FP32_DEST]:
            return func
        frame = Frame.of(func)
        views = [view for _, view in access.leaves(frame.body)]
        in_full = {buffer for view in views for buffer in _read_in_full(view)}
        buffers = frame.buffers

        def separate(stmt: tirx.Stmt) -> list[tirx.Stmt]:
            view = leaf(stmt)
            shared = [] if view is None else access.matrix_operands(view)
            copies: dict[tirx.Buffer, tirx.Buffer] = {}
            for buffer in shared:
                if buffer in in_full and buffer not in copies:
                    copies[buffer] = fresh_buffer(f"{buffer.name}_mm", buffer, buffers)
                    buffers.append(copies[buffer])
            if view is None or not copies:
                return [stmt]
            made = [nest_over(Region.whole(new), Region.whole(old)) for old, new in copies.items()]
            used = rebuffered(
                view, lambda buffer: copies.get(buffer, buffer), lambda buffer: buffer
            )
            return [tree.located(piece, stmt) for piece in (*made, used)]

        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [new for stmt in stmts for new in separate(stmt)]
        )
        return frame.build(body=body, buffers=buffers)


def _read_in_full(view: Leaf) -> list[tirx.Buffer]:
    """The float32 buffers of which a statement needs more bits than the source registers hold."""
    if isinstance(view, Reduce) and view.src.buffer.dtype == "float32":
        return [view.src.buffer]
    if not isinstance(view, Elementwise):
        return []
    value = view.store.value
    is_narrowed = isinstance(value, tirx.Cast) and isinstance(value.value, tirx.BufferLoad)
    if is_narrowed and formats.BY_DTYPE[view.dst.dtype].element_bytes < 4:
        return []
    return [load.buffer for load in view.loads if load.dtype == "float32"]
