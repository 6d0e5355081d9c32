"""What every test of the compiler needs: run one pass on one function, compare, and look inside.

`copy`, `gemm`, `transpose`, `fill`, `reduce`, `atomic_add`, `begin` and `end` write tile operations
in TVMScript; an operand is a buffer or a slice of one.
"""

from __future__ import annotations

import dataclasses
import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tvm
from tvm import IRModule, arith, tirx
from tvm.ir.transform import Pass
from tvm.script import from_source
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt import device, pipeline
from tilelang_tt.analysis import layout
from tilelang_tt.ir import attrs, ops, tree, verify
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T, normal
from tilelang_tt.ir.tileops import Accumulation, Copy, Gemm, Reduce, Region, Transpose
from tilelang_tt.options import Options
from tilelang_tt.transforms.function_pass import Rewrite, as_tvm_pass
from tilelang_tt.transforms.split_kernels import split_kernels

OPTIONS = Options()
DEVICE = device.load("wormhole_b0")


# Comparing functions. -----------------------------------------------------------------------------


def check(
    pass_: Rewrite, before: tirx.PrimFunc, expected: tirx.PrimFunc, *, idempotent: bool = True
) -> None:
    """`before` becomes `expected`, and a second application changes nothing."""
    after = pass_.rewrite(before)
    assert_same(after, expected)
    if idempotent:
        assert_same(pass_.rewrite(after), expected)


def check_unchanged(pass_: Rewrite, func: tirx.PrimFunc) -> None:
    assert_same(pass_.rewrite(func), func)


def assert_same(actual: tirx.PrimFunc, expected: tirx.PrimFunc) -> None:
    """Structural equality; variables in function attributes stand for themselves."""
    left, right = _bare(actual), _bare(expected)
    if not tvm.ir.structural_equal(left, right, map_free_vars=True):
        # The script parser types some literals anew: compare what it makes of both.
        tvm.ir.assert_structural_equal(normal(left), normal(right), map_free_vars=True)


def _bare(func: tirx.PrimFunc) -> tirx.PrimFunc:
    """`func` without its name, the root block that the script parser adds, and the read and write
    sets it gives to blocks."""

    def forget(block: tirx.SBlock) -> tirx.SBlock:
        return tirx.SBlock(
            block.iter_vars,
            [],
            [],
            block.name_hint,
            block.body,
            block.init,
            block.alloc_buffers,
            block.match_buffers,
            block.annotations,
        )

    body = ir_transform(func.body, None, forget, ["tirx.SBlock"])
    if isinstance(body, tirx.SBlockRealize) and body.block.name_hint == "root":
        body = body.block.body
    return func.with_body(body).without_attr("global_symbol")


# The pipeline, step by step. ----------------------------------------------------------------------


def until(func: tirx.PrimFunc, name: str, options: Options = OPTIONS) -> tirx.PrimFunc:
    """The front-end function `func` as the pass called `name` gets it."""
    for step in (*pipeline.tile_program(options), *pipeline.streams(options)):
        if isinstance(step, verify.Stage):
            continue
        pass_ = step if isinstance(step, Pass) else as_tvm_pass(step)
        if pass_.info.name == name:
            return func
        (func,) = pass_(IRModule({"main": func})).functions.values()
    assert name == "split", f"no pass is called {name}"
    return func


def kernel_until(
    func: tirx.PrimFunc, role: str, name: str, options: Options = OPTIONS
) -> tirx.PrimFunc:
    """The kernel `role` of the front-end function `func` as the pass called `name` gets it."""
    kernel = split_kernels(until(func, "split", options))[role]
    for step in (*pipeline.KERNELS[role], *pipeline.FINISH):
        if isinstance(step, verify.Stage):
            continue
        if step.name == name:
            return kernel
        kernel = step.rewrite(kernel)
    assert name == "end", f"no pass of the {role} is called {name}"
    return kernel


# Writing functions. -------------------------------------------------------------------------------


def region(operand: tirx.Buffer | tirx.BufferRegion | tirx.BufferLoad) -> Region:
    """The region a buffer, or a slice of one, stands for."""
    if isinstance(operand, tirx.Buffer):
        return Region.whole(operand)
    if isinstance(operand, tirx.BufferLoad):
        one = tirx.const(1, "int32")
        return Region(operand.buffer, tuple(operand.indices), (one,) * len(operand.indices))
    analyzer = arith.Analyzer()
    mins = tuple(axis.min for axis in operand.region)
    extents = tuple(analyzer.simplify(axis.extent) for axis in operand.region)
    return Region(operand.buffer, mins, extents)


def copy(src: tirx.Buffer, dst: tirx.Buffer, *rest: int | str) -> tirx.Call:
    """`rest` are the guarded axes, then the group of cores that share the load and its engine."""
    guarded = tuple(int(axis) for axis in rest if not isinstance(axis, str))
    shared_by = [word for word in rest if isinstance(word, str)]
    return Copy(region(src), region(dst), guarded, *shared_by).stmt().value


