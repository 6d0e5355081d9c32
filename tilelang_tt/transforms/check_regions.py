"""Check that every region and buffer is a whole number of tiles, in place and in bounds.

Data moves by tiles, so a block must start at a multiple of 32 and end inside its tensor. What
depends on a dynamic extent is recorded as a condition that the launch checks.

    before:  func

    after:   func with attrs {"tt.conditions": [...]}

Needs:    `SeparateConsumers`.
Leaves:   regions in bounds and aligned; on-chip buffers of whole tiles.
Errors:   TT1010, TT2001 to TT2004, TT2007 to TT2010, TT3006.
"""

from __future__ import annotations

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import access, layout, ranges
from tilelang_tt.analysis.operands import is_tile_access
from tilelang_tt.diagnostics import (
    GemmDtypeMismatch,
    GemmShapeMismatch,
    MisalignedRegion,
    PartialTileWrite,
    RaggedRegion,
    RegionOutOfBounds,
    SymbolicRegion,
    UnsupportedIndex,
    UnwrittenOutput,
)
from tilelang_tt.ir import attrs
from tilelang_tt.ir.attrs import CONDITIONS, TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Elementwise, Gemm, Leaf, Region, is_global
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.choose_tiled_axes import transfer


class CheckRegions:
    """See the module docstring."""

    name = "tt.CheckRegions"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        analyzer = ranges.analyzer_of(func)
        loops = ranges.all_loops(func)
        conditions: list[tirx.PrimExpr] = []
        axes = attrs.tiled_axes(frame)
        views = access.leaves(frame.body)
        if not any(is_global(access.writes(view)) for _, view in views):
            raise UnwrittenOutput.at(frame.realize)
        for stmt, view in views:
            _check_buffers(view, stmt)
            if isinstance(view, Copy):
                region, buffer = transfer(view)
                tiled = axes[region.buffer.data]
                if is_global(view.dst.buffer):
                    _check_whole_tiles(region, buffer, tiled, stmt)
                conditions += _check_region(region, tiled, stmt, analyzer, loops)
            elif isinstance(view, Gemm):
                _check_gemm(view, stmt)
            elif isinstance(view, Elementwise):
                _check_indices(view, stmt)
        unique = {str(condition): condition for condition in conditions}
        return func.with_attr(CONDITIONS, list(unique.values()))


def _check_buffers(view: Leaf, stmt: tirx.Stmt) -> None:
    for buffer in (*access.reads(view), access.writes(view)):
        if not is_global(buffer) and layout.tile_grid(buffer) is None:
            raise RaggedRegion.at(
                stmt, extents="x".join(map(str, buffer.shape)), buffer=buffer.name
            )


def _check_whole_tiles(
    region: Region, buffer: tirx.Buffer, tiled: TiledAxes, stmt: tirx.Stmt
) -> None:
    """A tile is written as a whole; a vector may only be written to tiles that hold no more."""
    for is_vector, axis in (
        (layout.is_row(buffer), tiled.row),
        (layout.is_column(buffer), tiled.column),
    ):
        if is_vector and axis is not None and ranges.constant(region.buffer.shape[axis]) != 1:
            raise PartialTileWrite.at(stmt, buffer=region.buffer.name)


def _check_region(
    region: Region,
    tiled: TiledAxes,
    stmt: tirx.Stmt,
    analyzer: arith.Analyzer,
    loops: list[tirx.For],
) -> list[tirx.PrimExpr]:
    """Raise for what is certainly or possibly wrong; return what only the launch can decide."""
    conditions: list[tirx.PrimExpr] = []
    for dim, (low, extent, size) in enumerate(
        zip(region.mins, region.extents, region.buffer.shape, strict=True)
    ):
        count = ranges.constant(extent)
        if count is None:
            raise SymbolicRegion.at(stmt, extent=extent, buffer=region.buffer.name)
        if dim in (tiled.row, tiled.column):
            _check_alignment(region, low, count, stmt, analyzer)
        is_above = analyzer.can_prove(low >= 0)
        if is_above and analyzer.can_prove(low + extent <= size):
            continue
        decided = ranges.constant(size) is not None and not _is_symbolic(low, loops)
        if decided or not is_above or not _grows(low, loops, analyzer):
            raise RegionOutOfBounds.at(
                stmt, buffer=region.buffer.name, end=low + extent, extent=size, dim=dim
            )
        conditions.append(analyzer.simplify(_highest(low, loops) + extent <= size))
    return conditions


def _check_alignment(
    region: Region,
    low: tirx.PrimExpr,
    count: int,
    stmt: tirx.Stmt,
    analyzer: arith.Analyzer,
) -> None:
    if count % TILE and count != 1:
        raise RaggedRegion.at(stmt, extents=region.text(), buffer=region.buffer.name)
    if not analyzer.can_prove(tirx.floormod(low, TILE) == 0):
        raise MisalignedRegion.at(stmt, buffer=region.buffer.name, offset=low)


def _grows(expr: tirx.PrimExpr, loops: list[tirx.For], analyzer: arith.Analyzer) -> bool:
    """Whether `expr` never falls as a loop proceeds."""
    steps = (substitute(expr, {loop.loop_var: loop.loop_var + 1}) - expr for loop in loops)
    return all(analyzer.can_prove(step >= 0) for step in steps)


def _is_symbolic(expr: tirx.PrimExpr, loops: list[tirx.For]) -> bool:
    """Whether the highest value of `expr` depends on anything but loops of constant extent."""
    highest = arith.Analyzer().simplify(_highest(expr, loops))
    return ranges.constant(highest) is None


def _highest(expr: tirx.PrimExpr, loops: list[tirx.For]) -> tirx.PrimExpr:
    """`expr`, which grows with its loop variables, in the last iteration of all loops."""
    for loop in reversed(loops):
        expr = substitute(expr, {loop.loop_var: loop.min + loop.extent - 1})
    return expr


def _check_gemm(gemm: Gemm, stmt: tirx.Stmt) -> None:
    m, n, k = gemm.mnk
    a, b, c = (region.buffer for region in (gemm.a, gemm.b, gemm.c))
    if a.dtype != b.dtype:
        raise GemmDtypeMismatch.at(stmt, a=a.dtype, b=b.dtype)
    expected = (
        [k, m] if gemm.transpose_a else [m, k],
        [n, k] if gemm.transpose_b else [k, n],
        [m, n],
    )
    actual = [[ranges.constant(extent) for extent in buffer.shape[-2:]] for buffer in (a, b, c)]
    if list(expected) != actual:
        shapes = {
            name: "x".join(map(str, shape)) for name, shape in zip("abc", actual, strict=True)
        }
        raise GemmShapeMismatch.at(stmt, m=m, n=n, k=k, **shapes)


def _check_indices(nest: Elementwise, stmt: tirx.Stmt) -> None:
    """Each operand is read at the place that is written, or is a row vector for all rows."""
    for load in nest.loads:
        if not is_tile_access(load, nest):
            raise UnsupportedIndex.at(
                stmt, access=load, loops=", ".join(var.name for var in nest.vars)
            )
