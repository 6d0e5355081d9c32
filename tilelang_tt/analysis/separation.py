"""Along which loops the regions that iterations touch are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges
from tilelang_tt.ir.tileops import Region


def separated(
    regions: Sequence[Region],
    loops: Sequence[tirx.For],
    others: Sequence[tirx.For],
    analyzer: arith.Analyzer,
) -> list[tirx.For]:
    """Those of `loops` of which two iterations provably touch no common element.

    A step of each loop moves the regions by a constant. Iterations are apart along a dimension if
    each step is at least as long as all that the loops of shorter steps, and the regions
    themselves, reach.

    Args:
        regions: boxes of one tensor.
        loops: loops around all of the regions.
        others: all other loops around one of them; nothing is known of their iterations.
        analyzer: knows the ranges of all loops.
    """
    found: set[tirx.Var] = set()
    for axis in range(len(regions[0].mins)):
        found |= _apart_along(axis, regions, loops, others, analyzer)
    return [loop for loop in loops if loop.loop_var in found or ranges.constant(loop.extent) == 1]


def _apart_along(
    axis: int,
    regions: Sequence[Region],
    loops: Sequence[tirx.For],
    others: Sequence[tirx.For],
    analyzer: arith.Analyzer,
) -> set[tirx.Var]:
    """The loops that move the regions along `axis` if that keeps all their iterations apart."""
    variables = [loop.loop_var for loop in loops]
    parts = [arith.detect_linear_equation(region.mins[axis], variables) for region in regions]
    if any(len(part) == 0 for part in parts):
        return set()
    steps = [ranges.constant(step) for step in parts[0][:-1]]
    zero = {other.loop_var: tirx.const(0, "int32") for other in others}
    origin = substitute(parts[0][-1], zero)  # the same in all iterations
    low, high = math.inf, -math.inf
    for part, region in zip(parts, regions, strict=True):
        extent = ranges.constant(region.extents[axis])
        if extent is None or [ranges.constant(step) for step in part[:-1]] != steps:
            return set()
        offset = analyzer.const_int_bound(analyzer.simplify(part[-1] - origin))
        low, high = min(low, offset.min_value), max(high, offset.max_value + extent)
    reach = high - low
    moving: set[tirx.Var] = set()
    for step, loop in sorted(
        ((abs(step), loop) for step, loop in zip(steps, loops, strict=True) if step is not None),
        key=lambda pair: pair[0],
    ):
        if step == 0:
            continue
        if step < reach:
            return set()
        moving.add(loop.loop_var)
        count = ranges.constant(loop.extent)
        reach = math.inf if count is None else reach + step * (count - 1)
    return moving if None not in steps else set()
