"""What a program may say of its circular buffers and tensors, and where they come to lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tilelang_tt import device, formats, mock
from tilelang_tt.mock import layouts, tensors
from tilelang_tt.mock.chip import Chip, format_of
from tilelang_tt.mock.tensors import L1, Sharded

DEVICE = device.load("wormhole_b0")
BF16 = formats.BY_DTYPE["bfloat16"]
LEFT, RIGHT = ((0, 0), (0, 1)), ((1, 0),)


def circular_buffer(index: int, **fields: object) -> mock.CircularBuffer:
    values = {"name": f"cb{index}", "format": BF16, "page_bytes": 2048, "pages": 2, **fields}
    return mock.CircularBuffer(index, **values)  # type: ignore[arg-type]


def program(*buffers: mock.CircularBuffer) -> mock.Program:
    return mock.Program((), buffers, DEVICE)


def test_circular_buffers_of_other_cores_share_the_space() -> None:
    built = program(
        circular_buffer(0, cores=LEFT),
        circular_buffer(0, cores=RIGHT, pages=4),
        circular_buffer(1),
        circular_buffer(2, shares=1),
    )
    base = DEVICE.cb_base
    behind = tensors.aligned_page(DEVICE, tensors.DRAM, base) + 4 * 2048
    first, second, third, fourth = built.place()
    assert first == second
    assert third == first + 4 * 2048
    assert fourth == third
    assert base <= first < third <= behind + 64


@pytest.mark.parametrize(
    "kind, buffers",
    [
        ("cb_index", (circular_buffer(0, cores=LEFT), circular_buffer(0))),
        ("core", (circular_buffer(0, cores=((90, 0),)),)),
        ("cb_shares", (circular_buffer(0, shares=1), circular_buffer(1))),
        ("cb_shares", (circular_buffer(1), circular_buffer(0, shares=1, pages=3))),
        ("cb_shares", (circular_buffer(1, cores=LEFT), circular_buffer(0, shares=1))),
        ("l1_overflow", (circular_buffer(0, pages=600), circular_buffer(1, pages=100))),
    ],
)
def test_a_program_that_contradicts_itself(
    kind: str, buffers: tuple[mock.CircularBuffer, ...]
) -> None:
    with pytest.raises(mock.ProgramError) as caught:
        program(*buffers)
    assert caught.value.kind == kind


def test_a_circular_buffer_on_a_tensor() -> None:
    chip = Chip()
    layout = Sharded((2, 2), (1, 2), LEFT)
    a = chip.tensor(np.zeros((64, 64)), "bfloat16", layout=layout)
    good = circular_buffer(0, buffer=a.buffer.name, cores=LEFT)
    assert program(good).place([a.buffer]) == (a.address,)
    with pytest.raises(mock.ProgramError) as caught:
        program(circular_buffer(0, buffer="other")).place([a.buffer])
    assert caught.value.kind == "cb_buffer"
    with pytest.raises(mock.ProgramError) as caught:
        program(circular_buffer(0, buffer=a.buffer.name, pages=3)).place([a.buffer])
    assert caught.value.kind == "cb_buffer"


def test_circular_buffers_and_tensors_do_not_overlap() -> None:
    chip = Chip()
    a = chip.tensor(np.zeros((32 * 300, 32)), "bfloat16", layout=Sharded((300, 1), (300, 1), LEFT))
    builder = chip.program()
    builder.circular_buffer(0, "bfloat16", 400)
    with pytest.raises(mock.ProgramError) as caught:
        builder.build().place([a.buffer])
    assert caught.value.kind == "l1_overflow"


def test_the_words_of_a_sharded_tensor() -> None:
    layout = Sharded((4,), (2,), ((3, 2), (4, 2)))
    words = tensors.accessor_args(DEVICE, layout, 2048)
    assert words == (1, 2048, 1, 2, 4, 2, 0x302 | 0x402 << 16)
    assert tensors.accessor_args(DEVICE, tensors.DRAM, 40) == (2, 64)
    assert tensors.accessor_args(DEVICE, L1, 40) == (0, 48)
    assert tensors.l1_bytes(DEVICE, layout, 2048, 4) == 4096
    assert tensors.l1_bytes(DEVICE, tensors.DRAM, 2048, 4) == 0
    assert tensors.l1_bytes(DEVICE, L1, 2048, 65) == 2 * 2048


@pytest.mark.parametrize(
    "shape, shard, cores, contiguous",
    [
        ((4, 4), (2,), LEFT, False),
        ((0,), (1,), LEFT, False),
        ((4,), (2,), (), False),
        ((3,), (1,), LEFT, True),
    ],
)
def test_a_cut_that_cannot_be(
    shape: tuple[int, ...],
    shard: tuple[int, ...],
    cores: tuple[tuple[int, int], ...],
    contiguous: bool,
) -> None:
    with pytest.raises(mock.ProgramError) as caught:
        Sharded(shape, shard, cores, contiguous)
    assert caught.value.kind == "shard"


def test_a_layout_of_another_number_of_pages() -> None:
    chip = Chip()
    chip.tensor(np.zeros((64, 64)), "bfloat16", layout=Sharded((5,), (1,), LEFT))
    with pytest.raises(mock.ProgramError, match="a tensor of 4 pages has the shape"):
        chip.program().run()


def test_memories_have_an_end() -> None:
    chip = Chip()
    with pytest.raises(mock.ProgramError) as caught:
        chip.empty((32, 32 * 700), "bfloat16", layout=Sharded((700,), (700,), LEFT))
    assert caught.value.kind == "l1_overflow"
    with pytest.raises(mock.ProgramError) as caught:
        chip.tensor(np.zeros(1), "complex64")
    assert caught.value.kind == "format"
    with pytest.raises(mock.ProgramError) as caught:
        Chip("grayskull")
    assert caught.value.kind == "arch"


@pytest.mark.parametrize("shape", [(32, 32), (2, 3, 64, 96), (33, 70), (5,), (3, 1, 17)])
@pytest.mark.parametrize("name", ["bfloat16", "float32", "int32"])
def test_tiles_there_and_back(shape: tuple[int, ...], name: str) -> None:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) % 200
    format_ = format_of(name)
    data = layouts.tilize(values, format_, padding=3)
    assert data.size % format_.tile_bytes == 0
    np.testing.assert_array_equal(layouts.untilize(data, format_, shape), values)
    np.testing.assert_array_equal(
        layouts.unrows(layouts.rows(values, format_), format_, shape), values
    )


def test_the_faces_of_a_tile() -> None:
    values = np.arange(1024, dtype=np.float32).reshape(32, 32)
    stored = layouts.tilize(values, format_of("float32")).view(np.float32)
    assert list(stored[[0, 16, 256, 512, 768]]) == [0, 32, 16, 512, 528]


def test_the_padding_of_a_tile() -> None:
    stored = layouts.tilize(np.ones((1, 1), np.float32), format_of("float32"), padding=-2)
    assert sorted(set(stored.view(np.float32))) == [-2, 1]


def test_bfloat16_rounds_to_even() -> None:
    values = np.array([1 + 2**-8, 1 + 3 * 2**-8, np.nan, -np.inf], np.float32)
    back = layouts.from_bfloat16(layouts.to_bfloat16(values))
    np.testing.assert_array_equal(back, [1, 1 + 2**-6, np.nan, -np.inf])


def test_a_kernel_from_a_file_sees_its_folder(tmp_path: Path) -> None:
    header = tmp_path / "value.h"
    header.write_text("constexpr uint32_t value = 4;\n")
    source = tmp_path / "kernel.cpp"
    source.write_text(
        '#include "api/dataflow/dataflow_api.h"\n#include "value.h"\n'
        "void kernel_main() { cb_reserve_back(0, value); cb_push_back(0, value);\n"
        "cb_wait_front(0, value); cb_pop_front(0, value); }\n"
    )

    def run() -> None:
        builder = Chip().program()
        builder.circular_buffer(0, "bfloat16", 4)
        builder.kernel("reader", source, {(0, 0): ()})
        builder.run()

    run()
    header.write_text("constexpr uint32_t value = 5;\n")
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run()
    assert caught.value.kind == "cb_overrun"
    assert caught.value.place is not None
    assert caught.value.place.file == "kernel.cpp"


def test_kernels_of_one_name_get_numbers() -> None:
    builder = Chip().program()
    for core in ((0, 0), (1, 0), (2, 0)):
        builder.kernel("reader", "void kernel_main() {}", {core: ()})
    assert [kernel.name for kernel in builder.build().kernels] == [
        "reader.cpp",
        "reader_2.cpp",
        "reader_3.cpp",
    ]


STATE = """
#include "api/dataflow/dataflow_api.h"
uint32_t counted;
const char* const words[] = {"constant", "pointers"};
constexpr uint32_t table[] = {1, 2, 3};
void kernel_main() {
  static uint32_t calls = 3;
  calls += table[get_arg_val<uint32_t>(0)] + uint32_t(words[get_arg_val<uint32_t>(0)][0]);
  counted += get_local_cb_interface(0).fifo_size + calls;
}
"""


def test_variables_that_cores_would_share() -> None:
    def run(*cores: tuple[int, int]) -> None:
        builder = Chip().program()
        builder.circular_buffer(0, "bfloat16", 1)
        builder.kernel("reader", STATE, dict.fromkeys(cores, (0,)))
        builder.run()

    run((0, 0))
    with pytest.raises(mock.UnsupportedKernel, match="keeps calls, counted outside") as caught:
        run((0, 0), (1, 0))
    assert caught.value.category == "Unsupported"


def test_an_operation_the_mock_does_not_have() -> None:
    builder = Chip().program()
    source = """
#include "api/compute/common.h"
#include "api/compute/eltwise_unary/rand.h"
void kernel_main() { if (get_arg_val<uint32_t>(0) == 1) { rand_tile(0, 1, 2); } }
"""
    builder.kernel("compute", source, {(0, 0): (0,)})
    builder.run()
    again = Chip().program()
    again.kernel("compute", source, {(0, 0): (1,)})
    with pytest.raises(mock.Unsupported, match="the operation rand_tile") as caught:
        again.run()
    assert caught.value.place is not None
    assert caught.value.place.line == 4
