"""Plan the circular buffer behind every on-chip buffer: its index, pages, depth, order of tiles and
way into DST.

    before:  A_s = T.sblock_alloc_buffer((64, 32), "bfloat16")

    after:   T.sblock_attr({"tt.circular_buffers": {A_s.data: {
                 "index": 0, "pages": 2, "depth": 3, "order": "row", "unpack_to_dest": False,
                 "producer": "reader", "consumer": "compute", "reason": "num_stages=3"}}})

Depth, in blocks: a buffer between two engines has two, so that one engine fills a block while the
other empties one, or the `num_stages` of the loop around it, and at least three where a core sends
its blocks on to others; one between two statements of the compute engine has one, as those take
turns, or two where a statement makes a new value of the old one. Depths shrink where L1 is too
small.

Order: a matrix product streams rows of tiles of its second operand; if that operand is transposed,
its tiles are kept column by column, so that they stream all the same.

Needs:    `AssignEngines`, `ChooseDstMode`.
Leaves:   the annotation `tt.circular_buffers`.
Errors:   TT4001, TT4002.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.analysis import access, layout
from tilelang_tt.device import Device
from tilelang_tt.diagnostics import L1Overflow, TooManyCircularBuffers
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import COLUMN_MAJOR, COMPUTE, FP32_DEST, READER, ROW_MAJOR, CircularBuffer
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Gemm
from tilelang_tt.partition import GROUPS, PEERS
from tilelang_tt.transforms.assign_engines import engine_for
from tilelang_tt.transforms.read_ahead import BLOCKS


@dataclass(frozen=True)
class PlanCircularBuffers:
    """See the module docstring."""

    device: Device
    name: str = "tt.PlanCircularBuffers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        is_fp32 = bool(func.attrs[FP32_DEST])
        stages = _stages(frame.body)
        plan: dict[tirx.Buffer, CircularBuffer] = {}
        for buffer in sorted(frame.buffers, key=lambda buffer: _rank(buffer, frame)):
            plan[buffer] = _plan(buffer, len(plan), frame, stages, is_fp32)
        self._check_count(plan, frame)
        fitted = self._fit(plan, frame)
        return attrs.with_circular_buffers(
            frame, {buffer.data: cb for buffer, cb in fitted.items()}
        )

    def _check_count(self, plan: dict[tirx.Buffer, CircularBuffer], frame: Frame) -> None:
        if len(plan) > self.device.cb_count:
            raise TooManyCircularBuffers.at(
                frame.realize,
                needed=len(plan),
                arch=self.device.name,
                available=self.device.cb_count,
                names=", ".join(buffer.name for buffer in plan),
            )

    def _fit(
        self, plan: dict[tirx.Buffer, CircularBuffer], frame: Frame
    ) -> dict[tirx.Buffer, CircularBuffer]:
        """Take blocks away from the largest buffers until all fit into L1."""
        plan = dict(plan)
        while sum(size_of(buffer, cb) for buffer, cb in plan.items()) > self.device.cb_bytes:
            deep = [buffer for buffer, cb in plan.items() if cb.depth > 1]
            if not deep:
                raise self._overflow(plan, frame)
            largest = max(
                deep, key=lambda buffer: (plan[buffer].depth, size_of(buffer, plan[buffer]))
            )
            cb = plan[largest]
            plan[largest] = dataclasses.replace(
                cb, depth=cb.depth - 1, reason=f"{cb.reason}, less for want of L1"
            )
        return plan

    def _overflow(self, plan: dict[tirx.Buffer, CircularBuffer], frame: Frame) -> L1Overflow:
        rows = [
            f"  {buffer.name}: {cb.pages} tiles of {buffer.dtype} = {size_of(buffer, cb)} bytes"
            for buffer, cb in plan.items()
        ]
        needed = sum(size_of(buffer, cb) for buffer, cb in plan.items())
        return L1Overflow.at(
            frame.realize,
            needed=needed,
            available=self.device.cb_bytes,
            arch=self.device.name,
            table="\n".join(rows),
        )


def size_of(buffer: tirx.Buffer, cb: CircularBuffer) -> int:
    """Bytes of L1 that a circular buffer takes."""
    return cb.pages * cb.depth * formats.BY_DTYPE[buffer.dtype].tile_bytes


def _plan(
    buffer: tirx.Buffer, index: int, frame: Frame, stages: dict[tirx.Buffer, int], is_fp32: bool
) -> CircularBuffer:
    grid = layout.tile_grid(buffer)
    assert grid is not None, buffer
    producer, consumer = _engines(buffer, frame)
    depth, reason = 2, "one block is filled while another is emptied"
    if producer == consumer and _is_updated(buffer, frame):
        depth, reason = 2, "the new value is made of the old one"
    elif producer == consumer:
        depth, reason = 1, "producer and consumer take turns"
    elif stages.get(buffer, 0) > 2:
        depth, reason = stages[buffer], f"num_stages={stages[buffer]}"
    if _is_handed_over(buffer, frame):
        depth, reason = 1, "another core writes it, which must know where"
    elif depth < BLOCKS and _is_sent(buffer, frame):
        depth, reason = BLOCKS, "one block is read, one is sent to other cores, one is used"
    return CircularBuffer(
        index=index,
        pages=grid.tiles,
        depth=depth,
        order=_order(buffer, frame),
        producer=producer,
        consumer=consumer,
        unpack_to_dest=buffer.dtype in ("float32", "int32")
        and is_fp32
        and not _is_operand(buffer, frame),
        reason=reason,
    )


def _is_updated(buffer: tirx.Buffer, frame: Frame) -> bool:
    """Whether a statement reads one value of the buffer and writes the next."""
    return any(
        buffer.same_as(access.writes(view)) and buffer in access.consumed(view)
        for _, view in access.leaves(frame.body)
    )


def _is_sent(buffer: tirx.Buffer, frame: Frame) -> bool:
    """Whether one of several cores reads the buffer's blocks and sends them to the others."""
    return any(
        isinstance(view, Copy) and view.group in GROUPS and buffer.same_as(view.dst.buffer)
        for _, view in access.leaves(frame.body)
    )


