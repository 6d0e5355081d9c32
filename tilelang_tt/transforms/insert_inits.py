"""Set the compute engine up before each operation that needs another set-up than the one in force.

The unpacker, the matrix unit, the vector unit and the packer keep state: the operation they are set
up for, and the data formats of their registers. This pass follows that state through the program
and inserts the calls that change it, as far out of loops as one set-up serves the whole loop.

    before:  for block in range(n):
                 T.add_tiles(A.data, B.data, ...)
                 T.pack_tile(0, C.data, 0)

    after:   T.compute_kernel_hw_startup(A.data, B.data, C.data)
             T.add_init(A.data, B.data)
             for block in range(n):
                 T.add_tiles(A.data, B.data, ...)
                 T.pack_tile(0, C.data, 0)

An operation that takes one operand adds the other source register, which is zero. Both hold
integers of 8 bits or neither: in a kernel that has such, the formats of both are set to that of the
operand.

Needs:    `InsertDstProtocol`.
Leaves:   a compute kernel in which every operation finds the state it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import Frame

State = dict[str, object]
"""What each piece of state is set to; a piece whose setting is not known is absent."""


@dataclass(frozen=True)
class Requirement:
    """A piece of state, the setting an operation needs, and the call that makes it so."""

    piece: str
    setting: object
    change: tirx.Stmt


class InsertInits:
    """See the module docstring."""

    name = "tt.InsertInits"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        has_bytes = any(buffer.dtype in ops.BYTES for buffer in frame.buffers)
        setup = _Setup(_formats(frame), has_bytes)
        startup, state = setup.start(frame.body)
        return frame.build(body=tree.sequence([*startup, setup.visit(frame.body, state)]))


def _formats(frame: Frame) -> dict[tirx.Var, object]:
    """How the unpacker and the packer see each circular buffer."""
    plan = attrs.circular_buffers(frame)
    return {
        buffer.data: (buffer.dtype, plan[buffer.data].unpack_to_dest) for buffer in frame.buffers
    }


@dataclass(frozen=True)
class _Setup:
    """`formats` says how each circular buffer is seen, `has_bytes` whether one has 8 bits."""

    formats: dict[tirx.Var, object]
    has_bytes: bool

    def start(self, body: tirx.Stmt) -> tuple[list[tirx.Stmt], State]:
        """The first call of the kernel, which must fit the first operation, and the state after
        it."""
        calls = tree.collect(body, tirx.Evaluate)
        first = next(
            (
                (op, stmt.value)
                for stmt in calls
                if (op := ops.definition(stmt)) and op.unit == "fpu"
            ),
            None,
        )
        pack = next((stmt.value for stmt in calls if ops.definition(stmt) is ops.PACK_TILE), None)
        if pack is None:
            return [], {}
        out = ops.PACK_TILE.operand(pack, "cb")
        if first is None:  # nothing is unpacked: any format will do
            return [ops.HW_STARTUP.stmt(out, out, out)], self._state(out, out, out)
        op, call = first
        src_a = op.operand(call, op.src_a or op.src_b)
        src_b = op.operand(call, op.src_b or op.src_a)
        if op.src_a == "b":
            return [ops.HW_STARTUP_REVERSE.stmt(src_b, src_a, out)], self._state(src_a, src_b, out)
        return [ops.HW_STARTUP.stmt(src_a, src_b, out)], self._state(src_a, src_b, out)

    def _state(self, src_a: tirx.Var, src_b: tirx.Var, out: tirx.Var) -> State:
        return {
            "src_a": self.formats[src_a],
            "src_b": self.formats[src_b],
            "pack": self.formats[out],
        }

    def visit(self, stmt: tirx.Stmt, state: State) -> tirx.Stmt:
        """`stmt` with what it needs before it; `state` becomes what holds after it."""
        match stmt:
            case tirx.Bind():
                return stmt
            case tirx.SeqStmt():
                return tree.sequence([self.visit(child, state) for child in stmt.seq])
            case tirx.For():
                return self._visit_loop(stmt, state)
            case tirx.IfThenElse():
                return self._visit_branch(stmt, state)
            case tirx.Evaluate():
                changes = self._establish(self._requirements(stmt), state, stmt)
                state.pop(_clobbered(stmt), None)
                return tree.sequence([*changes, stmt])
        raise AssertionError(stmt)

    def _visit_loop(self, loop: tirx.For, state: State) -> tirx.Stmt:
        """One setting that serves the whole body is made before the loop.

        A piece that has several starts unknown.
        """
        needed: dict[str, list[Requirement]] = {}
        clobbered: set[str] = set()
        for stmt in tree.collect(loop.body, tirx.Evaluate):
            clobbered.add(_clobbered(stmt))
            for requirement in self._requirements(stmt):
                needed.setdefault(requirement.piece, []).append(requirement)
        single = [
            uses[0]
            for piece, uses in needed.items()
            if piece not in clobbered and all(use.setting == uses[0].setting for use in uses)
        ]
        hoisted = self._establish(single, state, loop)
        for piece in needed.keys() - {requirement.piece for requirement in single}:
            state.pop(piece, None)
        inside = dict(state)
        body = self.visit(loop.body, inside)
        _keep_common(state, inside)
        return tree.sequence([*hoisted, tree.with_body(loop, body)])

    def _visit_branch(self, branch: tirx.IfThenElse, state: State) -> tirx.Stmt:
        after: list[State] = []

        def visit(body: tirx.Stmt) -> tirx.Stmt:
            inside = dict(state)
            after.append(inside)
            return self.visit(body, inside)

        new = tree.map_bodies(branch, visit)
        for inside in after:
            _keep_common(state, inside)
        return new

    def _establish(
        self, requirements: list[Requirement], state: State, origin: tirx.Stmt
    ) -> list[tirx.Stmt]:
        changes: list[tirx.Stmt] = []
        for requirement in requirements:
            if state.get(requirement.piece) != requirement.setting:
                state[requirement.piece] = requirement.setting
                changes.append(tree.located(requirement.change, origin))
        return changes

    def _requirements(self, stmt: tirx.Evaluate) -> list[Requirement]:
        """What the operation needs, in the order in which it has to be set."""
        op = ops.definition(stmt)
        return [] if op is None else list(self._needs(op, stmt.value))

    def _needs(self, op: ops.OpDef, call: tirx.Call) -> Iterator[Requirement]:
        for piece, operand, reconfig in (
            ("src_a", op.src_a, ops.RECONFIG_SRC_A),
            ("src_b", op.src_b or (op.src_a if self.has_bytes else ""), ops.RECONFIG_SRC_B),
            ("pack", "cb" if op in (ops.PACK_TILE, ops.PACK_ACCUMULATE) else "", ops.RECONFIG_PACK),
        ):
            if operand:
                cb = op.operand(call, operand)
                yield Requirement(piece, self.formats[cb], reconfig.stmt(cb))
        if op.init is not None:
            args = [op.operand(call, name) for name in op.init.operands]
            settings = tuple(self.formats[arg] if arg in self.formats else str(arg) for arg in args)
            yield Requirement(op.unit, (op.init.name, settings), op.init.stmt(*args))


def _clobbered(stmt: tirx.Stmt) -> str:
    """The piece of state that an operation leaves without a valid setting, "" for none."""
    op = ops.definition(stmt)
    return "" if op is None else op.clobbers


def _keep_common(state: State, other: State) -> None:
    """Forget, in `state`, what does not hold in `other` as well."""
    for piece in [piece for piece, setting in state.items() if other.get(piece) != setting]:
        del state[piece]
