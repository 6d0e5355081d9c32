"""How a pass of this package becomes a TVM pass: a class with a `rewrite` method and a name."""

from __future__ import annotations

from typing import Protocol

from tvm import IRModule, tirx
from tvm.ir.transform import Pass, PassContext
from tvm.tirx.transform import prim_func_pass


class Rewrite(Protocol):
    """One function in, one function out; options are the fields of the class."""

    name: str

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc: ...


def as_tvm_pass(rewrite: Rewrite) -> Pass:
    """The TVM pass that applies `rewrite`, with TVM's tracing and instruments."""

    def transform(func: tirx.PrimFunc, _mod: IRModule, _ctx: PassContext) -> tirx.PrimFunc:
        return rewrite.rewrite(func)

    return prim_func_pass(transform, opt_level=0, name=rewrite.name)
