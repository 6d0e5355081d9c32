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

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import layout, ranges
from tilelang_tt.analysis.expression import Instruction, allocate, select
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
        mode = DstMode.of(func, self.device)

        def lower(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [_lower(stmt, plan, mode) for stmt in stmts]

        return frame.build(body=tree.rewrite_sequences(frame.body, lower))


@dataclass(frozen=True)
class DstMode:
    """How many tiles DST holds, and the data format of its values."""

    tiles: int
    format: str

    @classmethod
    def of(cls, func: tirx.PrimFunc, device: Device) -> DstMode:
        """As `ChooseDstMode` decided, which allows no mixture of 16-bit formats."""
        if func.attrs[FP32_DEST]:
            return cls(device.dst_tiles(True), "Float32")
        has_halves = any(buffer.dtype == "float16" for buffer in Frame.of(func).buffers)
        return cls(device.dst_tiles(False), "Float16" if has_halves else "Float16_b")


def _lower(stmt: tirx.Stmt, plan: Plan, mode: DstMode) -> tirx.Stmt:
    match leaf(stmt):
        case Elementwise() as nest if nest.is_index_map:
            return tree.located(_lower_index_map(nest), stmt)
        case Elementwise() as nest:
            return tree.located(_lower_nest(nest, stmt, plan, mode), stmt)
        case Transpose() as transpose:
            return tree.located(_lower_transpose(transpose, plan, mode.tiles), stmt)
    return stmt


def _lower_nest(nest: Elementwise, stmt: tirx.Stmt, plan: Plan, mode: DstMode) -> tirx.Stmt:
    program, slots = nest_program(nest, stmt, mode.tiles)
    grid = layout.tile_grid(nest.dst)
    assert grid is not None, nest.dst
    together = largest_divisor(grid.tiles, mode.tiles // slots)

    def section(first: tirx.PrimExpr) -> tirx.Stmt:
        def at(tile: tirx.PrimExpr) -> NestTile:
            number = first + tile
            return NestTile(nest, number, grid.place(number), lambda slot: tile * slots + slot)

        stmts = [
            for_tiles(together, lambda tile, ins=ins: at(tile).instruction(ins, plan, mode))
            for ins in program
        ]
        result = program[-1].out

        def pack(tile: tirx.PrimExpr) -> tirx.Stmt:
            place = at(tile)
            page = place.page(nest.store, plan)
            return ops.PACK_TILE.stmt(place.register(result), nest.dst.data, page)

        return attrs.dst_section([*stmts, for_tiles(together, pack)])

    return in_chunks(grid.tiles, together, section)


def _lower_index_map(nest: Elementwise) -> tirx.Stmt:
    """One tile, written by the reader element by element."""
    assert isinstance(nest.store.value, tirx.Cast)
    *steps, first = arith.detect_linear_equation(nest.store.value.value, list(nest.vars))
    assert ranges.constant(first) == 0, nest.store
    spelled = [tirx.StringImm(text) for text in _ENCODINGS[nest.dst.dtype]]
    return ops.WRITE_AFFINE_TILE.stmt(nest.dst.data, 0, *steps, *spelled)


def nest_program(
    nest: Elementwise, stmt: tirx.Stmt, dst_tiles: int
) -> tuple[list[Instruction], int]:
    """Instructions on slots of DST, and how many slots a tile takes.

    Where slots are short, tiles are loaded again, and products move to the vector unit.

    Raises:
        DstOverflow: a tile takes more than DST has; the error names the line of `stmt`.
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
        if slots <= dst_tiles:
            return program, slots
    raise DstOverflow.at(stmt, needed=slots, available=dst_tiles)


@dataclass(frozen=True)
class NestTile:
    """One tile of the result of a nest: its number in row-major order, its leading indices, row and
    column, and where DST has its slots."""

    nest: Elementwise
    number: tirx.PrimExpr
    place: tuple[list[tirx.PrimExpr], tirx.PrimExpr, tirx.PrimExpr]
    slot: Callable[[int], tirx.PrimExpr]

    def register(self, slot: int) -> tirx.PrimExpr:
        return _simplify(self.slot(slot))

    def instruction(self, ins: Instruction, plan: Plan, mode: DstMode) -> tirx.Stmt:
        out = self.register(ins.out)
        if ins.op is ops.COPY_DEST:
            return ins.op.stmt(self.register(ins.inputs[0]), out, tirx.StringImm(mode.format))
        if ins.loads:
            pages = [self.page(load, plan) for load in ins.loads]
            cbs = [load.buffer.data for load in ins.loads]
            op = _TO_DEST.get(ins.op, ins.op) if plan[cbs[0]].unpack_to_dest else ins.op
            return op.stmt(*cbs, *pages, out)
        if ins.bits is not None:
            return ins.op.stmt(out, _simplify(substitute(ins.bits, self._first_element())))
        if ins.in_place:
            return ins.op.stmt(out)
        format_ = [tirx.StringImm(mode.format)] if ins.op is ops.WHERE else []
        return ins.op.stmt(*map(self.register, ins.inputs), out, *format_)

    def page(self, access: tirx.BufferLoad | tirx.BufferStore, plan: Plan) -> tirx.PrimExpr:
        """The page of what is accessed for this tile."""
        grid = layout.tile_grid(access.buffer)
        assert grid is not None, access.buffer
        order = plan[access.buffer.data].order
        is_same = same_all(access.indices, self.nest.store.indices)
        if grid == layout.tile_grid(self.nest.dst) and order == attrs.ROW_MAJOR and is_same:
            return _simplify(self.number)
        places = self._first_element()
        *leading, row, column = (substitute(index, places) for index in access.indices)
        leading = [*([tirx.const(0, "int32")] * (len(grid.leading) - len(leading))), *leading]
        row, column = tirx.floordiv(row, TILE), tirx.floordiv(column, TILE)
        return _simplify(grid.page(leading, row, column, order))

    def _first_element(self) -> dict[tirx.Var, tirx.PrimExpr]:
        """Where the nest's variables stand at the first element of the tile."""
        leading, row, column = self.place
        rank = len(self.nest.store.indices)
        places = [*leading[len(leading) - rank + 2 :], row * TILE, column * TILE][-rank:]
        return {
            index: place
            for index, place in zip(self.nest.store.indices, places, strict=True)
            if isinstance(index, tirx.Var)
        }


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
