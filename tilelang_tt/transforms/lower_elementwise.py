"""Turn each element-wise nest, and each transposition, into operations on the tiles of DST.

    before:  for i, j in T.Parallel(64, 64):         C = A + B, bfloat16
                 C_s[i, j] = A_s[i, j] + B_s[i, j]

    after:   with T.attr(0, "tt.dst_section", ...):
                 for t in range(4):
                     T.add_tiles(A_s.data, B_s.data, t, t, t)
                 for t in range(4):
                     T.pack_tile(t, C_s.data, t)

As many tiles as DST holds are worked on together, operation by operation, so that an operation is
set up once for all of them. Which operation computes what is decided by `analysis/expression.py`.

Needs:    `PlanCircularBuffers`.
Leaves:   no parallel loops, no transpositions.
Errors:   TT1007, TT4003.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import layout, ranges
from tilelang_tt.analysis.expression import Instruction, allocate, select
from tilelang_tt.analysis.layout import TileGrid
from tilelang_tt.analysis.operands import classifier
from tilelang_tt.device import Device
from tilelang_tt.diagnostics import DstOverflow
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import FP32_DEST, CircularBuffer
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Transpose, leaf
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.tile_loops import for_tiles, in_chunks, largest_divisor, nest_of

Plan = dict[tirx.Var, CircularBuffer]
PageOf = Callable[[tirx.BufferLoad | tirx.BufferStore, tirx.PrimExpr], tirx.PrimExpr]


_ENCODINGS = {
    "float32": ("uint32_t", "float_bits"),
    "bfloat16": ("uint16_t", "bfloat16_bits"),
    "float16": ("uint16_t", "float16_bits"),
}
"""The word of an element, and the function that makes one of an integer."""
_TO_DEST = {broadcast.tile: broadcast.to_dest for broadcast in ops.UNARY_BROADCAST.values()}


@dataclass(frozen=True)
class LowerElementwise:
    """See the module docstring."""

    device: Device
    name: str = "tt.LowerElementwise"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        plan = attrs.circular_buffers(frame)
        is_fp32 = bool(func.attrs[FP32_DEST])
        mode = _DstMode(
            self.device.dst_tiles(is_fp32), "Float32" if is_fp32 else _narrow_format(frame)
        )

        def lower(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [_lower(stmt, plan, mode) for stmt in stmts]

        return frame.build(body=tree.rewrite_sequences(frame.body, lower))


@dataclass(frozen=True)
class _DstMode:
    """How many tiles DST holds, and the data format of its values."""

    tiles: int
    format: str


def _narrow_format(frame: Frame) -> str:
    """The 16-bit format of DST: that of the buffers, of which `ChooseDstMode` allows no mixture."""
    return "Float16" if any(buffer.dtype == "float16" for buffer in frame.buffers) else "Float16_b"


def _lower(stmt: tirx.Stmt, plan: Plan, mode: _DstMode) -> tirx.Stmt:
    match leaf(stmt):
        case Elementwise() as nest if nest.is_index_map:
            return tree.located(_lower_index_map(nest), stmt)
        case Elementwise() as nest:
            return tree.located(_lower_nest(nest, stmt, plan, mode), stmt)
        case Transpose() as transpose:
            return tree.located(_lower_transpose(transpose, plan, mode.tiles), stmt)
    return stmt


def _lower_nest(nest: Elementwise, stmt: tirx.Stmt, plan: Plan, mode: _DstMode) -> tirx.Stmt:
    program, slots = _program(nest, stmt, mode)
    grid = layout.tile_grid(nest.dst)
    assert grid is not None, nest.dst
    together = largest_divisor(grid.tiles, mode.tiles // slots)

    def scalar(bits: tirx.PrimExpr, tile: tirx.PrimExpr) -> tirx.PrimExpr:
        return _at_tile(bits, nest, grid, tile)

    def section(first: tirx.PrimExpr) -> tirx.Stmt:
        def at(tile: tirx.PrimExpr, slot: int) -> tirx.PrimExpr:
            return _simplify(tile * slots + slot)

        def page(access: tirx.BufferLoad | tirx.BufferStore, tile: tirx.PrimExpr) -> tirx.PrimExpr:
            return _page(access, nest, grid, first + tile, plan)

        stmts = [
            for_tiles(
                together,
                lambda tile, ins=ins: _instruction(
                    _with_scalar(ins, scalar, first + tile), tile, at, page, plan, mode.format
                ),
            )
            for ins in program
        ]
        result = program[-1].out
        pack = for_tiles(
            together,
            lambda tile: ops.PACK_TILE.stmt(
                at(tile, result), nest.dst.data, page(nest.store, tile)
            ),
        )
        return attrs.dst_section([*stmts, pack])

    return in_chunks(grid.tiles, together, section)


def _lower_index_map(nest: Elementwise) -> tirx.Stmt:
    """One tile, written by the reader element by element."""
    assert isinstance(nest.store.value, tirx.Cast)
    *steps, first = arith.detect_linear_equation(nest.store.value.value, list(nest.vars))
    assert ranges.constant(first) == 0, nest.store
    spelled = [tirx.StringImm(text) for text in _ENCODINGS[nest.dst.dtype]]
    return ops.WRITE_AFFINE_TILE.stmt(nest.dst.data, 0, *steps, *spelled)


def _program(nest: Elementwise, stmt: tirx.Stmt, mode: _DstMode) -> tuple[list[Instruction], int]:
    """Instructions on slots of DST.

    Where slots are short, tiles are loaded again, and products move to the vector unit.
    """
    slots = 0
    for fpu_products, share_loads in itertools.product((True, False), repeat=2):
        selected = select(
            nest.store.value,
            classifier(nest.dst),
            stmt,
            fpu_products=fpu_products,
            share_loads=share_loads,
        )
        program, slots = allocate(selected)
        if slots <= mode.tiles:
            return program, slots
    raise DstOverflow.at(stmt, needed=slots, available=mode.tiles)


def _with_scalar(
    ins: Instruction,
    scalar: Callable[[tirx.PrimExpr, tirx.PrimExpr], tirx.PrimExpr],
    tile: tirx.PrimExpr,
) -> Instruction:
    return ins if ins.bits is None else dataclasses.replace(ins, bits=scalar(ins.bits, tile))


def _at_tile(
    bits: tirx.PrimExpr, nest: Elementwise, grid: TileGrid, tile: tirx.PrimExpr
) -> tirx.PrimExpr:
    """The number that `bits` are of, where the nest stands at the first element of a tile."""
    return _simplify(substitute(bits, _places(nest, grid, tile)))


def _places(
    nest: Elementwise, grid: TileGrid, tile: tirx.PrimExpr
) -> dict[tirx.Var, tirx.PrimExpr]:
    """Where the nest's variables stand at the first element of a tile of its result."""
    leading, row, column = grid.place(tile)
    rank = len(nest.store.indices)
    places = [*leading[len(leading) - rank + 2 :], row * TILE, column * TILE][-rank:]
    return {
        index: place
        for index, place in zip(nest.store.indices, places, strict=True)
        if isinstance(index, tirx.Var)
    }


