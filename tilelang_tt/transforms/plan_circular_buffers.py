"""Plan the circular buffer behind every on-chip buffer: its index, pages, depth, order of tiles and
way into DST.

    before:  A_s = T.sblock_alloc_buffer((64, 32), "bfloat16")

    after:   T.sblock_attr({"tt.circular_buffers": {A_s.data: {
                 "index": 0, "pages": 2, "depth": 3, "least_depth": 1, "order": "row",
                 "unpack_to_dest": False, "producer": "reader", "consumer": "compute",
                 "reason": "num_stages=3"}}})

Depth, in blocks. The least is what cannot deadlock, as the schedule of the statements proves
(`recurrences/system.py`): one, or two where a statement makes a new value of the old one. A buffer
between two engines has two, so that one engine fills a block while the other empties one, or the
`num_stages` of the loop around it, and at least three where a core sends its blocks on to others;
one that is filled once has one. The estimated times of the statements (`recurrences/clock.py`) say
what a depth hides. Where L1 is too small, the depths shrink that cost least time, never below the
least. Where there is L1 left and no `num_stages` says otherwise, they grow where that hides more: a
long epilogue, during which blocks of the next loop are read. The reason says so, and where less
would hide as much. The option `depths`, or else a directive in the program, overrules all that,
above the least.

Order: a matrix product streams rows of tiles of its second operand; if that operand is transposed,
its tiles are kept column by column, so that they stream all the same.

Needs:    `AssignEngines`, `ChooseDstMode`.
Leaves:   the annotation `tt.circular_buffers`; the schedule in `tt.schedule`.
Errors:   TT4001, TT4002, TT4005, TT4006.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.analysis import access, layout, scalars
from tilelang_tt.analysis.schedule import Machine, schedule
from tilelang_tt.device import Device
from tilelang_tt.diagnostics import (
    BadOption,
    DepthTooSmall,
    DirectiveRefused,
    L1Overflow,
    TooManyCircularBuffers,
)
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import COLUMN_MAJOR, COMPUTE, FP32_DEST, READER, ROW_MAJOR, CircularBuffer
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Gemm, Leaf
from tilelang_tt.partition import GROUPS, PEERS
from tilelang_tt.recurrences.clock import SENT_AHEAD, Clock
from tilelang_tt.recurrences.system import Least, System


@dataclass(frozen=True)
class PlanCircularBuffers:
    """See the module docstring."""

    machine: Machine
    depths: tuple[tuple[str, int], ...] = ()
    name: str = "tt.PlanCircularBuffers"

    @property
    def device(self) -> Device:
        return self.machine.device

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        found = schedule(frame, self.machine)
        system = System(found)
        program = _Program(
            [view for _, view in access.leaves(frame.body)],
            system,
            _stages(frame.body),
            bool(func.attrs[FP32_DEST]),
        )
        self._check_directives(frame)
        plan: dict[tirx.Buffer, CircularBuffer] = {}
        for buffer in sorted(frame.buffers, key=program.rank):
            depth = self._depth(buffer, frame, program)
            plan[buffer] = program.planned(buffer, len(plan), depth)
        reserved, reserved_bytes = scalars.l1_use(frame.body)
        self._check_count(plan, frame, reserved)
        clock = Clock(system, max((cb.depth for cb in plan.values()), default=1) + 2)
        fitted = self._fit(plan, frame, clock, reserved_bytes)
        fitted = _with_hiding(self._deepened(fitted, program, reserved_bytes), clock)
        planned = attrs.with_circular_buffers(
            frame, {buffer.data: cb for buffer, cb in fitted.items()}
        )
        return attrs.with_schedule(planned, found)

    def _check_directives(self, frame: Frame) -> None:
        """A buffer of which the program chooses the depth must still be there."""
        known = {buffer.name for buffer in frame.buffers}
        for name, directive in attrs.of_buffers(frame.func, attrs.DEPTH).items():
            if name not in known:
                raise DirectiveRefused.at_place(
                    directive.place,
                    directive=directive.text,
                    why=f"{name!r} has no circular buffer: its value is computed where it is used, "
                    "or by nobody, or kept under another name",
                    instead="leave it out, or keep the value with directives.separate",
                )

    def _depth(self, buffer: tirx.Buffer, frame: Frame, program: _Program) -> _Depth:
        least = program.system.least_depth(buffer.name)
        directive = attrs.of_buffers(frame.func, attrs.DEPTH).get(buffer.name)
        option = dict(self.depths).get(buffer.name)
        if program.is_handed_over(buffer):
            if option not in (None, 1):
                expected = f"1 for {buffer.name}, which is written by other cores"
                raise BadOption.because(name="depths", value=option, expected=expected)
            return _Depth(1, least.depth, "another core writes it, which must know where")
        forced = option or (directive.value if directive is not None else None)
        if forced is not None:
            if not program.system.is_safe(buffer.name, forced):
                raise _too_small(buffer, forced, least, frame)
            return _Depth(forced, least.depth, _OPTION if option else _DIRECTIVE)
        depth, reason = program.wish(buffer)
        if least.depth > 1 and depth <= least.depth:
            depth, reason = least.depth, "the new value is made of the old one"
        return _Depth(depth, least.depth, reason)

    def _check_count(
        self, plan: dict[tirx.Buffer, CircularBuffer], frame: Frame, reserved: int
    ) -> None:
        if (needed := len(plan) + reserved) > self.device.cb_count:
            raise TooManyCircularBuffers.at(
                frame.realize,
                needed=needed,
                arch=self.device.name,
                available=self.device.cb_count,
                names=", ".join(buffer.name for buffer in plan),
            )

    def _fit(
        self, plan: dict[tirx.Buffer, CircularBuffer], frame: Frame, clock: Clock, reserved: int
    ) -> dict[tirx.Buffer, CircularBuffer]:
        """Take blocks away until all fit into L1, of which some bytes are reserved, those first
        that the program misses least."""
        plan = dict(plan)
        excess = sum(size_of(*each) for each in plan.items()) + reserved - self.device.cb_bytes
        while excess > 0:
            deep = [
                buffer
                for buffer, cb in plan.items()
                if cb.depth > cb.least_depth and cb.reason not in _FORCED
            ]
            if not deep:
                raise self._overflow(plan, frame, reserved)
            least_missed = min(deep, key=lambda buffer: _cost(buffer, plan, clock))
            excess -= size_of(least_missed, plan[least_missed])
            plan[least_missed] = _shallower(plan[least_missed])
            excess += size_of(least_missed, plan[least_missed])
        return plan

    def _deepened(
        self, plan: dict[tirx.Buffer, CircularBuffer], program: _Program, reserved: int
    ) -> dict[tirx.Buffer, CircularBuffer]:
        """The plan with blocks added where that saves enough time: one depth for all that grow."""
        usual = {buffer.name: cb.depth for buffer, cb in plan.items()}
        growing = [buffer.name for buffer, cb in plan.items() if program.may_grow(buffer, cb)]
        if not growing:
            return plan
        clock = Clock(program.system, _DEEPEST + 2)

        def grown(depth: int, names: Iterable[str]) -> dict[str, int]:
            return usual | {name: max(depth, usual[name]) for name in names}

        def cycles(depth: int, names: Iterable[str]) -> float:
            return clock.run(grown(depth, names)).cycles

        before, least = cycles(0, growing), cycles(_DEEPEST, growing)
        if least > _GAIN * before:
            return plan
        for name in list(growing):
            others = [other for other in growing if other != name]
            if cycles(_DEEPEST, others) <= least * (1 + _ALIKE):
                growing = others
        times = {
            depth: cycles(depth, growing)
            for depth in range(3, _DEEPEST + 1)
            if self._takes(plan, grown(depth, growing)) + reserved <= self.device.cb_bytes
        }
        after = min(times.values(), default=before)
        if after > _GAIN * before:
            return plan
        deep = grown(next(at for at in times if times[at] <= after * (1 + _ALIKE)), growing)
        reason = f"the more hide {1 - after / before:.0%} of the estimated time"
        return {
            buffer: cb
            if deep[buffer.name] == cb.depth
            else dataclasses.replace(cb, depth=deep[buffer.name], reason=f"{cb.reason}; {reason}")
            for buffer, cb in plan.items()
        }

    @staticmethod
    def _takes(plan: Mapping[tirx.Buffer, CircularBuffer], depths: Mapping[str, int]) -> int:
        """Bytes of L1 that the plan takes with these depths."""
        return sum(
            size_of(buffer, dataclasses.replace(cb, depth=depths[buffer.name]))
            for buffer, cb in plan.items()
        )

    def _overflow(
        self, plan: dict[tirx.Buffer, CircularBuffer], frame: Frame, reserved: int
    ) -> L1Overflow:
        rows = [
            f"  {buffer.name}: {cb.pages} tiles of {buffer.dtype} = {size_of(buffer, cb)} bytes"
            for buffer, cb in plan.items()
        ]
        rows += [f"  numbers that steer the program: {reserved} bytes"] if reserved else []
        needed = reserved + sum(size_of(buffer, cb) for buffer, cb in plan.items())
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


@dataclass(frozen=True)
class _Depth:
    blocks: int
    least: int
    reason: str


_OPTION, _DIRECTIVE = "the option depths", "the directive depth"
_FORCED = (_OPTION, _DIRECTIVE)
_LESS = "less for want of L1"
_DEEPEST = 4  # blocks that are more than usual; what helps at all, does so by then
_GAIN = 0.95
_ALIKE = 1e-3  # of the cycles of a program


def _too_small(buffer: tirx.Buffer, depth: int, least: Least, frame: Frame) -> DepthTooSmall:
    held = least.statement
    assert held is not None, buffer
    stmt = next(
        stmt
        for stmt, view in access.leaves(frame.body)
        if buffer.same_as(access.writes(view)) and buffer in access.consumed(view)
    )
    return DepthTooSmall.at(
        stmt,
        buffer=buffer.name,
        depth=depth,
        statement=f"{held.source or held.result}",
        least=least.depth,
    )


def _with_hiding(
    plan: dict[tirx.Buffer, CircularBuffer], clock: Clock
) -> dict[tirx.Buffer, CircularBuffer]:
    """The reasons, with the depths, all at once, at which the program would take as long."""
    depths = {buffer.name: cb.depth for buffer, cb in plan.items()}
    longest = clock.run(depths).cycles * (1 + _ALIKE)
    for buffer, cb in plan.items():
        while depths[buffer.name] > cb.least_depth:
            fewer = {**depths, buffer.name: depths[buffer.name] - 1}
            if clock.run(fewer).cycles > longest:
                break
            depths = fewer
    return {
        buffer: cb
        if (enough := depths[buffer.name]) == cb.depth
        else dataclasses.replace(cb, reason=f"{cb.reason}; {enough} would hide as much")
        for buffer, cb in plan.items()
    }


def _cost(
    buffer: tirx.Buffer, plan: dict[tirx.Buffer, CircularBuffer], clock: Clock
) -> tuple[float, int, int]:
    """What a block less costs: cycles of the program, then blocks, then bytes that it brings."""
    depths = {other.name: cb.depth for other, cb in plan.items()}
    depths[buffer.name] -= 1
    cycles = clock.run(depths).cycles
    return round(cycles), -plan[buffer].depth, -size_of(buffer, plan[buffer]) // plan[buffer].depth


def _shallower(cb: CircularBuffer) -> CircularBuffer:
    reason = cb.reason if cb.reason.endswith(_LESS) else f"{cb.reason}, {_LESS}"
    return dataclasses.replace(cb, depth=cb.depth - 1, reason=reason)


@dataclass(frozen=True)
class _Program:
    """`stages` are the `num_stages` of the innermost loop around what writes a buffer."""

    views: list[Leaf]
    system: System
    stages: dict[tirx.Buffer, int]
    is_fp32: bool

    def planned(self, buffer: tirx.Buffer, index: int, depth: _Depth) -> CircularBuffer:
        grid = layout.tile_grid(buffer)
        assert grid is not None, buffer
        producer, consumer = self._engines(buffer)
        return CircularBuffer(
            index=index,
            pages=grid.tiles,
            depth=depth.blocks,
            least_depth=depth.least,
            order=self._order(buffer),
            producer=producer,
            consumer=consumer,
            unpack_to_dest=buffer.dtype in ("float32", "int32")
            and self.is_fp32
            and not self._is_operand(buffer),
            reason=depth.reason,
        )

    def wish(self, buffer: tirx.Buffer) -> tuple[int, str]:
        """The depth of a buffer where there is enough L1, and why."""
        producer, consumer = self._engines(buffer)
        if self.system.is_made_once(buffer.name):
            return 1, "one block is made in all"
        if producer == consumer:
            return 1, "producer and consumer take turns"
        depth, reason = 2, "one block is filled while another is emptied"
        if self.stages.get(buffer, 0) > 2:
            depth, reason = self.stages[buffer], f"num_stages={self.stages[buffer]}"
        if depth < SENT_AHEAD and self._is_sent(buffer):
            depth = SENT_AHEAD
            reason = "one block is read, one is sent to other cores, one is used"
        return depth, reason

    def may_grow(self, buffer: tirx.Buffer, cb: CircularBuffer) -> bool:
        """Whether nobody has said how deep the buffer is, and two engines may hide more in it."""
        is_chosen = cb.reason in _FORCED or self.stages.get(buffer, 0) > 0
        is_passed_on = cb.producer != cb.consumer and not self.is_handed_over(buffer)
        return is_passed_on and not is_chosen and not self.system.is_made_once(buffer.name)

    def rank(self, buffer: tirx.Buffer) -> int:
        """Inputs first, then what stays in the compute engine, then outputs."""
        producer, consumer = self._engines(buffer)
        return 0 if producer == READER else 1 if consumer == COMPUTE else 2

    def _engines(self, buffer: tirx.Buffer) -> tuple[str, str]:
        """The producer and the consumer."""
        statements = self.system.schedule.statements
        producers = {each.engine for each in statements if buffer.name in each.reserves}
        consumers = {each.engine for each in statements if buffer.name in each.reads}
        assert len(producers) == 1, (buffer.name, producers)
        assert len(consumers) == 1, (buffer.name, consumers)
        return producers.pop(), consumers.pop()

    def _is_sent(self, buffer: tirx.Buffer) -> bool:
        """Whether one of several cores reads the buffer's blocks and sends them to the others."""
        return any(
            isinstance(view, Copy) and view.group in GROUPS and buffer.same_as(view.dst.buffer)
            for view in self.views
        )

    def is_handed_over(self, buffer: tirx.Buffer) -> bool:
        """Whether other cores of a team write the buffer."""
        return any(
            isinstance(view, Copy) and view.group in PEERS and buffer.same_as(view.dst.buffer)
            for view in self.views
        )

    def _order(self, buffer: tirx.Buffer) -> str:
        uses = [
            view for view in self.views if isinstance(view, Gemm) and buffer.same_as(view.b.buffer)
        ]
        is_turned = bool(uses) and all(gemm.transpose_b for gemm in uses)
        return COLUMN_MAJOR if is_turned else ROW_MAJOR

    def _is_operand(self, buffer: tirx.Buffer) -> bool:
        """Whether the matrix unit multiplies or reduces the buffer, which it must read into its
        source registers."""
        return any(buffer in access.matrix_operands(view) for view in self.views)


def _stages(stmt: tirx.Stmt) -> dict[tirx.Buffer, int]:
    """`num_stages` of the innermost loop around the statement that writes a buffer."""
    found: dict[tirx.Buffer, int] = {}
    for loop in reversed(tree.collect(stmt, tirx.For)):
        if "num_stages" in loop.annotations:
            for _, view in access.leaves(loop.body):
                found[access.writes(view)] = int(loop.annotations["num_stages"])
    return found
