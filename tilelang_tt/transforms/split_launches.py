"""Make one function of each T.Kernel.

The regions run one after the other, and each is done before the next one starts: blocks of a later
one may read any tensor that an earlier one wrote. So each is compiled as a program of its own, and
the host launches them in order. Memory that they share, `T.alloc_global`, is a further parameter
that the host allocates.

    before:  def f(A, C):                            after:   def f_1(A, C, W):
                 W = T.alloc_global(...)                          with T.Kernel(...):
                 with T.Kernel(...):                                  T.copy(..., W[...])
                     T.copy(..., W[...])
                 with T.Kernel(...):                          def f_2(A, C, W):
                     T.copy(W[...], ...)                          with T.Kernel(...):
                                                                      T.copy(W[...], ...)

What is allocated, also by the caller for `out_idx`, has no values to add to before one of the
functions writes it.

All functions have all parameters, so that each knows every dynamic extent. The only T.Kernel of a
function keeps the function's name.

Needs:    front-end IR.
Leaves:   functions of one T.Kernel; parameters for the workspaces, after all others.
Errors:   TT1012, TT1014, TT3007.
"""

from __future__ import annotations

from dataclasses import dataclass

from tilelang.jit.abi import OUT_IDX_ATTR
from tvm import tirx

from tilelang_tt.diagnostics import MisplacedCode, UnsetSum, UnsupportedSemantics
from tilelang_tt.ir import tree
from tilelang_tt.transforms.inline_bindings import InlineBindings
from tilelang_tt.transforms.lower_atomics import first_addition

_KERNEL = "tilelang_root"


@dataclass(frozen=True)
class Launches:
    """Functions to run in order, and the tensors that the host allocates for them."""

    functions: tuple[tirx.PrimFunc, ...]
    workspaces: tuple[tirx.Buffer, ...]


def split_launches(func: tirx.PrimFunc) -> Launches:
    """See the module docstring."""
    regions, workspaces = _parts(func)
    params, buffer_map = list(func.params), dict(func.buffer_map)
    for buffer in workspaces:
        params.append(tirx.Var(f"{buffer.name}_handle", "handle"))
        buffer_map[params[-1]] = buffer
    name = str(func.attrs["global_symbol"])
    functions = []
    for number, region in enumerate(regions, 1):
        own = tirx.PrimFunc(params, region, func.ret_type, buffer_map, func.attrs)
        own_name = name if len(regions) == 1 else f"{name}_{number}"
        functions.append(own.with_attr("global_symbol", own_name))
    outputs = [func.params[int(index)] for index in func.attrs.get(OUT_IDX_ATTR, ())]
    for buffer in (*(func.buffer_map[param] for param in outputs), *workspaces):
        _check_sums(buffer, functions)
    return Launches(tuple(functions), tuple(workspaces))


def _check_sums(tensor: tirx.Buffer, functions: list[tirx.PrimFunc]) -> None:
    """The first function that uses a tensor without values must not add to it."""
    for func in functions:
        if (addition := first_addition(func, tensor)) is not None:
            raise UnsetSum.at(addition, buffer=tensor.name)
        used = tree.collect(func.body, (tirx.BufferLoad, tirx.BufferStore))
        if any(access.buffer.same_as(tensor) for access in used):
            return


def _parts(func: tirx.PrimFunc) -> tuple[list[tirx.Stmt], list[tirx.Buffer]]:
    """The T.Kernel regions, and what is allocated around them."""
    body = func.body
    workspaces: list[tirx.Buffer] = []
    if isinstance(body, tirx.SBlockRealize):
        workspaces = _workspaces(body)
        body = body.block.body
    for stmt in tree.statements(body):
        _check(stmt)
    # A name for an expression may be used by several regions.
    body = InlineBindings().rewrite(func.with_body(body)).body
    regions = [stmt for stmt in tree.statements(body) if not tree.is_nothing(stmt)]
    if not regions:
        raise MisplacedCode.at(func.body, what="there is no T.Kernel")
    return regions, workspaces


def _workspaces(root: tirx.SBlockRealize) -> list[tirx.Buffer]:
    for key in root.block.annotations:
        raise UnsupportedSemantics.at(root, what=f"the annotation {key!r} of the function")
    for buffer in root.block.alloc_buffers:
        if buffer.scope() != "global":
            raise MisplacedCode.at(root, what=f"{buffer.name!r} is allocated outside of a T.Kernel")
    return list(root.block.alloc_buffers)


def _check(stmt: tirx.Stmt) -> None:
    if tree.is_nothing(stmt):
        return
    if isinstance(stmt, tirx.Bind):
        for load in tree.collect(stmt.value, tirx.BufferLoad):
            raise MisplacedCode.at(stmt, what=f"{load.buffer.name!r} is read outside of a T.Kernel")
        return
    if not (isinstance(stmt, tirx.For) and stmt.kind == tirx.ForKind.THREAD_BINDING):
        kind = type(stmt).__name__
        raise MisplacedCode.at(stmt, what=f"a {kind} statement stands outside of a T.Kernel")
    blocks = [block for block in tree.collect(stmt, tirx.SBlock) if block.name_hint == _KERNEL]
    if len(blocks) != 1:
        raise MisplacedCode.at(stmt, what="a T.Kernel stands inside of another")
