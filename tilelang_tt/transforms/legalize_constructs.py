"""Refuse what has no lowering, and drop what only hints at how a GPU should run the program.

Everything after this pass may rely on a short list of constructs. A construct that is neither on it
nor known to be a hint is an error at the user's line; none is skipped.

    before:  T.attr(None, "threadblock_swizzle_pattern", ...)
             for k in T.serial(4, annotations={"num_stages": 3}):
                 T.copy(...)
                 T.tvm_storage_sync("shared")

    after:   for k in T.serial(4, annotations={"num_stages": 3}):
                 T.copy(...)

Needs:    `InlineBindings`, and TileLang's `MaterializeKernelLaunch` without thread binding.
Leaves:   loops, branches, stores, and the tile operations copy, fill, gemm, reduce and transpose.
Errors:   TT1001 to TT1006, TT1008, TT1009, TT1011, TT1013 to TT1016.
"""

from __future__ import annotations

from tvm import arith, tirx
from tvm.ir import Op
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt import diagnostics as errors
from tilelang_tt import formats
from tilelang_tt.analysis import ranges
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Gemm, Reduce, Transpose, called, leaf
from tilelang_tt.transforms.bind_scalars import is_of_elements
from tilelang_tt.transforms.lower_scans import SCANS

_DTYPES = ("float32", "float16", "bfloat16", "int32", "int8", "uint8")
_SCALARS = ("int32", "float32")
_SCOPES = ("shared.dyn", "shared", "local.fragment", "local.var", "local.reducer")
_KINDS = (
    tirx.ForKind.SERIAL,
    tirx.ForKind.PARALLEL,
    tirx.ForKind.UNROLLED,
    tirx.ForKind.VECTORIZED,
)

_HINT_OPS = {
    "tl.no_set_max_nreg",
    "tl.set_max_nreg",
    "tirx.tvm_storage_sync",
    "tirx.assume",
    "tl.launch_thread_idx",
}
_HINT_ATTRS = {"threadblock_swizzle_pattern", "tirx.assume", "tl.assume"}
_HINT_BLOCK = {
    "tl.launch_threads",
    "layout_map",
    "l2_hit_ratio_map",
    "tl.non_restrict_params",
    "tl.min_blocks_per_sm",
}
_HINT_LOOP = {
    "coalesced_width",
    "parallel_loop_layout",
    "parallel_prefer_async",
    "parallel_async_without_async_commit_wait",
    "pragma_unroll_explicit",
    "pragma_unroll_factor",
    "tl_pipeline_order",
    "tl_pipeline_stage",
}
_KEPT_LOOP = {"num_stages", attrs.GRID_AXIS, attrs.DIRECTIVES}
_HINT_CALL = {
    "coalesced_width",
    "parallel_loop_layout",
    "disable_tma",
    "eviction_policy",
    "prefer_instruction",
    "batch",
    "enable_fadd2",
}
_REDUCTIONS = ("sum", "abssum", "max", "absmax", "min")

_REFUSED: tuple[tuple[tuple[str, ...], type[errors.CompileError]], ...] = (
    (("tl.tileop.atomic", "tl.atomic_"), errors.UnsupportedAtomic),
    (("tl.tileop.gemm_", "tl.tileop.wgmma", "tl.tileop.tcgen05"), errors.UnsupportedGemmForm),
    (
        (
            "tl.tileop.async_copy",
            "tl.tileop.tma_copy",
            "tl.mbarrier",
            "tl.sync",
            "tl.fence",
            "tirx.ptx_",
            "tl.cluster",
        ),
        errors.UnsupportedAsync,
    ),
    (("tirx.call_extern", "tirx.call_pure_extern", "tirx.call_packed"), errors.ExternCode),
    (("",), errors.UnsupportedTileOp),
)


class LegalizeConstructs:
    """See the module docstring."""

    name = "tt.LegalizeConstructs"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        tree.inherit_spans(func.body)
        _check_parameters(func)
        _check_names(func)
        func = func.with_body(_without_attributes(func.body))
        frame = Frame.of(func)
        _check_values(frame.body)
        _check_data_dependence(frame)
        for buffer in [*frame.buffers, *frame.ways]:
            _check_buffer(buffer, frame.realize)
        _check_annotations(frame)
        return frame.build(
            body=tree.rewrite_sequences(frame.body, _legalize, into_nests=True), annotations={}
        )