def _instruction(
    ins: Instruction,
    tile: tirx.PrimExpr,
    at: Callable[[tirx.PrimExpr, int], tirx.PrimExpr],
    page: PageOf,
    plan: Plan,
    dst_format: str,
) -> tirx.Stmt:
    out = at(tile, ins.out)
    if ins.op is ops.COPY_DEST:
        return ins.op.stmt(at(tile, ins.inputs[0]), out, tirx.StringImm(dst_format))
    if ins.loads:
        pages = [page(load, tile) for load in ins.loads]
        cbs = [load.buffer.data for load in ins.loads]
        op = _TO_DEST.get(ins.op, ins.op) if plan[cbs[0]].unpack_to_dest else ins.op
        return op.stmt(*cbs, *pages, out)
    if ins.bits is not None:
        return ins.op.stmt(out, ins.bits)
    if ins.in_place:
        return ins.op.stmt(out)
    format_ = [tirx.StringImm(dst_format)] if ins.op is ops.WHERE else []
    return ins.op.stmt(*(at(tile, slot) for slot in ins.inputs), out, *format_)


def _page(
    access: tirx.BufferLoad | tirx.BufferStore,
    nest: Elementwise,
    whole: TileGrid,
    tile: tirx.PrimExpr,
    plan: Plan,
) -> tirx.PrimExpr:
    """The page of what is accessed for the `tile`-th tile, in row-major order, of the nest's
    result, whose grid is `whole`."""
    grid = layout.tile_grid(access.buffer)
    assert grid is not None, access.buffer
    order = plan[access.buffer.data].order
    if grid == whole and order == attrs.ROW_MAJOR and same_all(access.indices, nest.store.indices):
        return _simplify(tile)
    places = _places(nest, whole, tile)
    *leading, row, column = (substitute(index, places) for index in access.indices)
    leading = [*([tirx.const(0, "int32")] * (len(grid.leading) - len(leading))), *leading]
    row, column = tirx.floordiv(row, TILE), tirx.floordiv(column, TILE)
    return _simplify(grid.page(leading, row, column, order))


def _lower_transpose(transpose: Transpose, plan: Plan, dst_tiles: int) -> tirx.Stmt:
    src, dst = transpose.src.buffer, transpose.dst.buffer
    source, grid = layout.tile_grid(src), layout.tile_grid(dst)
    assert source is not None, src
    assert grid is not None, dst
    together = largest_divisor(grid.columns, dst_tiles)

    def section(
        leading: list[tirx.PrimExpr], row: tirx.PrimExpr, first: tirx.PrimExpr
    ) -> tirx.Stmt:
        def turn(tile: tirx.PrimExpr) -> tirx.Stmt:
            page = source.page(leading, first + tile, row, plan[src.data].order)
            return ops.TRANSPOSE_TILE.stmt(src.data, _simplify(page), tile)

        def pack(tile: tirx.PrimExpr) -> tirx.Stmt:
            page = grid.page(leading, row, first + tile, plan[dst.data].order)
            return ops.PACK_TILE.stmt(tile, dst.data, _simplify(page))

        return attrs.dst_section([for_tiles(together, turn), for_tiles(together, pack)])

    def rows(index: list[tirx.PrimExpr]) -> tirx.Stmt:
        *leading, row, chunk = index
        return section(leading, row, chunk * together)

    return nest_of([*grid.leading, grid.rows, grid.columns // together], rows)


def _simplify(expr: tirx.PrimExpr) -> tirx.PrimExpr:
    return arith.Analyzer().simplify(expr)
