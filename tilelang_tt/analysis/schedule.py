"""The statements of a stream program as a `plan.Schedule`: who runs them, when, on which blocks.

Iterations are counted from 0, wherever a loop begins. A number that is no affine expression of loop
variables and parameters becomes a parameter of its own, a `plan.Unknown`: extents and conditions
that depend on the block that a core computes are such numbers.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tvm import tirx
from typing_extensions import Self

from tilelang_tt.analysis import access, block_work
from tilelang_tt.analysis.expression import select
from tilelang_tt.analysis.operands import classifier
from tilelang_tt.device import Device
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Accumulation, Copy, Elementwise, Leaf, is_global, leaf
from tilelang_tt.mock import timing
from tilelang_tt.options import Options
from tilelang_tt.partition import GROUPS
from tilelang_tt.plan import Schedule, Statement, Unknown


@dataclass(frozen=True)
class Machine:
    """What statements cost on: a device, the fidelity phases of its matrix unit, and the number of
    cores that share the DRAM."""

    device: Device
    phases: int
    cores: int

    @classmethod
    def of(cls, options: Options) -> Self:
        return cls(options.device, options.phases, math.prod(options.cores))

    def cycles(self, stmt: tirx.Stmt, view: Leaf, engine: str) -> float:
        """Estimated cycles of a statement; those of a block from DRAM to the core."""
        if isinstance(view, Elementwise) and engine == attrs.COMPUTE:
            return block_work.tile_count(view.dst) * self._nest_cycles(stmt, view)
        if not isinstance(view, Copy):
            return block_work.statement_cycles(view, self.phases)
        costs = timing.load(self.device.name).values
        way = "read" if is_global(view.src.buffer) else "write"
        banks = self.device.dram_banks * costs["dram.bytes"] * costs["dram.efficiency"]
        readers = 1 if view.group in GROUPS else self.cores
        rate = min(costs[f"noc.{way}_bytes"], banks / readers)
        latency = costs[f"noc.{way}_base"] + costs[f"dram.{way}_extra"]
        return latency + block_work.block_bytes(view) / rate

    def _nest_cycles(self, stmt: tirx.Stmt, nest: Elementwise) -> float:
        """Of a tile of a nest: arithmetic, behind which unpacking and packing hide, or packing."""
        costs = timing.load(self.device.name).values

        def instruction(op: ops.OpDef) -> float:
            if op.unit == "sfpu":
                return costs.get(f"sfpu.{op.name.removesuffix('_tile')}", costs["sfpu.add_binary"])
            if op in _PRODUCTS:
                return costs["math.multiply_phase"] * self.phases
            return costs["math.add"]

        program = select(nest.store.value, classifier(nest.dst), stmt)
        return max(sum(instruction(each.op) for each in program), costs["pack.tile"])

    def send_cycles(self, view: Leaf) -> float:
        """Estimated cycles in which a block is sent on to other cores."""
        if not isinstance(view, Copy) or view.group not in GROUPS:
            return 0.0
        costs = timing.load(self.device.name).values
        return (
            costs["noc.multicast_open"]
            + block_work.block_bytes(view) / costs["noc.multicast_bytes"]
        )


def schedule(frame: Frame, machine: Machine) -> Schedule:
    """The statements of a program whose statements have engines."""
    walk = _Walk(machine)
    walk.visit(frame.body, _Place((), (), (), {}))
    roles = _Roles(len(walk.views))
    roles.visit(frame.body)
    statements = tuple(
        _with_roles(each, view, role)
        for each, view, role in zip(walk.statements, walk.views, roles.found, strict=True)
    )
    return Schedule(statements, tuple(walk.unknowns.values()))


def _with_roles(statement: Statement, view: Leaf, role: tuple[bool, bool]) -> Statement:
    result = access.writes(view)
    name = () if is_global(result) else (result.name,)
    reserves, publishes = role
    read = dict.fromkeys(each.name for each in access.consumed(view) if not is_global(each))
    return replace(
        statement,
        reserves=name if reserves else (),
        publishes=name if publishes else (),
        reads=tuple(read),
    )


@dataclass(frozen=True)
class _Place:
    """Loops around a statement, its place among them, conditions, and loop variables in isl's
    notation."""

    loops: tuple[str, ...]
    place: tuple[int, ...]
    conditions: tuple[str, ...]
    names: Mapping[tirx.Var, str]


@dataclass
class _Walk:
    machine: Machine
    statements: list[Statement] = field(default_factory=list)
    views: list[Leaf] = field(default_factory=list)
    unknowns: dict[str, Unknown] = field(default_factory=dict)
    unknown_exprs: dict[str, tirx.PrimExpr] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    params: dict[tirx.Var, str] = field(default_factory=dict)

    def visit(self, stmt: tirx.Stmt, place: _Place) -> None:
        self._visit(stmt, place, itertools.count())

    def _visit(self, stmt: tirx.Stmt, place: _Place, at: itertools.count[int]) -> None:
        """`at` numbers what stands at one level, branches included."""
        if (engine := attrs.engine_of(stmt)) is not None:
            for inner in tree.statements(stmt.body):
                if (view := leaf(inner)) is not None:
                    self._leaf(stmt, view, engine, replace(place, place=(*place.place, next(at))))
            return
        match stmt:
            case tirx.SeqStmt():
                for child in stmt.seq:
                    self._visit(child, place, at)
            case tirx.For():
                self._loop(stmt, replace(place, place=(*place.place, next(at))))
            case tirx.IfThenElse():
                self._branch(stmt, place, at)

    def _loop(self, loop: tirx.For, place: _Place) -> None:
        name = self._fresh(loop.loop_var.name)
        begin = self._affine(loop.min, place)
        extent = self._affine(loop.extent, place)
        inner = _Place(
            (*place.loops, name),
            place.place,
            (*place.conditions, f"0 <= {name} < {extent}"),
            {**place.names, loop.loop_var: name if begin == "0" else f"({begin} + {name})"},
        )
        self.visit(loop.body, inner)

    def _branch(self, stmt: tirx.IfThenElse, place: _Place, at: itertools.count[int]) -> None:
        holds = self._condition(stmt.condition, place)
        for case, condition in ((stmt.then_case, holds), (stmt.else_case, f"not ({holds})")):
            if case is not None:
                inner = replace(place, conditions=(*place.conditions, condition))
                self._visit(case, inner, at)

    def _leaf(self, stmt: tirx.Stmt, view: Leaf, engine: str, place: _Place) -> None:
        name = f"S{len(self.statements)}"
        result = access.writes(view)
        where = f" : {' and '.join(place.conditions)}" if place.conditions else ""
        known = {*self.params.values(), *self.unknowns}
        params = sorted(known.intersection(_WORDS.findall(where)))
        self.statements.append(
            Statement(
                name=name,
                engine=engine,
                source=_source(stmt),
                result=result.name,
                loops=place.loops,
                place=place.place,
                domain=f"[{', '.join(params)}] -> {{ {name}[{', '.join(place.loops)}]{where} }}",
                reserves=(),
                publishes=(),
                reads=(),
                cycles=round(self.machine.cycles(stmt, view, engine), 1),
                send_cycles=round(self.machine.send_cycles(view), 1),
            )
        )
        self.views.append(view)

    # Expressions in isl's notation. ---------------------------------------------------------------

    def _condition(self, expr: tirx.PrimExpr, place: _Place) -> str:
        match expr:
            case tirx.And() | tirx.Or():
                word = "and" if isinstance(expr, tirx.And) else "or"
                return f"({self._condition(expr.a, place)} {word} {self._condition(expr.b, place)})"
            case tirx.Not():
                return f"(not ({self._condition(expr.a, place)}))"
        symbol = _COMPARISONS.get(type(expr))
        if symbol is not None and expr.a.dtype == "int32":
            return f"{self._affine(expr.a, place)} {symbol} {self._affine(expr.b, place)}"
        return f"{self._unknown(expr, place)} != 0"

    def _affine(self, expr: tirx.PrimExpr, place: _Place) -> str:
        """The expression; of a sum, what is no affine expression of it is an unknown number."""
        text = self._affine_text(expr, place)
        if text is not None:
            return text
        if isinstance(expr, tirx.Add | tirx.Sub):
            sides = [self._affine_text(side, place) for side in (expr.a, expr.b)]
            if any(side is not None and not side.isdecimal() for side in sides):
                a, b = (
                    self._affine(side, place) if text is None else text
                    for side, text in zip((expr.a, expr.b), sides, strict=True)
                )
                return f"({a} {'+' if isinstance(expr, tirx.Add) else '-'} {b})"
        return self._unknown(expr, place)

    def _affine_text(self, expr: tirx.PrimExpr, place: _Place) -> str | None:
        """None for what is not affine."""
        match expr:
            case tirx.IntImm():
                return str(expr.value) if expr.value >= 0 else f"({expr.value})"
            case tirx.Var():
                return place.names.get(expr) or self._param(expr)
            case tirx.Add() | tirx.Sub() | tirx.Mul() | tirx.Min() | tirx.Max():
                return self._binary(expr, place)
            case tirx.FloorDiv() | tirx.FloorMod() if isinstance(expr.b, tirx.IntImm):
                a = self._affine_text(expr.a, place)
                form = _DIVISIONS[type(expr)]
                return None if a is None or expr.b.value <= 0 else form.format(a, expr.b.value)
        return None

    def _binary(
        self, expr: tirx.Add | tirx.Sub | tirx.Mul | tirx.Min | tirx.Max, place: _Place
    ) -> str | None:
        if isinstance(expr, tirx.Mul) and not any(
            isinstance(side, tirx.IntImm) for side in (expr.a, expr.b)
        ):
            return None
        a, b = self._affine_text(expr.a, place), self._affine_text(expr.b, place)
        return None if a is None or b is None else _BINARY[type(expr)].format(a, b)

    def _unknown(self, expr: tirx.PrimExpr, place: _Place) -> str:
        for name, known in self.unknown_exprs.items():
            if same(known, expr):
                return name
        used = tree.collect(expr, tirx.Var)
        loops = [name for var, name in zip(place.names, place.loops, strict=True) if var in used]
        loads = tree.collect(expr, tirx.BufferLoad)
        name = self._fresh("unknown")
        self.unknown_exprs[name] = expr
        self.unknowns[name] = Unknown(name, str(expr), place.loops if loads else tuple(loops))
        return name

    def _param(self, var: tirx.Var) -> str:
        if var not in self.params:
            self.params[var] = self._fresh(var.name)
        return self.params[var]

    def _fresh(self, name: str) -> str:
        word = re.sub(r"\W", "_", name, flags=re.ASCII)
        word = f"{word}_" if word.lower() in _KEYWORDS else word
        options = itertools.chain([word], (f"{word}_{at}" for at in itertools.count(1)))
        found = next(option for option in options if option not in self.taken)
        self.taken.add(found)
        return found


_PRODUCTS = frozenset(operations["mul"] for operations in ops.FPU_BINARY.values())
_WORDS = re.compile(r"\w+")
_KEYWORDS = frozenset(  # of isl, in any case
    [
        "exists",
        "and",
        "or",
        "implies",
        "not",
        "infty",
        "infinity",
        "nan",
        "min",
        "max",
        "rat",
        "true",
        "false",
        "ceild",
        "floord",
        "mod",
        "ceil",
        "floor",
    ]
)
_BINARY = {
    tirx.Add: "({} + {})",
    tirx.Sub: "({} - {})",
    tirx.Mul: "({} * {})",
    tirx.Min: "min({}, {})",
    tirx.Max: "max({}, {})",
}
_DIVISIONS = {tirx.FloorDiv: "floor(({})/{})", tirx.FloorMod: "(({}) mod {})"}
_COMPARISONS = {
    tirx.LT: "<",
    tirx.LE: "<=",
    tirx.GT: ">",
    tirx.GE: ">=",
    tirx.EQ: "=",
    tirx.NE: "!=",
}


class _Roles:
    """Which statements reserve a block of what they write, and which publish it.

    From the end to the beginning, as `InsertCbProtocol` does it.

    `open` are buffers whose value is being accumulated, `made` those whose accumulation the
    statement before begins.
    """

    def __init__(self, count: int) -> None:
        self.found = [(False, False)] * count
        self._at = count
        self._open: set[tirx.Buffer] = set()
        self._made: set[tirx.Buffer] = set()

    def visit(self, stmt: tirx.Stmt) -> None:
        if (view := leaf(stmt)) is not None:
            self._at -= 1
            self.found[self._at] = self._role(view)
            return
        match stmt:
            case tirx.SeqStmt():
                for child in reversed(stmt.seq):
                    self.visit(child)
            case tirx.IfThenElse():
                made = set(self._made)
                if stmt.else_case is not None:
                    self.visit(stmt.else_case)
                    self._made = made
                self.visit(stmt.then_case)
            case tirx.For() | tirx.AttrStmt():
                self.visit(stmt.body)

    def _role(self, view: Leaf) -> tuple[bool, bool]:
        result = access.writes(view)
        if is_global(result):
            return False, False
        if isinstance(view, Accumulation):
            return self._mark(view, result)
        if result in self._open:
            return False, False
        is_made = result in self._made
        self._made.discard(result)
        return True, not is_made

    def _mark(self, view: Accumulation, result: tirx.Buffer) -> tuple[bool, bool]:
        if view.kind == "end":
            self._open.add(result)
            return False, True
        self._open.discard(result)
        if view.kind == "onto":
            self._made.add(result)
        return view.is_fresh, False


def _source(stmt: tirx.Stmt) -> str:
    """The line of the program that a statement with an engine comes from."""
    comments = [
        str(ops.COMMENT.operand(inner.value, "text").value)
        for inner in tree.statements(stmt.body)
        if ops.definition(inner) is ops.COMMENT
    ]
    return comments[0] if comments else ""
