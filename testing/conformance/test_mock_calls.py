"""The calls that the mock's tests make exist in the real headers, with these arguments."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from testing.conformance.checker import check
from testing.conformance.kernel import KernelSource
from testing.mock import (
    sfpu_rows,
    test_mock_integers,
    test_mock_reductions,
    test_mock_sfpu,
    test_mock_tilize,
    test_mock_topk,
)
from tilelang_tt import formats

ARCHS = ("wormhole_b0", "blackhole")


def source(name: str, text: str, format_: str = "Float32") -> KernelSource:
    data = formats.BY_NAME[format_]
    indices = (0, 1, 16, 17)
    return KernelSource(
        "compute",
        name,
        text,
        cb_formats=dict.fromkeys(indices, data.code),
        cb_tile_bytes=dict.fromkeys(indices, data.tile_bytes),
        fp32_dest_acc=True,
    )


def on(arch: str, rows: Sequence[sfpu_rows.Row]) -> list[sfpu_rows.Row]:
    return [row for row in rows if arch == "blackhole" or not row.blackhole_only]


@pytest.mark.parametrize("arch", ARCHS)
def test_the_vector_unit_is_called_as_the_headers_want_it(arch: str) -> None:
    floats = test_mock_sfpu.kernel(on(arch, sfpu_rows.FLOAT_ROWS))
    integers = test_mock_sfpu.kernel(test_mock_integers.SPELLED)
    kernels = [source("floats.cpp", floats), source("integers.cpp", integers, "Int32")]
    assert check(kernels, arch) == []


@pytest.mark.parametrize("arch", ARCHS)
def test_rows_and_tiles_are_converted_as_the_headers_want_it(arch: str) -> None:
    """The unpacker's untilize is deprecated; kernels in use still call it."""
    kernel = source("tilize.cpp", test_mock_tilize.kernel())
    assert check([kernel], arch, allow_deprecated=True) == []


@pytest.mark.parametrize("arch", ARCHS)
def test_registers_are_broadcast_as_the_headers_want_it(arch: str) -> None:
    kernel = source("broadcast.cpp", test_mock_reductions.broadcast_kernel())
    assert check([kernel], arch) == []


@pytest.mark.parametrize("arch", ARCHS)
def test_columns_are_sorted_as_the_headers_want_it(arch: str) -> None:
    kernel = source("topk.cpp", test_mock_topk.kernel())
    assert check([kernel], arch) == []