def _kernel(func: tirx.PrimFunc) -> tirx.Stmt:
    """The T.Kernel, whose line stands for the function's."""
    return tree.collect(func.body, (tirx.SBlockRealize, tirx.For))[0]


def _check_parameters(func: tirx.PrimFunc) -> None:
    data = _data(func)
    for param in func.params:
        buffer = func.buffer_map.get(param)
        if buffer is not None:
            if buffer.dtype != "bool" or buffer in data:
                _check_dtype(f"tensor {buffer.name!r}", buffer.dtype, _kernel(func))
            _check_contiguous(buffer, _kernel(func))
        elif param.dtype not in _SCALARS:
            raise errors.UnsupportedParameter.at(
                _kernel(func), name=param.name, kind=f"of type {param.dtype}"
            )


def _data(func: tirx.PrimFunc) -> set[tirx.Buffer]:
    """The buffers that are more than a source of numbers."""
    body = ir_transform(func.body, None, lambda _: tirx.Evaluate(0), ["tirx.Bind"])
    accesses = tree.collect(body, (tirx.BufferLoad, tirx.BufferStore))
    return {access.buffer for access in accesses}


def _check_names(func: tirx.PrimFunc) -> None:
    """The plan knows extents, scalars and tensors by name, so a name must mean one thing."""
    seen: dict[str, tirx.Var] = {
        param.name: param for param in func.params if param not in func.buffer_map
    }
    tensors: set[str] = set()
    for buffer in func.buffer_map.values():
        if buffer.name in tensors:
            kind = "the name of two tensors"
            raise errors.UnsupportedParameter.at(_kernel(func), name=buffer.name, kind=kind)
        tensors.add(buffer.name)
        for var in (var for extent in buffer.shape for var in tree.collect(extent, tirx.Var)):
            if not seen.setdefault(var.name, var).same_as(var):
                kind = "the name of two different values"
                raise errors.UnsupportedParameter.at(_kernel(func), name=var.name, kind=kind)


def _check_contiguous(buffer: tirx.Buffer, stmt: tirx.Stmt) -> None:
    expected: tirx.PrimExpr = tirx.const(1, "int32")
    for stride, extent in zip(reversed(buffer.strides), reversed(buffer.shape), strict=False):
        if not arith.Analyzer().can_prove_equal(stride, expected):
            raise errors.UnsupportedParameter.at(stmt, name=buffer.name, kind="a strided tensor")
        expected = expected * extent


def _check_dtype(what: str, dtype: str, stmt: tirx.Stmt) -> None:
    if dtype in _DTYPES:
        return
    reason = (
        "is not supported yet" if dtype in formats.BY_DTYPE else "Tensix has no tile format for"
    )
    raise errors.UnsupportedDtype.at(
        stmt,
        what=what,
        dtype=dtype,
        reason=f"which {reason}",
        instead=f"use {', '.join(_DTYPES[:-1])} or {_DTYPES[-1]}",
    )


def _check_buffer(buffer: tirx.Buffer, stmt: tirx.Stmt) -> None:
    if buffer.scope() not in _SCOPES:
        raise errors.UnsupportedScope.at(stmt, buffer=buffer.name, scope=buffer.scope())
    _check_dtype(f"buffer {buffer.name!r}", buffer.dtype, stmt)


def _check_annotations(frame: Frame) -> None:
    for key in frame.annotations:
        if key not in _HINT_BLOCK:
            raise errors.UnsupportedSemantics.at(
                frame.realize, what=f"the block annotation {key!r}"
            )


def _without_attributes(stmt: tirx.Stmt) -> tirx.Stmt:
    def strip(attr: tirx.AttrStmt) -> tirx.Stmt:
        if attr.attr_key not in _HINT_ATTRS:
            raise errors.UnsupportedSemantics.at(attr, what=f"the attribute {attr.attr_key!r}")
        return attr.body

    return ir_transform(stmt, None, strip, ["tirx.AttrStmt"])


def _check_values(body: tirx.Stmt) -> None:
    for stmt in tree.collect(body, (tirx.BufferStore, tirx.For, tirx.IfThenElse, tirx.Evaluate)):
        for call in _own_calls(stmt):
            if call.op.name == "tl.launch_thread_idx":
                raise errors.ThreadIndexUsed.at(stmt)
            if call.op.name.startswith("tl.atomic_"):
                raise errors.UnsupportedAtomic.at(stmt, op="the value that an atomic returns")


