"""Hand the pages of every circular buffer from its producer to its consumer and back.

In the innermost sequence that holds all uses of a buffer, the producer reserves a block before it
first writes and publishes it after it last did; the consumer waits for it before it first reads and
frees it after it last did. Data that moves over the NoC has arrived before it is published, and has
left before its pages are freed.

    before:  on reader:  noc_read(..., A_s, 0)
             on compute: copy_tile(A_s, 0, 0)

    after:   on reader:  cb_reserve_back(A_s, pages)
                         noc_read(..., A_s, 0)
                         noc_read_barrier()
                         cb_push_back(A_s, pages)
             on compute: cb_wait_front(A_s, pages)
                         copy_tile(A_s, 0, 0)
                         cb_pop_front(A_s, pages)

Needs:    tile instructions (`LowerCopies`, `LowerGemms`, `LowerElementwise`).
Leaves:   the protocol, each call on its engine.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.analysis import cb_use
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import READER, WRITER, CircularBuffer, on_engine
from tilelang_tt.ir.frame import Frame


class InsertCbProtocol:
    """See the module docstring."""

    name = "tt.InsertCbProtocol"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        plan = attrs.circular_buffers(frame)
        return frame.build(body=_protect(frame.body, plan))


def _protect(stmt: tirx.Stmt, plan: dict[tirx.Var, CircularBuffer]) -> tirx.Stmt:
    """Insert the protocol of the buffers in `plan`, all of which `stmt` uses or none of it does."""
    if attrs.engine_of(stmt) is not None:
        return stmt
    children = tree.statements(stmt)
    if len(children) == 1:
        return tree.map_bodies(stmt, lambda body: _protect(body, plan))
    before: list[list[tirx.Stmt]] = [[] for _ in children]
    after: list[list[tirx.Stmt]] = [[] for _ in children]
    inner = dict(plan)
    for cb, planned in plan.items():
        filled = [i for i, child in enumerate(children) if cb in cb_use.fills(child)]
        drained = [i for i, child in enumerate(children) if cb in cb_use.drains(child)]
        if len({*filled, *drained}) < 2:
            continue  # not used here, or all uses lie inside one child
        del inner[cb]
        before[filled[0]].append(_on(planned.producer, ops.CB_RESERVE_BACK, cb))
        after[filled[-1]] += _publish(planned, cb)
        before[drained[0]].append(_on(planned.consumer, ops.CB_WAIT_FRONT, cb))
        after[drained[-1]] += _free(planned, cb)
    protected = [
        stmt
        for i, child in enumerate(children)
        for stmt in (*before[i], _protect(child, inner), *after[i])
    ]
    return tree.sequence(protected)


def _publish(planned: CircularBuffer, cb: tirx.Var) -> list[tirx.Stmt]:
    push = _on(planned.producer, ops.CB_PUSH_BACK, cb)
    return (
        [on_engine(READER, ops.NOC_READ_BARRIER.stmt()), push]
        if planned.producer == READER
        else [push]
    )


def _free(planned: CircularBuffer, cb: tirx.Var) -> list[tirx.Stmt]:
    pop = _on(planned.consumer, ops.CB_POP_FRONT, cb)
    return (
        [on_engine(WRITER, ops.NOC_WRITE_BARRIER.stmt()), pop]
        if planned.consumer == WRITER
        else [pop]
    )


def _on(engine: str, op: ops.OpDef, cb: tirx.Var) -> tirx.Stmt:
    return on_engine(engine, op.stmt(cb, ops.BLOCK_PAGES.call(cb)))
