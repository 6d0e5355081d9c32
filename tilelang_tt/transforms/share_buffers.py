"""Let values of the compute engine that are never needed at the same time share a buffer.

Each buffer is a circular buffer, of which there are few, and takes its share of L1 for the whole
program. Two of one shape and dtype, both written and read by the compute engine alone, become one
where the life of each value ends before the other's begins. One whose depth the program chooses
stays by itself.

    before:  P_mm[i, j] = ...                        after:   P_mm[i, j] = ...
             Q[i, j] = P_mm[i, j] * 2                         Q[i, j] = P_mm[i, j] * 2
             R_mm[i, j] = Q[i, j] + 1                         P_mm[i, j] = Q[i, j] + 1

Needs:    `MapGrid`; every constant tile made.
Leaves:   fewer buffers.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.analysis import access
from tilelang_tt.analysis.liveness import interference
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import COMPUTE
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Leaf, leaf, rebuffered
from tilelang_tt.transforms.assign_engines import engine_for


class ShareBuffers:
    """See the module docstring."""

    name = "tt.ShareBuffers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        views = [view for _, view in access.leaves(frame.body)]
        shared = _shared(frame, views)
        if not shared:
            return func

        def rename(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [_renamed(stmt, shared) for stmt in stmts]

        kept = [buffer for buffer in frame.buffers if buffer not in shared]
        return frame.build(body=tree.rewrite_sequences(frame.body, rename), buffers=kept)


def _shared(frame: Frame, views: list[Leaf]) -> dict[tirx.Buffer, tirx.Buffer]:
    """The buffer that each one becomes that is given up."""
    meets = interference(frame.body)
    operands = {buffer for view in views for buffer in access.matrix_operands(view)}
    members: dict[tirx.Buffer, list[tirx.Buffer]] = {}
    shared: dict[tirx.Buffer, tirx.Buffer] = {}
    chosen = attrs.of_buffers(frame.func, attrs.DEPTH)
    for buffer in frame.buffers:
        if buffer.name in chosen or not _is_internal(buffer, views):
            continue
        home = next(
            (
                other
                for other, tenants in members.items()
                if _is_alike(buffer, other)
                and (buffer in operands) == (other in operands)
                and not any(tenant in meets[buffer] for tenant in tenants)
            ),
            None,
        )
        if home is None:
            members[buffer] = [buffer]
        else:
            members[home].append(buffer)
            shared[buffer] = home
    return shared


def _is_internal(buffer: tirx.Buffer, views: list[Leaf]) -> bool:
    """Whether only the compute engine writes and reads the buffer."""
    return all(
        engine_for(view) == COMPUTE
        for view in views
        if buffer.same_as(access.writes(view))
        or any(buffer.same_as(read) for read in access.reads(view))
    )


def _is_alike(one: tirx.Buffer, other: tirx.Buffer) -> bool:
    return one.dtype == other.dtype and same_all(one.shape, other.shape)


def _renamed(stmt: tirx.Stmt, shared: dict[tirx.Buffer, tirx.Buffer]) -> tirx.Stmt:
    view = leaf(stmt)
    if view is None or not any(
        buffer in shared for buffer in (*access.reads(view), access.writes(view))
    ):
        return stmt

    def home(buffer: tirx.Buffer) -> tirx.Buffer:
        return shared.get(buffer, buffer)

    return tree.located(rebuffered(view, home, home), stmt)
