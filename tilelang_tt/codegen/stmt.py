"""Print the statements of a kernel as C++.

A function for each kind of node, a table row for each operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tvm import tirx

from tilelang_tt.analysis.scalars import is_scalar
from tilelang_tt.codegen.calls import SPELLINGS, VALUES, Spelling
from tilelang_tt.codegen.expr import print_expr
from tilelang_tt.codegen.names import Scope
from tilelang_tt.diagnostics import UnprintableStmt
from tilelang_tt.ir import ops

_INDENT = "  "
_MULTIPLICATION = 60
_HOLE = re.compile(r"\{(\w+)(?::([^}]+))?\}")


@dataclass(frozen=True)
class Context:
    """What names mean here: of variables, of facts about circular buffers and tensors by their
    kind, of groups of cores.

    The facts are the "bytes" of a page, the "pages" of a block, and of a buffer that is filled
    ahead the number of its "blocks", the address of the "first" and of the "next"; of a tensor that
    is taken in turn, the semaphore that says it is "taken"; of one that numbers are read from, the
    page that is "held".
    """

    names: dict[tirx.Var, str]
    facts: dict[str, dict[tirx.Var, str]]
    groups: dict[str, str]
    scope: Scope

    def declaring(self, var: tirx.Var) -> Context:
        """The context inside a loop over `var`."""
        scope = self.scope.nested()
        return replace(self, names={**self.names, var: scope.fresh(var.name)}, scope=scope)


def print_stmt(stmt: tirx.Stmt, context: Context) -> Iterator[str]:
    """Yield the lines of `stmt`, not indented."""
    printer = _PRINTERS.get(type(stmt))
    if printer is None:
        raise UnprintableStmt.at(stmt, kind=type(stmt).__name__)
    yield from printer(stmt, context)


def _print_seq(stmt: tirx.SeqStmt, context: Context) -> Iterator[str]:
    for child in stmt.seq:
        yield from print_stmt(child, context)


def _print_for(stmt: tirx.For, context: Context) -> Iterator[str]:
    inner = context.declaring(stmt.loop_var)
    name = inner.names[stmt.loop_var]
    first = print_expr(stmt.min, context.names)
    end = print_expr(tirx.const(0, "int32") + stmt.min + stmt.extent, context.names)
    yield f"for (int32_t {name} = {first}; {name} < {end}; ++{name}) {{"
    yield from _indented(print_stmt(stmt.body, inner))
    yield "}"


def _print_if(stmt: tirx.IfThenElse, context: Context) -> Iterator[str]:
    yield f"if ({print_expr(stmt.condition, context.names)}) {{"
    yield from _indented(print_stmt(stmt.then_case, context))
    if stmt.else_case is not None:
        yield "} else {"
        yield from _indented(print_stmt(stmt.else_case, context))
    yield "}"


def _print_evaluate(stmt: tirx.Evaluate, context: Context) -> Iterator[str]:
    op = ops.definition(stmt)
    if op is ops.COMMENT:
        yield f"// {stmt.value.args[0].value}"
    elif op in SPELLINGS:
        yield from _spelled(SPELLINGS[op], op, stmt.value, context).splitlines()
    elif not isinstance(stmt.value, tirx.IntImm):
        raise UnprintableStmt.at(stmt, kind=str(stmt.value))


def _spelled(spelling: Spelling, op: ops.OpDef, call: tirx.Call, context: Context) -> str:
    return _HOLE.sub(lambda hole: _fill(op, call, hole[1], hole[2], context), spelling.text)


def _print_bind(stmt: tirx.Bind, context: Context) -> Iterator[str]:
    """A number; its name holds for what follows."""
    op = ops.BY_NAME.get(stmt.value.op.name) if isinstance(stmt.value, tirx.Call) else None
    if op in VALUES:
        value = _spelled(VALUES[op], op, stmt.value, context)
    else:
        value = print_expr(stmt.value, context.names)
    name = context.names[stmt.var] = context.scope.fresh(stmt.var.name)
    yield from f"const int32_t {name} = {value};".splitlines()


def _print_store(stmt: tirx.BufferStore, context: Context) -> Iterator[str]:
    if not is_scalar(stmt.buffer):
        raise UnprintableStmt.at(stmt, kind="BufferStore")
    value = print_expr(stmt.value, context.names)
    yield f"{context.names[stmt.buffer.data]} = {value};"


def _fill(op: ops.OpDef, call: tirx.Call, name: str, how: str | None, context: Context) -> str:
    """The text of one operand.

    `*` asks for a factor, `group` for the variable that describes a group of cores, anything else
    for a fact about a circular buffer or a tensor.
    """
    operand = op.operand(call, name)
    if how in context.facts:
        return context.facts[how][operand]
    if how == "group":
        return context.groups[str(operand.value)]
    if isinstance(operand, tirx.StringImm):
        return operand.value
    if isinstance(operand, tirx.Call) and operand.op.same_as(ops.BLOCK_PAGES.op):
        return context.facts["pages"][operand.args[0]]
    return print_expr(operand, context.names, _MULTIPLICATION if how == "*" else 0)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)


_PRINTERS: dict[type[tirx.Stmt], Callable[..., Iterator[str]]] = {
    tirx.SeqStmt: _print_seq,
    tirx.For: _print_for,
    tirx.IfThenElse: _print_if,
    tirx.Evaluate: _print_evaluate,
    tirx.Bind: _print_bind,
    tirx.BufferStore: _print_store,
}
