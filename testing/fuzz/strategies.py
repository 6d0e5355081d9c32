"""How random tile programs are made.

A program has a grid of blocks. Each block holds values: tiles as large as the block, rows as wide,
columns as high. Steps make values and change them; at the end some are stored.

What a program may use beyond the plain steps is drawn first, as a set of features: a program that
a compiler refuses for one feature says nothing about the others.
"""

from __future__ import annotations

from hypothesis import strategies as st

from testing.fuzz import steps
from testing.fuzz.builder import TILE, Builder
from testing.fuzz.expressions import Draw
from testing.fuzz.program import Program, Symbol


@st.composite
def programs(draw: Draw) -> Program:
    """A random program."""
    count = draw(st.sampled_from((0, 1, 1, 2, 2, 3, 4)))
    features = frozenset(draw(st.sampled_from(steps.FEATURES)) for _ in range(count))
    if "bounds" in features:
        features |= {"loop"}
    block = (TILE * draw(st.integers(1, 3)), TILE * draw(st.integers(1, 3)))
    grid = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    is_ragged = "ragged" in features
    size = tuple(
        extent * blocks - (draw(st.integers(0, extent - 1)) if is_ragged else 0)
        for extent, blocks in zip(block, reversed(grid), strict=True)
    )
    if "dynamic" in features:
        size = (Symbol("m", size[0]), Symbol("n", size[1]) if draw(st.booleans()) else size[1])
    b = Builder(draw, features, block, grid, size)
    chosen = [draw(st.sampled_from(steps.PLAIN)) for _ in range(draw(st.integers(0, 5)))]
    for name in sorted(features & steps.BY_FEATURE.keys()):
        chosen.insert(draw(st.integers(0, len(chosen))), steps.BY_FEATURE[name])
    steps.load_axes(b, "MN")
    for step in chosen:
        step(b)
    results = [value for value in b.values if value.axes == "MN" or draw(st.booleans())]
    for value in results[-draw(st.integers(1, 2)) :]:
        steps.store(b, value)
    return b.program()