def _check_data_dependence(frame: Frame) -> None:
    """Every engine evaluates control and regions by itself; none may read what is on the chip."""
    for stmt in tree.collect(frame.body, (tirx.For, tirx.IfThenElse, tirx.Evaluate)):
        for what, expr in _control(stmt):
            for load in tree.collect(expr, tirx.BufferLoad):
                raise errors.DataDependent.at(stmt, what=what, buffer=load.buffer.name)


def _control(stmt: tirx.Stmt) -> list[tuple[str, tirx.PrimExpr]]:
    match stmt:
        case tirx.For():
            return [("a loop", stmt.min), ("a loop", stmt.extent)]
        case tirx.IfThenElse():
            return [] if is_of_elements(stmt) else [("a branch", stmt.condition)]
    match leaf(stmt):
        case Copy() | Transpose() | Reduce() as move:
            return [("a region", low) for low in (*move.src.mins, *move.dst.mins)]
        case Gemm() as gemm:
            return [("clear_accum", gemm.clear)]
    return []


def _own_calls(stmt: tirx.Stmt) -> list[tirx.Call]:
    """Calls in the expressions of a statement itself.

    A bare evaluated thread index is no use of it.
    """
    match stmt:
        case tirx.BufferStore():
            exprs = [stmt.value, *stmt.indices]
        case tirx.For():
            exprs = [stmt.min, stmt.extent]
        case tirx.IfThenElse():
            exprs = [stmt.condition]
        case tirx.Evaluate():
            exprs = list(stmt.value.args) if isinstance(stmt.value, tirx.Call) else []
        case _:
            exprs = []
    calls = [call for expr in exprs for call in tree.collect(expr, tirx.Call)]
    return [call for call in calls if isinstance(call.op, Op)]


def _legalize(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
    return [kept for stmt in stmts if (kept := _legalize_one(stmt)) is not None]


def _legalize_one(stmt: tirx.Stmt) -> tirx.Stmt | None:
    if tree.is_nothing(stmt) or (isinstance(stmt, tirx.For) and tree.is_nothing(stmt.body)):
        return None
    match stmt:
        case tirx.Evaluate():
            return _legalize_call(stmt)
        case tirx.For():
            return _legalize_loop(stmt)
        case tirx.BufferStore() | tirx.IfThenElse() | tirx.Bind():
            return stmt
    raise errors.UnsupportedStatement.at(stmt, kind=type(stmt).__name__)


def _legalize_call(stmt: tirx.Evaluate) -> tirx.Stmt | None:
    call = called(stmt)
    if call is None or call.op.name in _HINT_OPS:
        return None
    if ops.definition(stmt) is not None:
        return stmt
    view = leaf(stmt)
    if isinstance(view, Reduce) and view.kind not in _REDUCTIONS:
        raise errors.UnsupportedReduction.at(stmt, op=f"T.reduce_{view.kind}")
    if view is not None or call.op.name in SCANS:
        _check_call_annotations(call, stmt)
        return stmt
    refusal = next(error for prefixes, error in _REFUSED if call.op.name.startswith(prefixes))
    raise refusal.at(stmt, op="T." + call.op.name.rsplit(".", 1)[-1])


def _check_call_annotations(call: tirx.Call, stmt: tirx.Stmt) -> None:
    for key in call.annotations or {}:
        if str(key) not in _HINT_CALL:
            raise errors.UnsupportedSemantics.at(stmt, what=f"the annotation {str(key)!r}")


def _legalize_loop(stmt: tirx.For) -> tirx.Stmt:
    """The loop with hints dropped; a serial loop of one iteration is its body."""
    if stmt.kind not in _KINDS:
        raise errors.UnsupportedStatement.at(
            stmt, kind=f"thread-bound loop over {stmt.loop_var.name}"
        )
    for key in stmt.annotations:
        if key not in _HINT_LOOP | _KEPT_LOOP:
            raise errors.UnsupportedSemantics.at(stmt, what=f"the loop annotation {key!r}")
    if stmt.kind != tirx.ForKind.PARALLEL and ranges.constant(stmt.extent) == 1:
        return substitute(stmt.body, {stmt.loop_var: stmt.min})
    kept = {key: value for key, value in stmt.annotations.items() if key in _KEPT_LOOP}
    if len(kept) == len(stmt.annotations):
        return stmt
    loop = tirx.For(
        stmt.loop_var, stmt.min, stmt.extent, stmt.kind, stmt.body, stmt.thread_binding, kept
    )
    return tree.located(loop, stmt)
