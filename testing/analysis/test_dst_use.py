"""dst_use: what a compute kernel keeps in the destination registers, measured on the kernel."""

import pytest
from helpers import scripted, shared

from tilelang_tt.analysis.dst_use import dst_use
from tilelang_tt.plan import DstUse

START = "T.tile_regs_acquire()\n"
TURN = "T.tile_regs_commit()\nT.tile_regs_wait()\n"
END = "T.tile_regs_release()\n"
PACK = "T.pack_tile(0, C.data, 0)\n"


def used(math, pack=PACK, *, around=""):
    """The uses of the registers in a kernel of one section, perhaps inside a statement."""
    text = START + math + TURN + pack + END
    if around:
        text = around + "\n" + "".join(f"    {line}\n" for line in text.splitlines())
    func = scripted(text, A=shared(64, 64), B=shared(64, 64), C=shared(64, 64), scalars=("n",))
    return dst_use(func)


@pytest.mark.parametrize(
    "math, live, slots",
    [
        ("T.copy_tile(A.data, 0, 0)\n", 1, 1),
        ("T.copy_tile(A.data, 0, 0); T.exp_tile(0)\n", 1, 1),
        ("T.copy_tile(A.data, 0, 0); T.copy_tile(B.data, 0, 1)\n"
         "T.add_binary_tile(0, 1, 0)\n", 2, 2),
        # Register 1 is copied from register 0, which is needed no more.
        ("T.copy_tile(A.data, 0, 1); T.copy_dest_values(1, 0, 'Float16_b')\n", 1, 2),
        # What register 1 got first is never used.
        ("T.copy_tile(A.data, 0, 1); T.copy_tile(A.data, 0, 0)\n", 1, 2),
        ("T.fill_tile_bitcast(1, T.uint32(0)); T.copy_tile(A.data, 0, 0)\n"
         "T.where_tile(0, 1, 0, 0, 'Float16_b')\n", 2, 2),
        ("T.matmul_block(A.data, B.data, 0, 0, 0, 0, 1, 1, 2)\n", 1, 1),
    ],
)  # fmt: skip
def test_values_live_from_where_they_are_made_to_where_they_are_used(math, live, slots):
    assert used(math) == [DstUse("", "C", tiles=1, live=live, slots=slots)]


def test_one_tile_of_many_is_followed():
    math = (
        "for t in range(3):\n    T.copy_tile(A.data, t, t * 2)\n"
        "for t in range(3):\n    T.copy_tile(B.data, t, t * 2 + 1)\n"
        "for t in range(3):\n    T.add_binary_tile(t * 2, t * 2 + 1, t * 2)\n"
    )
    pack = "for t in range(3):\n    T.pack_tile(t * 2, C.data, t)\n"
    assert used(math, pack) == [DstUse("", "C", tiles=3, live=2, slots=2)]


def test_a_sum_may_have_any_number_of_steps():
    math = "for k in range(n):\n    T.matmul_block(A.data, B.data, 0, 0, 0, 0, 1, 1, 1)\n"
    assert used(math) == [DstUse("", "C", tiles=1, live=1, slots=1)]


def test_a_block_of_a_product_is_as_many_tiles_as_are_packed():
    math = "for k in range(4):\n    T.matmul_block(A.data, B.data, k, k, 0, 0, 2, 3, 4)\n"
    pack = "for r, c in T.grid(3, 2):\n    T.pack_tile(r * 2 + c, C.data, r * 2 + c)\n"
    assert used(math, pack) == [DstUse("", "C", tiles=6, live=1, slots=1)]


@pytest.mark.parametrize("around", ["for block in range(4):", "if n > 0:"])
def test_sections_inside_loops_and_branches_are_found_once(around):
    assert used("T.copy_tile(A.data, 0, 0)\n", around=around) == [DstUse("", "C", 1, 1, 1)]


def test_a_section_has_the_text_of_the_last_comment():
    section = START + "T.copy_tile(A.data, 0, 0)\n" + TURN + "T.pack_tile(0, {}.data, 0)\n" + END
    text = (
        section.format("B")
        + "T.comment('one')\nT.comment('two')\nT.cb_wait_front(A.data, 1)\n"
        + section.format("C") * 2
    )
    func = scripted(text, A=shared(32, 32), B=shared(32, 32), C=shared(32, 32))
    assert [(use.source, use.result) for use in dst_use(func)] == [
        ("", "B"), ("two", "C"), ("two", "C"),
    ]  # fmt: skip
