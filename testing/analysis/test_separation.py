"""Along which loops regions are apart."""

import pytest
from helpers import scripted, shared, tensor

from tilelang_tt.analysis import access, ranges
from tilelang_tt.analysis.separation import separated
from tilelang_tt.ir.frame import Frame

BUFFERS = {"C": tensor(512, 512), "V": tensor("n"), "S": shared(32, 32), "L": shared(64)}


def apart(body, grid):
    """The axes of the grid that keep the stores in `body` apart."""
    func = scripted(body, grid=grid, symbols=["n"], scalars=["m"], **BUFFERS)
    frame = Frame.of(func)
    inside = ranges.all_loops(func)[len(frame.loops) :]
    regions = [view.dst for _, view in access.leaves(frame.body)]
    found = separated(regions, frame.loops, inside, ranges.analyzer_of(func))
    return "".join(loop.loop_var.name for loop in found)


def block(row, column=0):
    return f"copy(S, C[{row} : {row} + 32, {column} : {column} + 32])"


def row(start):
    return f"copy(L, V[{start} : {start} + 64])"


CASES = {
    "an axis of the tensor for each": (block("x * 32", "y * 32"), "xy"),
    "none for one": (block("y * 32"), "y"),
    "steps that overlap": (block("x * 16"), ""),
    "steps one short": (row("x * 63"), ""),
    "steps with gaps": (block("x * 96"), "x"),
    "steps backwards": (block("(3 - x) * 32"), "x"),
    "two axes along one": (block("x * 128 + y * 32"), "xy"),
    "two axes along one, the longer step too short": (block("x * 96 + y * 32"), ""),
    "a diagonal": (block("x * 32", "x * 32 + y * 32"), "x"),
    "a loop inside": ("for k in range(4):\n    " + block("x * 128 + k * 32"), "x"),
    "a loop inside that reaches too far": (
        "for k in range(5):\n    " + block("x * 128 + k * 32"),
        "",
    ),
    "a loop inside that goes backwards": (
        "for k in range(4):\n    " + block("x * 96 + (3 - k) * 32"),
        "",
    ),
    "a loop inside that depends on the axis": (
        "for k in T.serial(x, x + 2):\n    " + block("x * 160 + k * 32"),
        "x",
    ),
    "a loop inside that moves against the axis": (
        "for k in T.serial(x, x + 2):\n    " + block("(3 - x) * 64 + k * 32"),
        "",
    ),
    "a loop inside of unknown length": ("for k in range(n):\n    " + block("x * 128 + k * 32"), ""),
    "what is no multiple": (block("x // 2 * 32", "y * 32"), "y"),
    "an unknown step": (row("x * m"), ""),
    "an unknown step beside a known one": (row("x * 64 + y * m"), ""),
    "an unknown start": (row("x * 64 + m"), "x"),
    "the longer of two steps over an unknown number": (row("x * 256 + z * 64"), ""),
    "the shorter of two steps": (row("z * 1024 + x * 64"), "xz"),
    "two blocks side by side": (f"{block('x * 64')}; {block('x * 64 + 32')}", "x"),
    "two blocks of which one overlaps": (f"{block('x * 64')}; {block('x * 64 + 64')}", ""),
    "two blocks that move differently": (f"{block('x * 64')}; {block('x * 32')}", ""),
    "two unknown starts": (f"{row('x * 64 + m')}; {row('x * 64 + n')}", ""),
}


@pytest.mark.parametrize("body, axes", CASES.values(), ids=CASES)
def test_axes(body, axes):
    grid = {"x": 4, "y": 4} | ({"z": "n"} if "z *" in body else {})
    assert apart(body, grid) == axes


def test_an_axis_of_one_block_is_never_shared():
    assert apart(block("x * 32"), {"x": 4, "y": 1}) == "xy"
