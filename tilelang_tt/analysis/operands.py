"""How an element-wise statement reads its operands: tile by tile, or as a row, a column or an
element that stands for all.

`is_tile_access` is the rule a program must keep; `classifier` says what each load then is.
"""

from __future__ import annotations

from tvm import arith, tirx

from tilelang_tt import formats
from tilelang_tt.analysis import layout, ranges
from tilelang_tt.analysis.expression import Classify, Operand
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.tileops import Elementwise
from tilelang_tt.tiles import TILE

_BROADCASTS = {
    (False, False): "",
    (True, False): "row",
    (False, True): "column",
    (True, True): "scalar",
}
_SOURCE_REGISTER_BITS = 10  # fraction bits of SrcA and SrcB


def is_tile_access(
    load: tirx.BufferLoad, nest: Elementwise, analyzer: arith.Analyzer | None = None
) -> bool:
    """Whether every tile of the result needs one tile of what is read.

    The last two indices are those of the store, perhaps moved by whole tiles inside the buffer, or
    0 in a dimension of extent 1; the others may be anything that is one for the nest. A buffer of
    whole tiles may also be read modulo its size, again and again.
    """
    analyzer = analyzer or arith.Analyzer()
    if len(load.indices) > len(nest.store.indices) and not _are_fixed(load, nest):
        return False
    backs = range(1, len(load.indices) + 1)
    return all(
        _is_unit(load, back)
        or (back > 2 and nest.is_fixed(load.indices[-back]))
        or (back <= len(nest.store.indices) and _is_same_place(load, nest, back, analyzer))
        for back in backs
    )


def _are_fixed(load: tirx.BufferLoad, nest: Elementwise) -> bool:
    """Whether the indices that the store lacks are each one for the nest."""
    return all(nest.is_fixed(index) for index in load.indices[: -len(nest.store.indices)])


def _is_same_place(
    load: tirx.BufferLoad, nest: Elementwise, back: int, analyzer: arith.Analyzer
) -> bool:
    index, extent = load.indices[-back], ranges.constant(load.buffer.shape[-back])
    stored, full = nest.store.indices[-back], ranges.constant(nest.dst.shape[-back])
    if same(index, stored) and extent == full:
        return True
    if extent is None or full is None:
        return False
    unit = TILE if back <= 2 else 1
    if isinstance(index, tirx.FloorMod) and ranges.constant(index.b) == extent:
        moved = analyzer.simplify(index.a - stored)
        is_inside = extent % unit == full % unit == 0
    elif back <= 2:
        moved = analyzer.simplify(index - stored)
        is_inside = analyzer.can_prove(moved >= 0) and analyzer.can_prove(moved + full <= extent)
    else:
        return False
    is_aligned = analyzer.can_prove(tirx.floormod(moved, unit) == 0)
    return nest.is_fixed(moved) and is_inside and is_aligned


def _is_unit(load: tirx.BufferLoad, back: int) -> bool:
    """Whether the dimension has one element, which stands for all."""
    is_zero = ranges.constant(arith.Analyzer().simplify(load.indices[-back])) == 0
    return is_zero and ranges.constant(load.buffer.shape[-back]) == 1


def classifier(dst: tirx.Buffer) -> Classify:
    """What a load is to a statement that writes `dst`."""

    def classify(load: tirx.BufferLoad) -> Operand:
        format_ = formats.BY_DTYPE[load.dtype]
        is_exact = format_.mantissa_bits <= _SOURCE_REGISTER_BITS
        has_row = layout.is_row(load.buffer) and not layout.is_row(dst)
        has_column = layout.is_column(load.buffer) and not layout.is_column(dst)
        broadcast = _BROADCASTS[has_row, has_column]
        return Operand(load, broadcast, format_.name if is_exact else "")

    return classify
