"""Row-major memory to tiles and back, in every spelling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from testing.mock import kernels as k
from tilelang_tt import mock

TILES = 4
FORMATS = (k.BF16, k.F32, k.F16, k.I32, k.U16)

_KERNEL = """
#include "api/compute/common.h"
#include "api/compute/pack_untilize.h"
#include "api/compute/tile_move_copy.h"
#include "api/compute/tilize.h"
#include "api/compute/untilize.h"

void kernel_main() {
  constexpr uint32_t tiles = 4;
  compute_kernel_hw_startup(0, 16);
  cb_wait_front(0, tiles);
  cb_reserve_back(16, tiles);
  switch (get_arg_val<uint32_t>(0)) {
%s
  }
  cb_push_back(16, tiles);
  cb_pop_front(0, tiles);
}
"""

_SECTION = """tile_regs_acquire();
      for (uint32_t t = 0; t < %(width)s; ++t) { copy_tile(0, first + t, t); }
      tile_regs_commit();
      tile_regs_wait();
      %(pack)s;
      tile_regs_release();"""

TILIZE = {
    "tilize_block": "tilize_init(0, tiles, 16); tilize_block(0, tiles, 16); tilize_uninit(0, 16);",
    "two rows of tiles": "tilize_init(0, 2, 16); tilize_block(0, 2, 16); "
    "tilize_block(0, 2, 16, 2, 2); tilize_uninit(0, 16);",
    "fast_tilize_block": "fast_tilize_init(0, tiles, 16); fast_tilize_block(0, tiles, 16); "
    "fast_tilize_uninit(0, 16, tiles);",
    "short form": "tilize_init_short_with_dt(0, 0, tiles, 16); tilize_block(0, tiles, 16); "
    "tilize_uninit(0, 16);",
}
UNTILIZE = {
    "untilize_block": "untilize_init(0); untilize_block(0, tiles, 16); untilize_uninit(0);",
    "pack_untilize_block": "pack_untilize_init<4>(0, 16); pack_untilize_block<4>(0, 1, 16); "
    "pack_untilize_uninit(16);",
    "pack_untilize_dest in blocks": "copy_init(0); pack_untilize_dest_init<2, 4>(16);\n"
    "    for (uint32_t first = 0; first < tiles; first += 2) {\n      "
    + _SECTION % {"width": "2", "pack": "pack_untilize_dest<2, 4>(16, 1, first / 2)"}
    + "\n    }\n    pack_untilize_uninit(16);",
}
CASES = {**TILIZE, **UNTILIZE}
MISTAKES = {
    "no tilize_init": ("copy_init(0); tilize_block(0, tiles, 16);", "missing_init"),
    "another width": ("tilize_init(0, 2, 16); tilize_block(0, tiles, 16);", "missing_init"),
    "no pack_untilize_init": (
        "copy_init(0); pack_untilize_block<4>(0, 1, 16);",
        "missing_init",
    ),
    "no pack_untilize_uninit": (
        "pack_untilize_init<4>(0, 16); pack_untilize_block<4>(0, 1, 16); uint32_t first = 0; "
        + _SECTION % {"width": "1", "pack": "pack_tile(0, 16)"},
        "missing_init",
    ),
    "a tile inside a row": (
        "tilize_init(0, tiles, 16); tilize_block(0, tiles, 16, 1);",
        "args_out_of_range",
    ),
    "too few pages in": (
        "tilize_init(0, 8, 16); tilize_block(0, 8, 16);",
        "cb_read_without_wait",
    ),
    "too few pages out": (
        "pack_untilize_init<4, 8>(0, 16); pack_untilize_block<4, 8>(0, 1, 16);",
        "cb_overrun",
    ),
    "an uninit without its init": ("copy_init(0); tilize_uninit(0, 16);", "missing_init"),
    "a pack_untilize_uninit without its init": ("pack_untilize_uninit(16);", "missing_init"),
    "rows wider than the register": (
        "pack_untilize_init<8>(0, 16); pack_untilize_block<8>(0, 1, 16);",
        "dst_out_of_range",
    ),
}
NAMES = [*CASES, *MISTAKES]


def kernel() -> str:
    """All cases in one kernel, chosen by a run-time argument."""
    bodies = [*CASES.values(), *(body for body, _ in MISTAKES.values())]
    cases = "\n".join(f"  case {i}: {{ {body} break; }}" for i, body in enumerate(bodies))
    return _KERNEL % cases


def run(
    name: str, data: npt.NDArray[np.uint8], source: k.formats.Format, target: k.formats.Format
) -> npt.NDArray[np.uint8]:
    """The bytes that the kernel makes of the bytes of its four tiles."""
    spans = {(0, 0): (0, TILES)}
    program = mock.Program(
        (
            mock.Kernel("reader", "reader.cpp", k.READ_ONE, spans, (2, source.tile_bytes)),
            mock.Kernel("compute", "compute.cpp", kernel(), {(0, 0): (NAMES.index(name),)}),
            mock.Kernel("writer", "writer.cpp", k.WRITE, spans, (2, target.tile_bytes)),
        ),
        (
            mock.CircularBuffer(0, "a", source, source.tile_bytes, TILES, source is k.F32),
            mock.CircularBuffer(16, "c", target, target.tile_bytes, TILES),
        ),
        k.device.load("wormhole_b0"),
        fp32_dest_acc=True,
    )
    out = np.zeros(TILES * target.tile_bytes, np.uint8)
    sizes = [(source.tile_bytes, TILES), (target.tile_bytes, TILES)]
    addresses = mock.allocate(program.device, sizes)
    program.build().run(
        [
            mock.Buffer("a", data, source.tile_bytes, addresses[0]),
            mock.Buffer("c", out, target.tile_bytes, addresses[1]),
        ],
        common_args={"reader.cpp": addresses[:1], "writer.cpp": addresses[1:]},
    )
    return out


def matrix(rng: np.random.Generator, rows: int) -> npt.NDArray[np.float32]:
    return rng.integers(0, 200, (rows, 32 * TILES * 32 // rows)).astype(np.float32)


def row_major(values: npt.NDArray[np.float32], format_: k.formats.Format) -> npt.NDArray[np.uint8]:
    bits = k.to_bfloat16(values) if format_ is k.BF16 else values.astype(format_.dtype)
    return np.ascontiguousarray(bits).view(np.uint8).reshape(-1)


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
@pytest.mark.parametrize("name", TILIZE)
def test_rows_become_tiles(rng: np.random.Generator, name: str, format_: k.formats.Format) -> None:
    values = matrix(rng, 64 if name == "two rows of tiles" else 32)
    got = run(name, row_major(values, format_), format_, format_)
    np.testing.assert_array_equal(got, k.encode(values, format_))


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
@pytest.mark.parametrize("name", UNTILIZE)
def test_tiles_become_rows(rng: np.random.Generator, name: str, format_: k.formats.Format) -> None:
    values = matrix(rng, 32)
    got = run(name, k.encode(values, format_), format_, format_)
    np.testing.assert_array_equal(got, row_major(values, format_))


def test_the_format_may_change_on_the_way(rng: np.random.Generator) -> None:
    values = matrix(rng, 32)
    got = run("tilize_block", row_major(values, k.F32), k.F32, k.BF16)
    np.testing.assert_array_equal(got, k.encode(values, k.BF16))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(rng: np.random.Generator, name: str) -> None:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run(name, k.encode(matrix(rng, 32), k.BF16), k.BF16, k.BF16)
    assert caught.value.kind == MISTAKES[name][1]


def test_block_formats_have_no_rows(rng: np.random.Generator) -> None:
    bfp8 = k.formats.BY_NAME["Bfp8_b"]
    data = np.zeros(TILES * bfp8.tile_bytes, np.uint8)
    with pytest.raises(mock.Unsupported, match="no row-major form"):
        run("tilize_block", data, bfp8, k.BF16)
