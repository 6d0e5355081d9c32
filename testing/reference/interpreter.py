"""Runs a tile program as TileLang's front end gives it: block by block, statement by statement.

A nest of parallel loops runs all its iterations at once, each statement for all of them before the
next; a serial loop over elements does so too where its iterations touch elements of their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from tvm import ir, tirx

from testing.reference import bounded, dtypes, expressions, independence, tileops
from testing.reference.bounded import Array, Bounded
from testing.reference.errors import (
    InterpretationError,
    Unbound,
    UncertainControl,
    UnknownConstruct,
)
from testing.reference.expressions import Scope, evaluate, integer
from testing.reference.functions import NODES
from testing.reference.storage import Storage
from tilelang_tt.ir import tree

_IGNORED_ATTRIBUTES = {"threadblock_swizzle_pattern", "tirx.assume", "tl.assume"}
_REDUCER_KEYS = ("reducer_info", "reducer_info_v2")
_REDUCERS = {"sum": np.add, "max": np.maximum, "min": np.minimum}
_MOST_STEPS = 100_000


def run(
    func: tirx.PrimFunc,
    arguments: Sequence[Array | float | None],
    *,
    registers: str = "float32",
) -> dict[str, Bounded]:
    """What `func` leaves in its tensors.

    Args:
        func: a function as TileLang's front end traces it.
        arguments: one for each parameter, in order: an array for a tensor, a number for a scalar,
            None for a tensor that holds nothing yet.
        registers: the float dtype of the device's destination registers; narrower ones round what
            the program computes in a wider dtype.

    Returns:
        All tensors, by name, after the last block: values, and how far a device may be from them.
        Elements that nobody has written have an infinite error.

    Raises:
        InterpretationError: the program says something that the reference does not know, or
            something wrong; the text names it and the program's line.
        ValueError: the arguments do not fit the parameters.
    """
    return _Run(func, arguments, registers).result()


class _Run:
    """One run of a function."""

    def __init__(
        self, func: tirx.PrimFunc, arguments: Sequence[Array | float | None], registers: str
    ) -> None:
        self.func = func
        self.registers = registers
        self.storages: dict[tirx.Var, Storage] = {}
        self.reducers: dict[tirx.Var, np.ufunc] = {}
        self.independent = independence.Decisions(independence.is_independent)
        self.reduced = independence.Decisions(independence.reduced_term)
        self.handlers: dict[type, Callable[..., None]] = {
            tirx.SeqStmt: self._sequence,
            tirx.SBlockRealize: self._block,
            tirx.For: self._loop,
            tirx.IfThenElse: self._branch,
            tirx.While: self._while,
            tirx.BufferStore: self._store,
            tirx.Evaluate: self._evaluate,
            tirx.AttrStmt: self._attribute,
            tirx.Bind: self._last_binding,
        }
        self.scope = self._bind(arguments)

    def result(self) -> dict[str, Bounded]:
        with np.errstate(all="ignore"):
            self.run(self.func.body, self.scope)
        return {
            buffer.name: self.storages[buffer.data].contents
            for buffer in self.func.buffer_map.values()
        }

    # Parameters. ----------------------------------------------------------------------------------

    def _bind(self, arguments: Sequence[Array | float | None]) -> Scope:
        values: dict[tirx.Var, Bounded] = {}
        safe = _safe_values(self.func)
        pairs = list(zip(self.func.params, arguments, strict=True))
        for param, argument in pairs:
            buffer = self.func.buffer_map.get(param)
            if buffer is None:
                values[param] = bounded.constant(float(np.asarray(argument)), param.dtype)
            elif isinstance(argument, np.ndarray):
                values.update(_extents(buffer, argument.shape))
        scope = Scope(values, {}, self.storages, registers=self.registers)
        for param, argument in pairs:
            if (buffer := self.func.buffer_map.get(param)) is not None:
                outside = safe.get(buffer.data, 0.0)
                self.storages[buffer.data] = _tensor(buffer, argument, outside, scope)
        return scope

    # Statements. ----------------------------------------------------------------------------------

    def run(self, stmt: tirx.Stmt, scope: Scope) -> None:
        try:
            self._run(stmt, scope)
        except InterpretationError as error:
            line = tree.line_of(stmt)
            if line is None or "-->" in str(error):
                raise
            raise type(error)(f"{error}\n  --> {line[0]}:{line[1]}") from error

    def _run(self, stmt: tirx.Stmt, scope: Scope) -> None:
        handler = self.handlers.get(type(stmt))
        if handler is None:
            raise UnknownConstruct(f"statement {type(stmt).__name__}")
        handler(stmt, scope)

    def _sequence(self, stmt: tirx.SeqStmt, scope: Scope) -> None:
        for inner in tree.statements(stmt):
            if isinstance(inner, tirx.Bind):
                scope = _bound(inner, scope)
            else:
                self.run(inner, scope)

    def _last_binding(self, stmt: tirx.Bind, scope: Scope) -> None:
        """A binding outside of a sequence: nothing refers to it."""

    def _attribute(self, stmt: tirx.AttrStmt, scope: Scope) -> None:
        if stmt.attr_key not in _IGNORED_ATTRIBUTES:
            raise UnknownConstruct(f"the attribute {stmt.attr_key!r}")
        self.run(stmt.body, scope)

    def _block(self, realize: tirx.SBlockRealize, scope: Scope) -> None:
        block = realize.block
        for key in _REDUCER_KEYS:
            for data, info in dict(block.annotations.get(key, {})).items():
                self.reducers[data] = _REDUCERS[str(info["op"])]
        for buffer in block.alloc_buffers:
            shape = tuple(integer(extent, scope) for extent in buffer.shape)
            if not dtypes.is_known(buffer.dtype):
                raise UnknownConstruct(f"buffer {buffer.name!r} of {buffer.dtype}")
            is_tensor = buffer.scope() == "global"
            self.storages[buffer.data] = Storage.unwritten(
                buffer.name, buffer.dtype, shape, is_tensor
            )
        self.run(block.body, scope)

    def _loop(self, stmt: tirx.For, scope: Scope) -> None:
        low, extent = evaluate(stmt.min, scope), evaluate(stmt.extent, scope)
        if not (low.is_exact and extent.is_exact):
            raise UncertainControl(f"the range of {stmt.loop_var.name!r} may differ on the device")
        varies = low.value.size > 1 or extent.value.size > 1
        is_parallel = stmt.kind == tirx.ForKind.PARALLEL
        if not varies and (is_parallel or self.independent.of(stmt)):
            lanes = low.value + np.arange(int(extent.value), dtype=low.value.dtype)
            if lanes.size:
                self.run(stmt.body, _with_lanes(scope, stmt.loop_var, lanes.ravel()))
            return
        for step in range(int(extent.value.max())):
            inner = scope
            if extent.value.size > 1:
                inner = scope.where(bounded.exact(step < extent.value, "bool"))
            value = bounded.exact(low.value + step, stmt.loop_var.dtype)
            self.run(stmt.body, replace(inner, vars={**inner.vars, stmt.loop_var: value}))

    def _branch(self, stmt: tirx.IfThenElse, scope: Scope) -> None:
        holds = evaluate(stmt.condition, scope)
        if holds.value.size == 1:
            if not holds.is_exact:
                raise UncertainControl(f"the branch on {stmt.condition} may differ on the device")
            chosen = stmt.then_case if holds.value.all() else stmt.else_case
            if chosen is not None:
                self.run(chosen, scope)
            return
        self.run(stmt.then_case, scope.where(holds))
        if stmt.else_case is not None:
            self.run(stmt.else_case, scope.where(bounded.negated(holds)))

    def _while(self, stmt: tirx.While, scope: Scope) -> None:
        for _ in itertools.repeat(None, _MOST_STEPS):
            holds = evaluate(stmt.condition, scope)
            if holds.value.size > 1 or not holds.is_exact:
                raise UncertainControl(f"the loop while {stmt.condition} may differ on the device")
            if not holds.value.all():
                return
            self.run(stmt.body, scope)
        raise UnknownConstruct(f"a loop of more than {_MOST_STEPS} steps")

    def _store(self, stmt: tirx.BufferStore, scope: Scope) -> None:
        storage = scope.storage(stmt.buffer)
        indices = [expressions.index(i, scope) for i in stmt.indices]
        operation = self.reducers.get(stmt.buffer.data)
        if operation is not None and (term := independence.added_term(stmt)) is not None:
            value = tileops.all_lanes(_converted(term, storage, scope), scope)
            storage.combine(indices, value, scope.condition, operation)
            return
        if (term := self.reduced.of(stmt)) is not None:
            old = storage.load(indices, scope.active)
            value = NODES[type(stmt.value)](old, tileops.as_reduced(evaluate(term, scope), scope))
            storage.store(indices, value.stored(storage.dtype), scope.condition)
            return
        storage.store(indices, _converted(stmt.value, storage, scope), scope.condition)

    def _evaluate(self, stmt: tirx.Evaluate, scope: Scope) -> None:
        call = stmt.value
        if isinstance(call, tirx.IntImm):
            return
        if not isinstance(call, tirx.Call) or not isinstance(call.op, ir.Op):
            raise UnknownConstruct(f"the statement {call}")
        operation = tileops.OPERATIONS.get(call.op.name)
        if operation is None:
            raise UnknownConstruct(call.op.name)
        operation(tuple(call.args), scope)


def _converted(expr: tirx.PrimExpr, storage: Storage, scope: Scope) -> Bounded:
    """What is stored: a store converts, and rounds what was computed in the same dtype."""
    value = evaluate(expr, scope)
    if value.dtype == storage.dtype and dtypes.is_float(value.dtype):
        return value.stored(value.dtype)
    return expressions.convert(value, storage.dtype)


def _bound(stmt: tirx.Bind, scope: Scope) -> Scope:
    """A binding that cannot be evaluated yet is evaluated where it is used."""
    try:
        value = evaluate(stmt.value, scope)
    except (Unbound, UnknownConstruct):
        return replace(scope, later={**scope.later, stmt.var: stmt.value})
    return replace(scope, vars={**scope.vars, stmt.var: value})


def _with_lanes(scope: Scope, var: tirx.Var, lanes: Array) -> Scope:
    """One more axis of lanes, before all others."""
    column = lanes.reshape(-1, *(1 for _ in scope.lane_shape))
    value = Bounded(column, bounded.EXACT, var.dtype)
    return replace(
        scope, vars={**scope.vars, var: value}, lane_shape=(len(lanes), *scope.lane_shape)
    )


def _tensor(
    buffer: tirx.Buffer, argument: Array | float | None, outside: float, scope: Scope
) -> Storage:
    shape = tuple(integer(extent, scope) for extent in buffer.shape)
    if not dtypes.is_known(buffer.dtype):
        raise UnknownConstruct(f"tensor {buffer.name!r} of {buffer.dtype}")
    if argument is None:
        return Storage.unwritten(buffer.name, buffer.dtype, shape, True)
    array = np.asarray(argument)
    if array.shape != shape or array.dtype != dtypes.numpy_dtype(buffer.dtype):
        raise ValueError(
            f"tensor {buffer.name!r} is {buffer.dtype}{list(shape)}, "
            f"not {array.dtype}{list(array.shape)}"
        )
    return Storage.holding(buffer.name, buffer.dtype, array, outside)


def _extents(buffer: tirx.Buffer, shape: tuple[int, ...]) -> dict[tirx.Var, Bounded]:
    """The dynamic extents that a tensor's shape tells."""
    return {
        extent: bounded.exact(np.asarray(size), extent.dtype)
        for extent, size in zip(buffer.shape, shape, strict=True)
        if isinstance(extent, tirx.Var)
    }


def _safe_values(func: tirx.PrimFunc) -> dict[tirx.Var, float]:
    """What a read past the end of a tensor gives, where it is not 0."""
    found: dict[tirx.Var, float] = {}
    for block in tree.collect(func.body, tirx.SBlock):
        for data, value in dict(block.annotations.get("safe_value_map", {})).items():
            found[data] = float(getattr(value, "value", value))
    return found
