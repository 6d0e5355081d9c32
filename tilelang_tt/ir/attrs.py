"""Decisions of the planning passes, as frozen dataclasses, and how they are kept on a function.

The circular buffers stand in the annotation `tt.circular_buffers` of the block, a map from the
buffer's data variable; what concerns the whole program stands in function attributes. Both print
with the function.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.ir.frame import Frame

CIRCULAR_BUFFERS = "tt.circular_buffers"
ENGINE = "tt.engine"
SECTION = "tt.dst_section"

FIRST_BLOCK = "tt.first_block"
BLOCK_COUNT = "tt.block_count"
GRID = "tt.grid"
CONDITIONS = "tt.conditions"
FP32_DEST = "tt.fp32_dest_acc"

READER, COMPUTE, WRITER = "reader", "compute", "writer"
ENGINES = (READER, COMPUTE, WRITER)

ROW_MAJOR, COLUMN_MAJOR = "row", "column"


@dataclass(frozen=True)
class CircularBuffer:
    """One circular buffer: a block of `pages` tiles, `depth` blocks deep, in the given order of
    tiles.

    `producer` and `consumer` are engines. `unpack_to_dest` keeps all 32 bits on the way into DST.
    `reason` says why the buffer is as deep as it is.
    """

    index: int
    pages: int
    depth: int
    order: str
    producer: str
    consumer: str
    unpack_to_dest: bool
    reason: str


def circular_buffers(frame: Frame) -> dict[tirx.Var, CircularBuffer]:
    """The plan of every on-chip buffer, by its data variable."""
    recorded = frame.annotations[CIRCULAR_BUFFERS]
    return {var: _decode(values) for var, values in recorded.items()}


def with_circular_buffers(frame: Frame, plan: Mapping[tirx.Var, CircularBuffer]) -> tirx.PrimFunc:
    """The function with this plan recorded."""
    encoded = {var: _encode(cb) for var, cb in plan.items()}
    return frame.build(annotations={**frame.annotations, CIRCULAR_BUFFERS: encoded})


def engine_of(stmt: tirx.Stmt) -> str | None:
    """The engine that a wrapped statement belongs to."""
    if isinstance(stmt, tirx.AttrStmt) and stmt.attr_key == ENGINE:
        return str(stmt.value.value)
    return None


def on_engine(engine: str, stmt: tirx.Stmt) -> tirx.AttrStmt:
    return tirx.AttrStmt(tirx.const(0, "int32"), ENGINE, tirx.StringImm(engine), stmt)


def dst_section(stmts: Iterable[tirx.Stmt]) -> tirx.AttrStmt:
    """Statements that compute into DST, then those that pack what they left there."""
    return tirx.AttrStmt(
        tirx.const(0, "int32"),
        SECTION,
        tirx.StringImm("math, then pack"),
        tirx.SeqStmt(list(stmts)),
    )


def _encode(cb: CircularBuffer) -> dict[str, object]:
    return dataclasses.asdict(cb)


def _decode(values: Mapping[str, object]) -> CircularBuffer:
    typed = {
        name: str(value) if isinstance(value, str) else value for name, value in values.items()
    }
    return CircularBuffer(**{**typed, "unpack_to_dest": bool(typed["unpack_to_dest"])})
