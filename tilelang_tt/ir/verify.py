"""What each stage of the pipeline may contain, as tables; checked between passes.

A violation is a fault of the pass before, never of the user's program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.diagnostics import BrokenStage
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import SCALAR, Frame
from tilelang_tt.ir.tileops import (
    Accumulation,
    Copy,
    Elementwise,
    Gemm,
    Reduce,
    Transpose,
    is_global,
    leaf,
)

Rule = Callable[[tirx.PrimFunc], str | None]


@dataclass(frozen=True)
class Stage:
    """A stage: its name, and rules that each return what is wrong, or None."""

    name: str
    rules: tuple[Rule, ...]


def check(func: tirx.PrimFunc, stage: Stage, after: str) -> None:
    """Raise TT9003 where `func`, left by the pass `after`, breaks a rule of `stage`."""
    for rule in stage.rules:
        if (why := rule(func)) is not None:
            raise BrokenStage.at(func.body, pass_name=after, stage=stage.name, why=why)


def _has_attributes(*names: str) -> Rule:
    def rule(func: tirx.PrimFunc) -> str | None:
        missing = [name for name in names if func.attrs is None or name not in func.attrs]
        return f"the function lacks {', '.join(missing)}" if missing else None

    return rule


def _statements_are(*kinds: type) -> Rule:
    """Every statement is control flow or has a view of one of these kinds."""

    def rule(func: tirx.PrimFunc) -> str | None:
        return _first_stranger(Frame.of(func).body, kinds)

    return rule


def _first_stranger(stmt: tirx.Stmt, kinds: tuple[type, ...]) -> str | None:
    view = leaf(stmt)
    if view is not None:
        return None if isinstance(view, kinds) else f"a {type(view).__name__} is left: {stmt}"
    match stmt:
        case tirx.SeqStmt():
            inner = list(stmt.seq)
        case tirx.For() if stmt.kind in (tirx.ForKind.SERIAL, tirx.ForKind.UNROLLED):
            inner = [stmt.body]
        case tirx.AttrStmt():
            inner = [stmt.body]
        case tirx.IfThenElse():
            inner = [case for case in (stmt.then_case, stmt.else_case) if case is not None]
        case _ if _is_plain(stmt):
            inner = []
        case _:
            return f"a {type(stmt).__name__} is left: {stmt}"
    return next(
        (why for child in inner if (why := _first_stranger(child, kinds)) is not None), None
    )


def _is_plain(stmt: tirx.Stmt) -> bool:
    """Whether the statement is an operation, nothing, or about a number that steers the program."""
    if isinstance(stmt, tirx.BufferStore):
        return stmt.buffer.scope() == SCALAR
    return tree.is_nothing(stmt) or isinstance(stmt, tirx.Bind) or ops.definition(stmt) is not None


def _copies_cross_the_chip(func: tirx.PrimFunc) -> str | None:
    for stmt in tree.collect(Frame.of(func).body, tirx.Evaluate):
        view = leaf(stmt)
        if isinstance(view, Copy):
            src, dst = view.src.buffer, view.dst.buffer
            if is_global(src) == is_global(dst) or src.dtype != dst.dtype:
                return f"a copy is not a plain transfer between a tensor and a buffer: {stmt}"
    return None


def _tensors_only_in_copies(func: tirx.PrimFunc) -> str | None:
    for access in tree.collect(Frame.of(func).body, (tirx.BufferStore, tirx.BufferLoad)):
        is_element = isinstance(access, tirx.BufferStore) or not access.dtype.startswith("handle")
        if is_element and isinstance(access, tirx.BufferStore) and is_global(access.buffer):
            return f"a tensor is written outside of a copy: {access}"
    return None


def _every_statement_has_an_engine(func: tirx.PrimFunc) -> str | None:
    def stray(stmt: tirx.Stmt) -> str | None:
        if attrs.engine_of(stmt) is not None:
            return None
        if (
            (isinstance(stmt, tirx.AttrStmt) and stmt.attr_key != attrs.SECTION)
            or leaf(stmt) is not None
            or ops.definition(stmt) is not None
        ):
            return f"no engine runs {stmt}"
        found: list[str] = []
        tree.map_bodies(stmt, lambda body: (found.extend(filter(None, [stray(body)])), body)[1])
        return found[0] if found else None

    return stray(Frame.of(func).body)


def _every_buffer_is_planned(func: tirx.PrimFunc) -> str | None:
    frame = Frame.of(func)
    plan = attrs.circular_buffers(frame) if attrs.CIRCULAR_BUFFERS in frame.annotations else {}
    missing = [buffer.name for buffer in frame.buffers if buffer.data not in plan]
    clash = len({cb.index for cb in plan.values()}) != len(plan)
    return (
        f"{', '.join(missing)} without a circular buffer"
        if missing
        else "an index is used twice"
        if clash
        else None
    )


def _only_metalium(func: tirx.PrimFunc) -> str | None:
    for attr in tree.collect(func.body, tirx.AttrStmt):
        return f"the attribute {attr.attr_key} is left"
    return None


def _dst_is_balanced(func: tirx.PrimFunc) -> str | None:
    order = (ops.TILE_REGS_ACQUIRE, ops.TILE_REGS_COMMIT, ops.TILE_REGS_WAIT, ops.TILE_REGS_RELEASE)
    calls = [
        op
        for stmt in tree.collect(func.body, tirx.Evaluate)
        if (op := ops.definition(stmt)) in order
    ]
    turns = [tuple(calls[i : i + 4]) for i in range(0, len(calls), 4)]
    return (
        None
        if all(turn == order for turn in turns)
        else "acquire, commit, wait and release do not alternate"
    )


TILE_PROGRAM = Stage(
    "tile program",
    (
        _statements_are(Copy, Gemm, Transpose, Reduce, Accumulation, Elementwise),
        _copies_cross_the_chip,
        _tensors_only_in_copies,
    ),
)
BLOCK_PROGRAM = Stage(
    "planned block program",
    (
        *TILE_PROGRAM.rules,
        _has_attributes(attrs.GRID, attrs.PARTITION, attrs.CORE_ARGS, attrs.FP32_DEST),
    ),
)
STREAMS = Stage(
    "streams", (*BLOCK_PROGRAM.rules, _every_statement_has_an_engine, _every_buffer_is_planned)
)
TILE_INSTRUCTIONS = Stage(
    "tile instructions",
    (_statements_are(Accumulation), _every_statement_has_an_engine, _every_buffer_is_planned),
)
METALIUM = Stage("Metalium", (_statements_are(), _only_metalium, _dst_is_balanced))
