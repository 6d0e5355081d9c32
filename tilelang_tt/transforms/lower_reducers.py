"""Turn reducers into buffers that loops add up in.

A reducer puts off joining what threads contribute. A core has no threads: a contribution is an
assignment, in loops of which those that the reducer's element does not depend on are serial.

    before:  T.reducer_init(r)                       after:   T.fill(r, 0)
             for i, j in T.Parallel(64, 32):                  for i in T.Parallel(64):
                 T.reducer_update(r[i], A[i, j])                  for j in T.serial(32):
             T.finalize_reducer(r, s)                                 r[i] = r[i] + A[i, j]
                                                              T.copy(r, s)

The older form, assignments to a buffer that `T.finalize_reducer` completes in place, likewise.

Needs:    `InlineBindings`, and TileLang's `MaterializeKernelLaunch`.
Leaves:   no reducers.
Errors:   TT1002.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.diagnostics import UnsupportedReduction
from tilelang_tt.ir import tree
from tilelang_tt.ir.tileops import Copy, Fill, Region, called
from tilelang_tt.transforms.elementwise import neutral

_INFOS = ("reducer_info_v2", "reducer_info")
_INIT = "tl.tileop.reducer_init"
_UPDATE = "tl.reducer_update"
_FINALIZE = ("tl.tileop.finalize_reducer_v2", "tl.tileop.finalize_reducer")
_KINDS: dict[str, Callable[..., tirx.PrimExpr]] = {
    "sum": tirx.Add,
    "max": tirx.Max,
    "min": tirx.Min,
}


class LowerReducers:
    """See the module docstring."""

    name = "tt.LowerReducers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        kinds = {
            data: str(info["op"])
            for block in tree.collect(func.body, tirx.SBlock)
            for name in _INFOS
            for data, info in block.annotations.get(name, {}).items()
        }
        if not kinds:
            return func
        return func.with_body(_Lowering(kinds).lower(func.body))


@dataclass(frozen=True)
class _Lowering:
    """`kinds` says by data variable what each reducer joins its elements with."""

    kinds: dict[tirx.Var, str]

    def lower(self, stmt: tirx.Stmt) -> tirx.Stmt:
        stmt = ir_transform(stmt, None, self._call, ["tirx.Evaluate"])
        stmt = ir_transform(stmt, None, self._loop, ["tirx.For"])
        return ir_transform(stmt, None, self._block, ["tirx.SBlock"])

    def _block(self, block: tirx.SBlock) -> tirx.SBlock:
        kept = {key: value for key, value in block.annotations.items() if key not in _INFOS}
        return tree.block_with(block, annotations=kept)

    def _call(self, stmt: tirx.Evaluate) -> tirx.Stmt | None:
        call = called(stmt)
        name = "" if call is None else call.op.name
        if call is None or name not in (_INIT, _UPDATE, *_FINALIZE):
            return None
        if name == _UPDATE:
            target, value = call.args
            join = _KINDS[self._kind(target.buffer, stmt)]
            update = tirx.BufferStore(target.buffer, join(target, value), target.indices)
            return tree.located(update, stmt)
        region = Region.decode(call.args[0])
        if name == _INIT:
            kind = self._kind(region.buffer, stmt)
            start = call.args[1] if len(call.args) > 1 else neutral(kind, region.buffer.dtype)
            return tree.located(Fill(region, start).stmt(), stmt)
        if name == _FINALIZE[0]:
            return tree.located(Copy(region, Region.decode(call.args[1])).stmt(), stmt)
        return tirx.Evaluate(0)

    def _kind(self, buffer: tirx.Buffer, stmt: tirx.Stmt) -> str:
        kind = self.kinds[buffer.data]
        if kind not in _KINDS:
            raise UnsupportedReduction.at(stmt, op=f"a reducer of {kind}")
        return kind

    def _loop(self, loop: tirx.For) -> tirx.For | None:
        """A loop over contributions to the same element is a serial one."""
        stores = [
            store
            for store in tree.collect(loop.body, tirx.BufferStore)
            if store.buffer.data in self.kinds
        ]
        counts = any(
            loop.loop_var.same_as(var)
            for store in stores
            for index in store.indices
            for var in tree.collect(index, tirx.Var)
        )
        if loop.kind != tirx.ForKind.PARALLEL or not stores or counts:
            return None
        serial = tirx.For(
            loop.loop_var, loop.min, loop.extent, tirx.ForKind.SERIAL, loop.body, None, {}
        )
        return tree.located(serial, loop)
