"""Turn each matrix product into blocks of tile products that accumulate in DST, and in L1 from step
to step.

    before:  T.gemm(A_s, B_s, C_l, clear_accum=k == 0)       A_s 64x32, B_s 32x64, C_l 64x64 float32

    after:   T.pack_reconfig_l1_acc(C_l.data, k != 0)
             with T.attr(0, "tt.dst_section", ...):
                 T.matmul_block(A_s.data, B_s.data, 0, 0, 0, transpose=0, ct=2, rt=2, kt=1)
                 for r, c in T.grid(2, 2):
                     T.pack_tile(r * 2 + c, C_l.data, r * 2 + c)
             T.pack_reconfig_l1_acc(C_l.data, 0)

The result is cut into subblocks of `rt` x `ct` tiles that fit into DST. One `matmul_block` adds one
step of the inner dimension to a whole subblock. The packer then overwrites the accumulator in L1 or
adds to it.

In a step that completes the sum, rows of subblocks are published one by one. Where a nest is made
of the sum, that is taken back into DST first.

    before:  with T.attr(0, "tt.finish", k == 7):            C_l, C_o 128x64
                 T.gemm(A_s, B_s, C_l, clear_accum=k == 0)
                 for i, j in T.Parallel(128, 64): C_o[i, j] = T.max(C_l[i, j], 0)

    after:   if k == 7:
                 T.cb_push_back(C_l.data, 8)
                 T.cb_wait_front(C_l.data, 8)
                 for r in range(2):
                     T.cb_reserve_back(C_o.data, 4)
                     with T.attr(0, "tt.dst_section", ...):
                         for p, q in T.grid(2, 2):
                             T.copy_tile(C_l.data, r * 4 + p * 2 + q, p * 2 + q)
                         T.matmul_block(A_s.data, B_s.data, r * 2, 0, 0, 0, 2, 2, 1)
                         for p, q in T.grid(2, 2): T.relu_tile(p * 2 + q)
                         for p, q in T.grid(2, 2): T.pack_tile(p * 2 + q, C_o.data, p * 2 + q)
                     T.cb_push_back(C_o.data, 4)
                 T.cb_pop_front(C_l.data, 8)
             else:
                 ...

A sum that stays in the destination registers is packed once, after the loop.

    before:  with T.attr(0, "tt.dst_section", ...):
                 for k in range(8):                          C_l 64x64
                     T.gemm(A_s, B_s, C_l, clear_accum=k == 0)

    after:   with T.attr(0, "tt.dst_section", ...):
                 for k in range(8):
                     T.matmul_block(A_s.data, B_s.data, 0, 0, 0, 0, 2, 2, 1)
                 for r, c in T.grid(2, 2):
                     T.pack_tile(r * 2 + c, C_l.data, r * 2 + c)

Needs:    `FinishProducts`, `MaterializeTransposes`, `PlaceAccumulators`.
Leaves:   no gemms, and no buffer for a sum that only its registers hold.
Errors:   TT4008.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tvm import arith, tirx

from tilelang_tt.analysis import access, layout
from tilelang_tt.analysis.expression import Instruction
from tilelang_tt.analysis.subblocks import Subblock, Subblocks, streams
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import (
    COLUMN_MAJOR,
    COMPUTE,
    FINISH,
    SECTION,
    CircularBuffer,
    on_engine,
)
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Gemm, leaf
from tilelang_tt.options import Options
from tilelang_tt.transforms.lower_elementwise import DstMode, NestTile, nest_program
from tilelang_tt.transforms.tile_loops import loop, nest_of

Plan = dict[tirx.Var, CircularBuffer]
_ZERO = tirx.const(0, "int32")


@dataclass(frozen=True)
class LowerGemms:
    """See the module docstring."""

    options: Options
    name: str = "tt.LowerGemms"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        mode = DstMode.of(func, self.options.device)
        plan = attrs.circular_buffers(frame)
        lowering = _Lowering(plan, mode, Subblocks(plan, mode.tiles, self.options.subblock))
        body = lowering.visit(frame.body)
        kept = [each for each in frame.buffers if each not in lowering.held]
        lowered = Frame.of(frame.build(body=body, buffers=kept))
        return attrs.with_circular_buffers(lowered, {each.data: plan[each.data] for each in kept})


@dataclass(frozen=True)
class _Lowering:
    """`held` are sums that nothing but registers holds."""

    plan: Plan
    mode: DstMode
    subblocks: Subblocks
    held: list[tirx.Buffer] = field(default_factory=list)

    def visit(self, stmt: tirx.Stmt) -> tirx.Stmt:
        if isinstance(stmt, tirx.AttrStmt) and stmt.attr_key == FINISH:
            return tree.located(self._finish(stmt), stmt)
        if isinstance(stmt, tirx.AttrStmt) and stmt.attr_key == SECTION:
            return tree.located(self._held(stmt), stmt)
        view = leaf(stmt)
        if isinstance(view, Gemm):
            return tree.sequence(tree.located(piece, stmt) for piece in self._step(view, stmt))
        return stmt if view is not None else tree.map_bodies(stmt, self.visit)

    def _held(self, stmt: tirx.AttrStmt) -> tirx.Stmt:
        """A sum that stays in the registers, and a nest that is made of it."""
        adds, *rest = tree.statements(stmt.body)
        gemms = [(inner, view) for inner, view in access.leaves(adds) if isinstance(view, Gemm)]
        if not gemms:
            return stmt
        ((origin, gemm),) = gemms
        product = self._product(gemm, origin)

        def add(inner: tirx.Stmt, first: int) -> tirx.Stmt:
            view = leaf(inner)
            if isinstance(view, Gemm):
                return tree.located(product.steps(_ZERO, _ZERO, first), inner)
            return inner if view else tree.map_bodies(inner, lambda body: add(body, first))

        if not rest:
            packed = on_engine(COMPUTE, product.pack(gemm.c.buffer, _ZERO, _ZERO))
            return attrs.dst_section([add(adds, 0), tree.located(packed, origin)])
        (wrapped,) = rest
        *comments, own = tree.statements(wrapped.body)
        epilogue = self._epilogue(gemm, own)
        self.held.append(gemm.c.buffer)
        made = epilogue.made(product, _ZERO, _ZERO)
        after = on_engine(COMPUTE, tree.sequence([*comments, *made]))
        first = epilogue.of_sum * product.sub.tiles
        return attrs.dst_section([add(adds, first), tree.located(after, wrapped)])

    def _product(self, gemm: Gemm, stmt: tirx.Stmt, slots: int = 1) -> _Product:
        return _Product(gemm, self.plan, self.subblocks.of(gemm, stmt, slots))

    def _step(self, gemm: Gemm, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        """The products of one step, added to what L1 holds or in its place."""
        product = self._product(gemm, stmt)

        def section(row: tirx.PrimExpr, column: tirx.PrimExpr) -> tirx.Stmt:
            steps = product.steps(row, column, _ZERO)
            return attrs.dst_section([steps, product.pack(gemm.c.buffer, row, column)])

        body = product.over(section)
        if gemm.always_clears:
            return [body]
        accumulate = ops.PACK_ACCUMULATE.stmt(gemm.c.buffer.data, _simplify(tirx.Not(gemm.clear)))
        return [accumulate, body, ops.PACK_ACCUMULATE.stmt(gemm.c.buffer.data, 0)]

    def _finish(self, stmt: tirx.AttrStmt) -> tirx.Stmt:
        product, *nests = tree.statements(stmt.body)
        gemm = leaf(product)
        assert isinstance(gemm, Gemm), stmt
        if nests:
            (nest,) = nests
            last = self._with_nest(gemm, nest)
        else:
            last = self._in_parts(gemm, product)
        if gemm.always_clears:
            return last
        return tirx.IfThenElse(stmt.value, last, tree.sequence(self._step(gemm, product)))

    def _in_parts(self, gemm: Gemm, stmt: tirx.Stmt) -> tirx.Stmt:
        """The last step of a sum that is published row of subblocks by row of subblocks."""
        out = gemm.c.buffer
        product = self._product(gemm, stmt)

        def section(row: tirx.PrimExpr, column: tirx.PrimExpr) -> tirx.Stmt:
            steps = product.steps(row, column, _ZERO)
            return attrs.dst_section([steps, product.pack(out, _ZERO, column)])

        if gemm.always_clears:
            return product.over(section, self._handing_over(out))
        body = product.over(section, lambda part: tree.sequence([part, self._published(out)]))
        accumulate = ops.PACK_ACCUMULATE.stmt(out.data, _simplify(tirx.Not(gemm.clear)))
        return tree.sequence([accumulate, body, ops.PACK_ACCUMULATE.stmt(out.data, 0)])

    def _with_nest(self, gemm: Gemm, stmt: tirx.Stmt) -> tirx.Stmt:
        """The last step of a sum, and what a nest makes of it."""
        total = gemm.c.buffer
        epilogue = self._epilogue(gemm, stmt)
        product = self._product(gemm, stmt, epilogue.slots)

        def section(row: tirx.PrimExpr, column: tirx.PrimExpr) -> tirx.Stmt:
            first = epilogue.of_sum * product.sub.tiles
            steps = product.steps(row, column, first)
            before = [] if gemm.always_clears else [epilogue.loaded(product, row, column)]
            return attrs.dst_section([*before, steps, *epilogue.made(product, row, column)])

        body = product.over(section, self._handing_over(epilogue.nest.dst))
        if gemm.always_clears:
            return body
        pages = ops.BLOCK_PAGES.call(total.data)
        return tree.sequence(
            [
                ops.CB_PUSH_BACK.stmt(total.data, pages),
                ops.CB_WAIT_FRONT.stmt(total.data, pages),
                body,
                ops.CB_POP_FRONT.stmt(total.data, pages),
            ]
        )

    def _epilogue(self, gemm: Gemm, stmt: tirx.Stmt) -> _Epilogue:
        nest = leaf(stmt)
        assert isinstance(nest, Elementwise), stmt
        program, slots = nest_program(nest, stmt, self.mode.tiles)
        return _Epilogue(gemm.c.buffer, nest, program, slots, self.plan, self.mode)

    def _handing_over(self, buffer: tirx.Buffer) -> Callable[[tirx.Stmt], tirx.Stmt]:
        reserve = ops.CB_RESERVE_BACK.stmt(buffer.data, self._part_pages(buffer))
        return lambda part: tree.sequence([reserve, part, self._published(buffer)])

    def _published(self, buffer: tirx.Buffer) -> tirx.Stmt:
        return ops.CB_PUSH_BACK.stmt(buffer.data, self._part_pages(buffer))

    def _part_pages(self, buffer: tirx.Buffer) -> tirx.PrimExpr | int:
        planned = self.plan[buffer.data]
        return ops.BLOCK_PAGES.call(buffer.data) if planned.parts == 1 else planned.part_pages


@dataclass(frozen=True)
class _Product:
    """A product in subblocks."""

    gemm: Gemm
    plan: Plan
    sub: Subblock

    @property
    def grid(self) -> layout.TileGrid:
        grid = layout.tile_grid(self.gemm.c.buffer)
        assert grid is not None, self.gemm
        return grid

    def over(
        self,
        section: Callable[[tirx.PrimExpr, tirx.PrimExpr], tirx.Stmt],
        around: Callable[[tirx.Stmt], tirx.Stmt] = lambda row: row,
    ) -> tirx.Stmt:
        """`section` for the first row and column of every subblock; `around` the rows of them."""
        rows, columns = self.grid.rows // self.sub.rows, self.grid.columns // self.sub.columns
        r, c = tirx.Var("r", "int32"), tirx.Var("c", "int32")
        row = _ZERO if rows == 1 else r * self.sub.rows
        column = _ZERO if columns == 1 else c * self.sub.columns
        inner = section(row, column)
        inner = around(inner if columns == 1 else loop(c, columns, inner))
        return inner if rows == 1 else loop(r, rows, inner)

    def steps(
        self, row: tirx.PrimExpr, column: tirx.PrimExpr, first: tirx.PrimExpr | int
    ) -> tirx.Stmt:
        """The products of a subblock, added to the registers from `first` on."""
        gemm, sub = self.gemm, self.sub
        a, b = gemm.a.buffer, gemm.b.buffer
        inner = layout.tile_grid(a)
        assert inner is not None, a
        depth = inner.columns
        by_columns = self.plan[a.data].order == COLUMN_MAJOR
        row_stride, step_stride = (1, inner.rows) if by_columns else (depth, 1)
        k = tirx.Var("kk", "int32")
        step = _ZERO if depth == 1 else k
        is_streamed = streams(gemm, self.plan)
        page_b = step * self.grid.columns + column if is_streamed else column * depth + step
        product = ops.MATMUL_BLOCK.stmt(
            a.data,
            b.data,
            _simplify(row * row_stride + step * step_stride),
            _simplify(page_b),
            first,
            int(gemm.transpose_b),
            sub.columns,
            sub.rows,
            row_stride,
        )
        return product if depth == 1 else loop(k, depth, product)

    def pack(
        self, out: tirx.Buffer, row: tirx.PrimExpr, column: tirx.PrimExpr, first: int = 0
    ) -> tirx.Stmt:
        """The registers from `first` on to the pages of a subblock of `out`."""
        grid, order = self.grid, self.plan[out.data].order

        def pack(index: list[tirx.PrimExpr]) -> tirx.Stmt:
            at_row, at_column = index
            page = grid.page([0] * len(grid.leading), row + at_row, column + at_column, order)
            register = first + at_row * self.sub.columns + at_column
            return ops.PACK_TILE.stmt(_simplify(register), out.data, _simplify(page))

        return nest_of([self.sub.rows, self.sub.columns], pack)


@dataclass(frozen=True)
class _Epilogue:
    """A nest that is made of the sum `total` where the destination registers have it. Its `program`
    takes `slots` registers for a tile, in one of which it loads that of the sum."""

    total: tirx.Buffer
    nest: Elementwise
    program: list[Instruction]
    slots: int
    plan: Plan
    mode: DstMode

    @property
    def of_sum(self) -> int:
        """The slot of the sum."""
        return next(ins.out for ins in self.program if self._loads_sum(ins))

    def _loads_sum(self, ins: Instruction) -> bool:
        return any(self.total.same_as(load.buffer) for load in ins.loads)

    def loaded(self, product: _Product, row: tirx.PrimExpr, column: tirx.PrimExpr) -> tirx.Stmt:
        """The sum of a subblock, from L1 to the registers."""
        return self._each(
            product,
            row,
            column,
            lambda tile: ops.COPY_TILE.stmt(
                self.total.data, _simplify(tile.number), tile.register(self.of_sum)
            ),
        )

    def made(
        self,
        product: _Product,
        row: tirx.PrimExpr,
        column: tirx.PrimExpr,
    ) -> list[tirx.Stmt]:
        """The results of a subblock, packed to pages of the first row of subblocks."""
        made = [
            self._each(
                product,
                row,
                column,
                lambda tile, ins=ins: tile.instruction(ins, self.plan, self.mode),
            )
            for ins in self.program
            if not self._loads_sum(ins)
        ]
        result = self.program[-1].out * product.sub.tiles
        return [*made, product.pack(self.nest.dst, _ZERO, column, result)]

    def _each(
        self,
        product: _Product,
        row: tirx.PrimExpr,
        column: tirx.PrimExpr,
        make: Callable[[NestTile], tirx.Stmt],
    ) -> tirx.Stmt:
        sub, grid = product.sub, product.grid

        def tile(index: list[tirx.PrimExpr]) -> NestTile:
            at_row, at_column = index
            place = row + at_row, column + at_column
            number = place[0] * grid.columns + place[1]
            inside = at_row * sub.columns + at_column
            leading = [_ZERO] * len(grid.leading)
            return NestTile(
                self.nest, number, (leading, *place), lambda slot: slot * sub.tiles + inside
            )

        return nest_of([sub.rows, sub.columns], lambda index: make(tile(index)))


def _simplify(expr: tirx.PrimExpr) -> tirx.PrimExpr:
    return arith.Analyzer().simplify(expr)
