"""The table of measured agreement with torch: every operation of the vector unit, and the matrix
unit's, in each format."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from testing.mock import kernels as k
from testing.mock import sfpu_rows, test_mock_integers, test_mock_sfpu

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mode:
    """A format of operands and results, and the width of the destination register."""

    title: str
    format: k.formats.Format
    wide: bool


MODES = (
    Mode("float32", k.F32, True),
    Mode("bfloat16, 32-bit registers", k.BF16, True),
    Mode("bfloat16, 16-bit registers", k.BF16, False),
    Mode("float16, 16-bit registers", k.F16, False),
)


def _unit(values: Doubles, format_: k.formats.Format) -> Doubles:
    """The distance of neighbours of the format at each value."""
    smallest = {"Float16": 2.0**-14}.get(format_.name, 2.0**-126)
    exponent = np.floor(np.log2(np.maximum(np.abs(values), smallest)))
    return 2.0 ** (exponent - format_.mantissa_bits)


def _worst(got: npt.NDArray[np.generic], exact: Doubles, format_: k.formats.Format) -> str:
    """The largest error in units of the last place, as the next power of two."""
    scale = np.maximum(_unit(exact, format_), _unit(np.abs(exact).max(initial=0.0), format_) / 256)
    largest = {"Float16": 65504.0}.get(format_.name, 3e38)
    inside = np.abs(exact) <= largest
    error = float((np.abs(got.astype(np.float64) - exact) / scale)[inside].max())
    if math.isnan(error):
        return "not a number"
    if error == 0:
        return "exact"
    power = math.ceil(math.log2(error) - 1e-3)
    return str(2**power) if power >= 0 else "1/2" if power == -1 else "< 1/2"


def _vector_unit(row: sfpu_rows.Row, index: int, mode: Mode) -> str:
    operands = test_mock_sfpu.operands_of(row, np.random.default_rng(7))
    got = test_mock_sfpu.run(sfpu_rows.FLOAT_ROWS, index, operands, mode.format, wide=mode.wide)
    exact = test_mock_sfpu.expected(row, operands).astype(np.float64)
    return _worst(got, exact, mode.format)


@dataclass(frozen=True)
class Product:
    """An operation of the matrix unit on two matrices of whole tiles."""

    name: str
    init: str
    body: str
    reference: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


MATRIX_UNIT = (
    Product("add_tiles", "add_init(0, 1);", "add_tiles(0, 1, 0, 0, 0);", torch.add),
    Product("sub_tiles", "sub_init(0, 1);", "sub_tiles(0, 1, 0, 0, 0);", torch.sub),
    Product("mul_tiles", "mul_init(0, 1);", "mul_tiles(0, 1, 0, 0, 0);", torch.mul),
    Product("matmul_tiles", "matmul_init(0, 1);", "matmul_tiles(0, 1, 0, 0, 0);", torch.matmul),
)


def _matrix_unit(row: Product, mode: Mode) -> str:
    rng = np.random.default_rng(7)
    a, b = (k.round_bfloat16(rng.standard_normal((32, 32), dtype=np.float32)) for _ in range(2))
    kernel = k.compute_two(row.init, row.body)
    got = k.Pipeline(
        kernel, inputs=(mode.format,) * 2, output=mode.format, fp32_dest_acc=mode.wide
    ).run(a, b)
    exact = row.reference(torch.from_numpy(a).double(), torch.from_numpy(b).double()).numpy()
    return _worst(got, exact, mode.format)


def table() -> Iterator[str]:
    """The page's lines."""
    yield "# Agreement of the mock with torch\n"
    yield "The largest error of each operation on 1024 random values that bfloat16 holds exactly,"
    yield "against torch in double precision: in units of the last place of the result's format,"
    yield "rounded up to a power of two. Where a result is far smaller than the largest one, the"
    yield "unit is that of 1/256 of the largest. The operands are those of `sfpu_rows.py`.\n"
    yield "In 16-bit registers the vector unit cuts what it stores, unless its routine rounds"
    yield "first: errors of a whole unit are the chip's own. The transcendental functions of the"
    yield "mock are the host's, correct to about a unit of float32; the chip's own approximations"
    yield "are further off in float32, and as near as their rounding in bfloat16.\n"
    header = " | ".join(mode.title for mode in MODES)
    yield f"| operation | {header} |"
    yield "| --- |" + " --- |" * len(MODES)
    for row in MATRIX_UNIT:
        cells = " | ".join(_matrix_unit(row, mode) for mode in MODES)
        yield f"| `{row.name}` | {cells} |"
    for index, row in enumerate(sfpu_rows.FLOAT_ROWS):
        cells = " | ".join(_vector_unit(row, index, mode) for mode in MODES)
        yield f"| `{row.name}` | {cells} |"
    yield "\n## Integers\n"
    yield "Every operation gives every bit that numpy gives, modulo the width of the format, over"
    yield "the whole range of each (`test_mock_integers.py`):\n"
    for format_ in (k.I32, test_mock_integers.U32, k.U16):
        calls = {
            row.call.replace("{f}", "").split("(")[0]
            for row in test_mock_integers.ROWS
            if format_ in row.formats
        }
        yield f"* {format_.name}: " + ", ".join(f"`{call}`" for call in sorted(calls))