def _is_handed_over(buffer: tirx.Buffer, frame: Frame) -> bool:
    """Whether other cores of a team hand their parts over in the buffer."""
    return any(
        isinstance(view, Copy) and view.group in PEERS and buffer.same_as(view.dst.buffer)
        for _, view in access.leaves(frame.body)
    )


def _engines(buffer: tirx.Buffer, frame: Frame) -> tuple[str, str]:
    """The producer and the consumer."""
    views = [view for _, view in access.leaves(frame.body)]
    producers = {engine_for(view) for view in views if buffer.same_as(access.writes(view))}
    consumers = {engine_for(view) for view in views if buffer in access.consumed(view)}
    assert len(producers) == 1, (buffer.name, producers)
    assert len(consumers) == 1, (buffer.name, consumers)
    return producers.pop(), consumers.pop()


def _rank(buffer: tirx.Buffer, frame: Frame) -> int:
    """Inputs first, then what stays in the compute engine, then outputs."""
    producer, consumer = _engines(buffer, frame)
    return 0 if producer == READER else 1 if consumer == COMPUTE else 2


def _gemms(frame: Frame) -> list[Gemm]:
    return [view for _, view in access.leaves(frame.body) if isinstance(view, Gemm)]


def _order(buffer: tirx.Buffer, frame: Frame) -> str:
    uses = [gemm for gemm in _gemms(frame) if buffer.same_as(gemm.b.buffer)]
    is_turned = bool(uses) and all(gemm.transpose_b for gemm in uses)
    return COLUMN_MAJOR if is_turned else ROW_MAJOR


def _is_operand(buffer: tirx.Buffer, frame: Frame) -> bool:
    """Whether the matrix unit multiplies or reduces the buffer, which it must read into its source
    registers."""
    return any(buffer in access.matrix_operands(view) for _, view in access.leaves(frame.body))


def _stages(stmt: tirx.Stmt) -> dict[tirx.Buffer, int]:
    """`num_stages` of the innermost loop around the statement that writes a buffer."""
    found: dict[tirx.Buffer, int] = {}
    for loop in reversed(tree.collect(stmt, tirx.For)):
        if "num_stages" in loop.annotations:
            for _, view in access.leaves(loop.body):
                found[access.writes(view)] = int(loop.annotations["num_stages"])
    return found