def transpose(src: tirx.Buffer, dst: tirx.Buffer) -> tirx.Call:
    return Transpose(region(src), region(dst)).stmt().value


def fill(dst: tirx.Buffer, value: object) -> tirx.Call:
    return T.fill(region(dst).encode(2), value)


def gemm(
    a: tirx.Buffer,
    b: tirx.Buffer,
    c: tirx.Buffer,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    clear: tirx.PrimExpr | bool = False,
) -> tirx.Call:
    first, second, out = region(a), region(b), region(c)
    m, k = [int(extent) for extent in first.extents[-2:]][:: -1 if transpose_a else 1]
    n = int(out.extents[-1])
    clear = tirx.IntImm("bool", clear) if isinstance(clear, bool) else clear
    zero = tirx.const(0, "int32")
    view = Gemm(first, second, out, transpose_a, transpose_b, clear, (m, n, k), (zero,) * 4)
    return view.stmt().value


def reduce(
    src: tirx.Buffer,
    dst: tirx.Buffer,
    kind: str,
    dim: int,
    *,
    clear: bool = True,
    scaler: tirx.Buffer | None = None,
) -> tirx.Call:
    tile = None if scaler is None else region(scaler)
    return Reduce(region(src), region(dst), str(kind), int(dim), clear, tile).stmt().value


def atomic_add(dst: tirx.Buffer, value: tirx.Buffer | tirx.PrimExpr) -> tirx.Call:
    """The tile form: of a block, or of one value for all elements."""
    is_value = isinstance(value, tirx.PrimExpr) and not isinstance(value, tirx.BufferLoad)
    return T.atomicadd(value if is_value else region(value).encode(1), region(dst).encode(2))


def atomic_add_element(place: tirx.BufferLoad, value: tirx.PrimExpr) -> tirx.Call:
    return T.atomic_add_elem_op(T.access_ptr(place, 1, 3), value)


def begin(dst: tirx.Buffer) -> tirx.Call:
    return Accumulation(region(dst), "begin").stmt().value


def onto(dst: tirx.Buffer) -> tirx.Call:
    return Accumulation(region(dst), "onto").stmt().value


def end(dst: tirx.Buffer) -> tirx.Call:
    return Accumulation(region(dst), "end").stmt().value


def scan(
    src: tirx.Buffer, dst: tirx.Buffer, dim: int, *, reverse: bool = False, kind: str = "sum"
) -> tirx.Call:
    running = T.cumsum if kind == "sum" else T.cummax
    return running(region(src).encode(1), region(dst).encode(2), dim, reverse)


@dataclass(frozen=True)
class Buffer:
    """A buffer of a scripted function."""

    shape: tuple[int | str, ...]
    dtype: str
    scope: str

    @property
    def text(self) -> str:
        return f"({', '.join(map(str, self.shape))},), {self.dtype!r}"


def tensor(*shape: int | str, dtype: str = "bfloat16") -> Buffer:
    return Buffer(shape, dtype, "global")


def shared(*shape: int, dtype: str = "bfloat16") -> Buffer:
    return Buffer(shape, dtype, "shared.dyn")


def way(*shape: int, dtype: str = "bfloat16") -> Buffer:
    """What stands for the way to other cores."""
    return Buffer((1, *shape), dtype, "way")


def fragment(*shape: int, dtype: str = "bfloat16") -> Buffer:
    return Buffer(shape, dtype, "local.fragment")


_SCOPES = {"way": "global"}
_WORDS = {
    "T": T,
    "copy": copy,
    "transpose": transpose,
    "fill": fill,
    "gemm": gemm,
    "reduce": reduce,
    "atomic_add": atomic_add,
    "atomic_add_element": atomic_add_element,
    "begin": begin,
    "onto": onto,
    "end": end,
    "scan": scan,
}


