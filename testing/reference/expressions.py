"""The value of an expression of the tile IR, for all lanes of a parallel nest at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from tvm import ir, tirx

from testing.reference import bounded, dtypes, functions
from testing.reference.bounded import Array, Bounded
from testing.reference.errors import Unbound, UncertainControl, UnknownConstruct
from testing.reference.storage import Storage


@dataclass(frozen=True)
class Scope:
    """What an expression may refer to.

    Attributes:
        vars: values of variables; inside parallel loops, one for each lane.
        later: expressions of variables that are bound before what they refer to.
        buffers: the storage of buffers, by their data variable.
        lane_shape: how many lanes each parallel loop has. A new axis comes first, so that values
            made outside of a loop broadcast inside.
        condition: the lanes that run; None is all.
        registers: the float dtype of the device's destination registers.
    """

    vars: Mapping[tirx.Var, Bounded]
    later: Mapping[tirx.Var, tirx.PrimExpr]
    buffers: Mapping[tirx.Var, Storage]
    lane_shape: tuple[int, ...] = ()
    condition: Bounded | None = None
    registers: str = "float32"

    def where(self, condition: Bounded) -> Scope:
        """The scope of the lanes that also fulfil `condition`."""
        old = self.condition
        return replace(self, condition=condition if old is None else bounded.both(old, condition))

    @property
    def active(self) -> Array | None:
        """The lanes that may run."""
        if self.condition is None:
            return None
        return self.condition.value | (self.condition.error > 0)

    def storage(self, buffer: tirx.Buffer) -> Storage:
        found = self.buffers.get(buffer.data)
        if found is None:
            raise UnknownConstruct(f"buffer {buffer.name!r} has no storage")
        shape = tuple(integer(extent, self) for extent in buffer.shape)
        if found.value.shape != shape or found.dtype != buffer.dtype:
            return found.viewed(shape, buffer.dtype)
        return found


def evaluate(expr: tirx.PrimExpr, scope: Scope) -> Bounded:
    """The value of `expr`.

    Raises:
        UnknownConstruct: the reference has no meaning for a node.
        Unbound: a variable has no value.
    """
    handler = _HANDLERS.get(type(expr))
    if handler is None:
        raise UnknownConstruct(f"{type(expr).__name__} in {expr}")
    result = handler(expr, scope)
    return result if scope.registers == "float32" else result.in_registers(scope.registers)


def index(expr: tirx.PrimExpr, scope: Scope) -> Array:
    """The value of an index: exact integers.

    Raises:
        UncertainControl: the device may see another value.
    """
    result = evaluate(expr, scope)
    if not result.is_exact:
        raise UncertainControl(f"the index {expr} may differ on the device")
    return result.value


def integer(expr: tirx.PrimExpr, scope: Scope) -> int:
    """An index that is the same in all lanes."""
    if isinstance(expr, tirx.IntImm):
        return int(expr.value)
    value = index(expr, scope)
    if value.size != 1:
        raise UnknownConstruct(f"{expr} differs between the iterations of a parallel loop")
    return int(value.reshape(()))


def _immediate(expr: tirx.IntImm | tirx.FloatImm, scope: Scope) -> Bounded:
    return bounded.constant(expr.value, expr.dtype)


def _var(expr: tirx.Var, scope: Scope) -> Bounded:
    if expr in scope.vars:
        return scope.vars[expr]
    if expr in scope.later:
        return evaluate(scope.later[expr], scope)
    raise Unbound(f"variable {expr.name!r} has no value")


def _load(expr: tirx.BufferLoad, scope: Scope) -> Bounded:
    storage = scope.storage(expr.buffer)
    return storage.load([index(i, scope) for i in expr.indices], scope.active)


def _cast(expr: tirx.Cast, scope: Scope) -> Bounded:
    return convert(evaluate(expr.value, scope), expr.dtype)


def convert(value: Bounded, dtype: str) -> Bounded:
    """`value` as another dtype."""
    if not dtypes.is_known(dtype):
        raise UnknownConstruct(f"a value of dtype {dtype}")
    if value.dtype == dtype:
        return value
    if dtypes.is_float(value.dtype) or not dtypes.is_float(dtype):
        return value.stored(dtype)
    return Bounded(value.value.astype(np.float64), value.error, dtype).stored(dtype)


def _binary(function: functions.Binary) -> Callable[[tirx.PrimExpr, Scope], Bounded]:
    def handle(expr: tirx.PrimExpr, scope: Scope) -> Bounded:
        return function(evaluate(expr.a, scope), evaluate(expr.b, scope))

    return handle


def _not(expr: tirx.Not, scope: Scope) -> Bounded:
    return bounded.negated(evaluate(expr.a, scope))


def _select(expr: tirx.Select, scope: Scope) -> Bounded:
    return _choice(expr.condition, expr.true_value, expr.false_value, scope)


def _choice(
    condition: tirx.PrimExpr, then: tirx.PrimExpr, other: tirx.PrimExpr, scope: Scope
) -> Bounded:
    """A choice; what is not chosen is not evaluated, so it may lie outside of a buffer."""
    holds = evaluate(condition, scope)
    if holds.value.size == 1 and holds.is_exact:
        return evaluate(then if holds.value.all() else other, scope)
    return bounded.select(
        holds,
        evaluate(then, scope.where(holds)),
        evaluate(other, scope.where(bounded.negated(holds))),
    )


def _call(expr: tirx.Call, scope: Scope) -> Bounded:
    name = expr.op.name if isinstance(expr.op, ir.Op) else str(expr.op)
    if name in ("tirx.if_then_else", "tirx.Select"):
        return _choice(*expr.args, scope)
    if name == "tl.infinity":
        return bounded.exact(np.asarray(np.inf), expr.dtype)
    if name == "tirx.reinterpret":
        return functions.reinterpret(evaluate(expr.args[0], scope), expr.dtype)
    function = functions.CALLS.get(name)
    if function is None:
        raise UnknownConstruct(f"{name} in {expr}")
    return function(*(evaluate(argument, scope) for argument in expr.args))


_HANDLERS: dict[type, Callable[..., Bounded]] = {
    tirx.IntImm: _immediate,
    tirx.FloatImm: _immediate,
    tirx.Var: _var,
    tirx.BufferLoad: _load,
    tirx.Cast: _cast,
    tirx.Not: _not,
    tirx.Select: _select,
    tirx.Call: _call,
    **{node: _binary(function) for node, function in functions.NODES.items()},
}
