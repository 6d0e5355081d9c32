"""Check that every region starts at a tile and every access is to whole tiles.

Data moves by tiles, so a block must start at a multiple of 32, and what is written to a tensor must
fill the tiles it touches or end where the tensor ends.

    before:  func                                    after:   func

Needs:    `ChooseTiledAxes`, `PadBuffers`.
Leaves:   regions that start at tiles; on-chip buffers of whole tiles.
Errors:   TT1009, TT1010, TT2001 to TT2003, TT2007, TT2009, TT2010, TT3006.
"""

from __future__ import annotations

from tvm import arith, tirx

from tilelang_tt import formats
from tilelang_tt.analysis import access, layout, ranges
from tilelang_tt.analysis.operands import is_tile_access
from tilelang_tt.diagnostics import (
    GemmDtypeMismatch,
    GemmShapeMismatch,
    MisalignedRegion,
    PartialTileWrite,
    RaggedRegion,
    SymbolicRegion,
    UnsupportedDtype,
    UnsupportedIndex,
    UnwrittenOutput,
)
from tilelang_tt.ir import attrs
from tilelang_tt.ir.attrs import TiledAxes
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
                    _check_whole_tiles(region, buffer, tiled, stmt, analyzer)
                _check_region(region, tiled, stmt, analyzer)
            elif isinstance(view, Gemm):
                _check_gemm(view, stmt)
            elif isinstance(view, Elementwise):
                _check_indices(view, stmt, analyzer)
        return func


def _check_buffers(view: Leaf, stmt: tirx.Stmt) -> None:
    for buffer in (*access.reads(view), access.writes(view)):
        if not is_global(buffer) and layout.tile_grid(buffer) is None:
            raise RaggedRegion.at(
                stmt, extents="x".join(map(str, buffer.shape)), buffer=buffer.name
            )


def _check_whole_tiles(
    region: Region,
    buffer: tirx.Buffer,
    tiled: TiledAxes,
    stmt: tirx.Stmt,
    analyzer: arith.Analyzer,
) -> None:
    """A tile is written as a whole: nothing that the region leaves out may be in it."""
    for is_vector, axis in (
        (layout.is_row(buffer), tiled.row),
        (layout.is_column(buffer), tiled.column),
    ):
        if axis is None:
            continue
        low, extent, size = region.mins[axis], region.extents[axis], region.buffer.shape[axis]
        if is_vector and ranges.constant(size) != 1:
            raise PartialTileWrite.at(stmt, buffer=region.buffer.name)
        is_whole = ranges.constant(tirx.floormod(extent, TILE)) == 0
        if not is_whole and not analyzer.can_prove(low + extent >= size):
            raise PartialTileWrite.at(stmt, buffer=region.buffer.name)


def _check_region(
    region: Region, tiled: TiledAxes, stmt: tirx.Stmt, analyzer: arith.Analyzer
) -> None:
    for axis, (low, extent) in enumerate(zip(region.mins, region.extents, strict=True)):
        if ranges.constant(extent) is None:
            raise SymbolicRegion.at(stmt, extent=extent, buffer=region.buffer.name)
        if axis in (tiled.row, tiled.column) and not analyzer.can_prove(
            tirx.floormod(low, TILE) == 0
        ):
            raise MisalignedRegion.at(stmt, buffer=region.buffer.name, offset=low)


def _check_gemm(gemm: Gemm, stmt: tirx.Stmt) -> None:
    m, n, k = gemm.mnk
    a, b, c = (region.buffer for region in (gemm.a, gemm.b, gemm.c))
    if a.dtype != b.dtype:
        raise GemmDtypeMismatch.at(stmt, a=a.dtype, b=b.dtype)
    if not formats.is_float(a.dtype):
        raise UnsupportedDtype.at(
            stmt,
            what="an operand of T.gemm",
            dtype=a.dtype,
            reason="which the matrix unit does not multiply",
            instead="cast it to bfloat16, which holds integers of 8 bits exactly, and sum in"
            " float32",
        )
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


def _check_indices(nest: Elementwise, stmt: tirx.Stmt, analyzer: arith.Analyzer) -> None:
    """Each operand is read at the place that is written, or is a row vector for all rows."""
    for load in nest.loads:
        if not is_tile_access(load, nest, analyzer):
            raise UnsupportedIndex.at(
                stmt, access=load, loops=", ".join(var.name for var in nest.vars)
            )
