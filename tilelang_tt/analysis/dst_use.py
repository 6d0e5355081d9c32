"""How a compute kernel uses the destination registers: what `plan.DstUse` records.

It is measured on the finished kernel, between acquire and release, not taken from the passes that
chose the registers. All tiles of a section are computed alike, so one is followed: every loop of
the section is looked at in its first iteration, and packed tiles are counted by the loops' extents.
A loop over the steps of a sum, which may be of any extent, packs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.plan import DstUse

_SOURCES = ("x", "y", "condition", "yes", "no")
_FILLS = (ops.FILL_TILE, ops.FILL_INT)


def dst_use(kernel: tirx.PrimFunc) -> list[DstUse]:
    """The sections of a compute kernel that hold the destination registers, in program order."""
    frame = Frame.of(kernel)
    names = {buffer.data: buffer.name for buffer in frame.buffers}
    return [section.measured(names) for section in _sections(frame.body, [""])]


@dataclass
class _Section:
    source: str
    stmts: list[tirx.Stmt] = field(default_factory=list)

    def measured(self, names: dict[tirx.Var, str]) -> DstUse:
        accesses = [_Access.of(call) for stmt in self.stmts for call in _first_iteration(stmt)]
        packs = [
            (call, count) for stmt in self.stmts for call, count in _repeated(stmt) if _packs(call)
        ]
        live: set[int] = set()
        most = 0
        for access in reversed(accesses):
            most = max(most, len(live))
            live = (live - access.writes) | access.reads
        return DstUse(
            source=self.source,
            result=names[ops.PACK_TILE.operand(packs[0][0], "cb")],
            tiles=sum(count for _, count in packs),
            live=most,
            slots=len(set[int]().union(*(access.writes for access in accesses))),
        )


@dataclass(frozen=True)
class _Access:
    """The destination registers that one operation reads and writes."""

    reads: set[int]
    writes: set[int]

    @classmethod
    def of(cls, call: tirx.Call) -> _Access:
        op = ops.BY_NAME[call.op.name]

        def slots(*wanted: str) -> set[int]:
            operands = [op.operand(call, name) for name in wanted if name in op.operands]
            return {_number(operand) for operand in operands}

        if op is ops.PACK_TILE:
            return cls(slots("dst"), set())
        if op.unit == "fpu":
            return cls(set(), slots("dst"))
        if op.unit == "sfpu":
            in_place = () if op in _FILLS else ("dst",)
            return cls(slots(*_SOURCES, *in_place), slots("dst", "out"))
        return cls(set(), set())


def _sections(stmt: tirx.Stmt, source: list[str]) -> Iterator[_Section]:
    """The sections of `stmt`; `source` holds the text of the last comment before."""
    section: _Section | None = None
    for child in tree.statements(stmt):
        op = ops.definition(child)
        if op is ops.COMMENT:
            source[0] = str(child.value.args[0].value)
        elif op is ops.TILE_REGS_ACQUIRE:
            section = _Section(source[0])
        elif op is ops.TILE_REGS_RELEASE:
            assert section is not None, stmt
            yield section
            section = None
        elif section is not None:
            section.stmts.append(child)
        else:
            for body in _bodies(child):
                yield from _sections(body, source)


def _bodies(stmt: tirx.Stmt) -> list[tirx.Stmt]:
    bodies: list[tirx.Stmt] = []

    def keep(body: tirx.Stmt) -> tirx.Stmt:
        bodies.append(body)
        return body

    tree.map_bodies(stmt, keep)
    return bodies


def _first_iteration(stmt: tirx.Stmt) -> Iterator[tirx.Call]:
    first = {loop.loop_var: loop.min for loop in tree.collect(stmt, tirx.For)}
    for call, _ in _repeated(substitute(stmt, first)):
        yield call


def _repeated(stmt: tirx.Stmt) -> Iterator[tuple[tirx.Call, int]]:
    """The operations of `stmt`, and how often each runs."""
    if isinstance(stmt, tirx.For):
        extent = ranges.constant(stmt.extent)
        for call, count in _repeated(stmt.body):
            assert extent is not None or not _packs(call), stmt
            yield call, count * (extent or 1)
    elif isinstance(stmt, tirx.SeqStmt):
        for child in stmt.seq:
            yield from _repeated(child)
    elif ops.definition(stmt) is not None:
        yield stmt.value, 1


def _packs(call: tirx.Call) -> bool:
    return ops.BY_NAME[call.op.name] is ops.PACK_TILE


def _number(slot: tirx.PrimExpr) -> int:
    number = ranges.constant(arith.Analyzer().simplify(slot))
    assert number is not None, slot
    return number