def scripted(
    body: str,
    *,
    grid: dict[str, int | str] | None = None,
    scalars: Sequence[str] = (),
    symbols: Sequence[str] = (),
    attributes: dict[str, object] | None = None,
    **buffers: Buffer,
) -> tirx.PrimFunc:
    """The function whose block holds `body`, in TVMScript.

    `grid` are the extents of the loops around the block, `scalars` int32 parameters, `symbols`
    dynamic extents. An attribute that is the name of a scalar, or a list of such, stands for it.
    """
    tensors = {name: buffer for name, buffer in buffers.items() if buffer.scope == "global"}
    params = [f"{name}_handle: T.handle" for name in tensors]
    params += [f"{name}: T.int32" for name in scalars]
    matches = [
        f"{name} = T.match_buffer({name}_handle, {buffer.text})" for name, buffer in tensors.items()
    ]
    allocs = [
        f"{name} = T.sblock_alloc_buffer({buffer.text}, scope={_SCOPES.get(scope, scope)!r})"
        for name, buffer in buffers.items()
        if (scope := buffer.scope) != "global"
    ]
    values = {key: _named(value, scalars) for key, value in (attributes or {}).items()}
    lines = [*(f"{name} = T.int32()" for name in symbols)]
    lines += [*([f"T.func_attr({values})"] if values else []), *matches]
    names, extents = list(grid or {}), [str(extent) for extent in (grid or {}).values()]
    depth = 0
    if names:
        lines.append(f"for {', '.join(names)} in T.grid({', '.join(extents)}):")
        depth = 1
    block = "\n".join([*allocs, textwrap.dedent(body).strip()])
    lines.append("    " * depth + 'with T.sblock("tilelang_root"):')
    lines.append(textwrap.indent(block, "    " * (depth + 1)))
    text = f"@T.prim_func(private=True)\ndef main({', '.join(params)}):\n"
    text += textwrap.indent("\n".join(lines), "    ")
    return from_source(text, extra_vars=_WORDS)


def _named(value: object, scalars: Sequence[str]) -> object:
    if isinstance(value, list):
        return [_named(item, scalars) for item in value]
    return _Name(value) if value in scalars else value


class _Name(str):
    """A string that prints as a name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def asked(*found: tuple[str, str, int]) -> dict[str, object]:
    """The attribute of a function whose program has these directives: kind, target, value.

    They stand in lines 1 and following of p.py.
    """
    every = [attrs.Directive(*each, f"p.py:{at}:1") for at, each in enumerate(found, 1)]
    return {attrs.DIRECTIVES: json.dumps([dataclasses.asdict(each) for each in every])}


def planned(func: tirx.PrimFunc, **changes: dict[str, object]) -> tirx.PrimFunc:
    """`func` with a circular buffer for each on-chip buffer; `changes` are by buffer name."""
    frame = Frame.of(func)
    plan = {}
    for index, buffer in enumerate(frame.buffers):
        grid = layout.tile_grid(buffer)
        assert grid is not None, buffer
        default = attrs.CircularBuffer(
            index=index,
            pages=grid.tiles,
            depth=2,
            least_depth=1,
            order=attrs.ROW_MAJOR,
            producer=attrs.READER,
            consumer=attrs.COMPUTE,
            unpack_to_dest=False,
            reason="",
        )
        plan[buffer.data] = dataclasses.replace(default, **changes.pop(buffer.name, {}))
    assert not changes, f"no buffer is called {', '.join(changes)}"
    return attrs.with_circular_buffers(frame, plan)


def tiled(func: tirx.PrimFunc, **changes: tuple[int | None, int | None]) -> tirx.PrimFunc:
    """`func` with every tensor tiled in its last two axes; `changes` are by tensor name."""
    frame = Frame.of(func)
    axes = {
        tensor.data: attrs.TiledAxes(*changes.pop(tensor.name))
        if tensor.name in changes
        else attrs.TiledAxes.default(len(tensor.shape))
        for tensor in frame.tensors
    }
    assert not changes, f"no tensor is called {', '.join(changes)}"
    return attrs.with_tiled_axes(frame, axes)


def program(
    body: tirx.Stmt | Sequence[tirx.Stmt],
    *,
    tensors: Sequence[tirx.Buffer] = (),
    buffers: Sequence[tirx.Buffer] = (),
    scalars: Sequence[tirx.Var] = (),
    annotations: dict[str, object] | None = None,
) -> tirx.PrimFunc:
    """A function in the frame of a tile program, for what TVMScript cannot say."""
    stmt = body if isinstance(body, tirx.Stmt) else tree.sequence(body)
    block = tirx.SBlock([], [], [], "tilelang_root", stmt, None, list(buffers), [], annotations)
    handles = [tirx.Var(f"{tensor.name}_handle", "handle") for tensor in tensors]
    return tirx.PrimFunc(
        [*handles, *scalars],
        tirx.SBlockRealize([], tirx.const(True, "bool"), block),
        buffer_map=dict(zip(handles, tensors, strict=True)),
    )


# Looking inside. ----------------------------------------------------------------------------------


def calls(func: tirx.PrimFunc, op: ops.OpDef) -> list[tirx.Call]:
    """Every statement that evaluates `op`, in program order."""
    return [
        stmt.value for stmt in tree.collect(func.body, tirx.Evaluate) if ops.definition(stmt) is op
    ]


def line_marked(path: str, marker: str) -> int:
    """The number of the only line of `path` that ends with `marker`."""
    lines = Path(path).read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.endswith(marker)]
    return number


def at(text: str, path: str, *markers: str) -> str:
    """A pattern for a message that contains `text` and ends by naming a marked line of `path`."""
    lines = "|".join(str(line_marked(path, marker)) for marker in markers)
    return rf"{re.escape(text)}[\s\S]*--> {re.escape(path)}:({lines}):\d+$"
