"""Tensors whose tiles are those of the host's own rows and columns."""

from __future__ import annotations

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import device, formats, mock, tiles
from tilelang_tt.mock.program import Contents

# Copies pages in transfers of so many bytes. Arguments: pages, bytes of a transfer.
COPY = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t pages = get_arg_val<uint32_t>(0);
  const uint32_t bytes = get_arg_val<uint32_t>(1);
  constexpr auto from_args = TensorAccessorArgs<0>();
  constexpr auto to_args = TensorAccessorArgs<from_args.next_compile_time_args_offset()>();
  const auto from = TensorAccessor(from_args, get_common_arg_val<uint32_t>(0));
  const auto to = TensorAccessor(to_args, get_common_arg_val<uint32_t>(1));
  const uint32_t size = get_tile_size(0);
  for (uint32_t page = 0; page < pages; ++page) {
    cb_reserve_back(0, 1);
    for (uint32_t at = 0; at < size; at += bytes) {
      noc_async_read(from.get_noc_addr(page, at), get_write_ptr(0) + at, bytes);
    }
    noc_async_read_barrier();
    for (uint32_t at = 0; at < size; at += bytes) {
      noc_async_write(get_write_ptr(0) + at, to.get_noc_addr(page, at), bytes);
    }
    noc_async_write_barrier();
    cb_push_back(0, 1);
    cb_wait_front(0, 1);
    cb_pop_front(0, 1);
  }
}
"""
UNTILED = "whole tiles of 32x32 elements whose rows are contiguous"


def copy(
    source: np.ndarray,
    target: np.ndarray,
    format_: formats.Format,
    transfer: int,
    contents: tuple[Contents, Contents] = ("input", "result"),
    mode: str = "strict",
) -> mock.Report:
    wormhole = device.load("wormhole_b0")
    size = format_.tile_bytes
    pages = source.nbytes // size
    addresses = mock.allocate(wormhole, [(size, pages)] * 2)
    reader = mock.Kernel(
        "reader", "copy.cpp", COPY, {(0, 0): (pages, transfer)}, (2, size, 2, size), (), addresses
    )
    program = mock.Program(
        (reader,), (mock.CircularBuffer(0, "tiles", format_, size, 1),), wormhole
    )
    buffers = [
        mock.Buffer(name, data, size, address, content)
        for name, data, address, content in zip(
            "ab", (source, target), addresses, contents, strict=True
        )
    ]
    return program.build().run(buffers, mode=mode)  # pyright: ignore[reportArgumentType]


def numbered(shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.uint64).astype(dtype).reshape(shape)


@pytest.mark.parametrize("transfer", [None, 32, 64, 512])
@pytest.mark.parametrize(
    ("format_", "dtype"), [(k.U8, np.uint8), (k.BF16, np.uint16), (k.F32, np.uint32)]
)
def test_tiles_of_matrices_are_read_and_written_in_place(
    format_: formats.Format, dtype: type[np.generic], transfer: int | None
) -> None:
    """A part of a tensor of four axes, by transfers of whole pages or of parts."""
    size = transfer or format_.tile_bytes
    whole = numbered((2, 64, 3, 96), dtype)
    source = whole.transpose(0, 2, 1, 3)[:, :, 32:, 32:]
    in_order = np.zeros(source.nbytes, np.uint8)
    copy(source, in_order, format_, size)
    np.testing.assert_array_equal(in_order.view(dtype), tiles.tilize(source))

    back = np.zeros_like(whole)
    copy(in_order, back.transpose(0, 2, 1, 3)[:, :, 32:, 32:], format_, size)
    np.testing.assert_array_equal(back[:, 32:, :, 32:], whole[:, 32:, :, 32:])
    assert not back[:, :32].any()
    assert not back[..., :32].any()


def test_an_input_stays_what_it_is() -> None:
    source, target = numbered((32, 64), np.uint16), np.zeros((32, 64), np.uint16)
    report = copy(source, target, k.BF16, 2048, ("input", "input"), "report")
    assert {each.kind for each in report.findings} == {"buffer_read_only"}
    assert not target.any()


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.zeros((48, 64), np.uint16), id="part of a tile"),
        pytest.param(np.zeros((64, 32), np.uint16).T[:, :32], id="columns apart"),
        pytest.param(np.zeros((32, 32), np.uint32), id="other elements"),
        pytest.param(np.zeros((64, 32), np.uint16)[::-1], id="rows backwards"),
    ],
)
def test_matrices_must_be_whole_tiles_of_contiguous_rows(array: np.ndarray) -> None:
    with pytest.raises(mock.ProgramError, match=UNTILED):
        mock.Buffer("a", array, k.BF16.tile_bytes, 0)


def test_matrices_are_in_dram() -> None:
    with pytest.raises(mock.ProgramError, match="in L1, which takes pages in order"):
        mock.Buffer("a", np.zeros((32, 32), np.uint16), k.BF16.tile_bytes, 0, layout=mock.L1)
