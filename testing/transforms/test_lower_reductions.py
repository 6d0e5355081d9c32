"""LowerReductions: tile reductions that add up in DST."""

import pytest
from helpers import (
    DEVICE,
    assert_same,
    check_unchanged,
    fragment,
    planned,
    reduce,
    scripted,
    shared,
)

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.lower_reductions import LowerReductions

LOWER = LowerReductions(DEVICE)


def test_rows_of_tiles_meet_in_a_register():
    @T.prim_func(private=True)
    def before():
        T.func_attr({"tt.fp32_dest_acc": False})
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 96), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64, 1), "bfloat16", scope="local.fragment")
            one = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            reduce(S, m, "max", 1, scaler=one)

    @T.prim_func(private=True)
    def expected():
        T.func_attr({"tt.fp32_dest_acc": False})
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 96), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64, 1), "bfloat16", scope="local.fragment")
            one = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            with T.attr(0, "tt.dst_section", "math, then pack"):
                for r in range(2):
                    for c in range(3):
                        T.reduce_max_row(S.data, one.data, r * 3 + c, r, m.data)
                for t in range(2):
                    T.pack_tile(t, m.data, t)
            T.reduce_uninit()

    assert_same(LOWER.rewrite(planned(before)), planned(expected))


SECTION = 'with T.attr(0, "tt.dst_section", "math, then pack"):\n'
UNINIT = "\nT.reduce_uninit()"
LOWERED = {
    "columns": (
        "reduce(S, O, 'sum', 0, scaler=one)",
        {"S": shared(64, 96), "O": fragment(1, 96)},
        "row",
        SECTION + "    for r in range(3):\n        for c in range(2):\n"
        "            T.reduce_sum_column(S.data, one.data, c * 3 + r, r, O.data)\n"
        "    for t in range(3): T.pack_tile(t, O.data, t)",
    ),
    "one tile": (
        "reduce(S, O, 'sum', 1, scaler=one)",
        {"S": shared(32, 32), "O": fragment(32, 1)},
        "row",
        SECTION + "    T.reduce_sum_row(S.data, one.data, 0, 0, O.data)\n"
        "    T.pack_tile(0, O.data, 0)",
    ),
    "a vector": (
        "reduce(S, O, 'max', 1, scaler=one)",
        {"S": fragment(1, 96), "O": fragment(1, 1)},
        "row",
        SECTION + "    for c in range(3): T.reduce_max_row(S.data, one.data, c, 0, O.data)\n"
        "    T.pack_tile(0, O.data, 0)",
    ),
    "tiles kept by columns": (
        "reduce(S, O, 'sum', 1, scaler=one)",
        {"S": shared(64, 96), "O": fragment(64, 1)},
        "column",
        SECTION + "    for r in range(2):\n        for c in range(3):\n"
        "            T.reduce_sum_row(S.data, one.data, c * 2 + r, r, O.data)\n"
        "    for t in range(2): T.pack_tile(t, O.data, t)",
    ),
    "more lines than registers": (
        "reduce(S, O, 'sum', 1, scaler=one)",
        {"S": shared(384, 32), "O": fragment(384, 1)},
        "row",
        "for chunk in range(2):\n    " + SECTION + "        for r in range(6):\n"
        "            T.reduce_sum_row(S.data, one.data, chunk * 6 + r, r, O.data)\n"
        "        for t in range(6): T.pack_tile(t, O.data, chunk * 6 + t)",
    ),
    "a batch": (
        "reduce(S, O, 'sum', 2, scaler=one)",
        {"S": shared(3, 64, 64), "O": fragment(3, 64, 1)},
        "row",
        "for b in range(3):\n    " + SECTION + "        for r in range(2):\n"
        "            for c in range(2):\n"
        "                T.reduce_sum_row(S.data, one.data, b * 4 + r * 2 + c, r, O.data)\n"
        "        for t in range(2): T.pack_tile(t, O.data, b * 2 + t)",
    ),
}


F, I = "float32", "int32"
ON_SFPU = {
    "one tile": (
        "reduce(S, O, 'max', 1)",
        {"S": shared(64, 32, dtype=F), "O": fragment(64, 1, dtype=F)},
        "row",
        SECTION + "    for t in range(2): T.copy_tile(S.data, t, t)\n"
        "    for t in range(2): T.sfpu_reduce_max_row_float32(t)\n"
        "    for t in range(2): T.pack_tile(t, O.data, t)",
    ),
    "two tiles of a line": (
        "reduce(S, O, 'sum', 0)",
        {"S": shared(64, 32, dtype=F), "O": fragment(1, 32, dtype=F)},
        "row",
        SECTION + "    T.copy_tile(S.data, 0, 0)\n"
        "    T.copy_tile(S.data, 1, 1)\n    T.add_binary_tile(0, 1, 0)\n"
        "    T.sfpu_reduce_sum_column_float32(0)\n    T.pack_tile(0, O.data, 0)",
    ),
    "many tiles of several lines": (
        "reduce(S, O, 'max', 1)",
        {"S": shared(64, 128, dtype=F), "O": fragment(64, 1, dtype=F)},
        "row",
        SECTION + "    for t in range(2): T.copy_tile(S.data, t * 4, t * 2)\n"
        "    for step in range(3):\n"
        "        for t in range(2): T.copy_tile(S.data, t * 4 + step + 1, t * 2 + 1)\n"
        "        for t in range(2): T.binary_max_tile(t * 2, t * 2 + 1, t * 2)\n"
        "    for t in range(2): T.sfpu_reduce_max_row_float32(t * 2)\n"
        "    for t in range(2): T.pack_tile(t * 2, O.data, t)",
    ),
    "integers": (
        "reduce(S, O, 'sum', 1)",
        {"S": shared(32, 64, dtype=I), "O": fragment(32, 1, dtype=I)},
        "row",
        SECTION + "    T.copy_tile(S.data, 0, 0)\n"
        "    T.copy_tile(S.data, 1, 1)\n    T.add_int(0, 1, 0)\n"
        "    T.sfpu_reduce_sum_row_int32(0)\n    T.pack_tile(0, O.data, 0)",
    ),
    "more lines than registers": (
        "reduce(S, O, 'sum', 1)",
        {"S": shared(128, 64, dtype=F), "O": fragment(128, 1, dtype=F)},
        "column",
        "for chunk in range(2):\n    " + SECTION
        + "        for t in range(2): T.copy_tile(S.data, chunk * 2 + t, t * 2)\n"
        "        for t in range(2): T.copy_tile(S.data, chunk * 2 + t + 4, t * 2 + 1)\n"
        "        for t in range(2): T.add_binary_tile(t * 2, t * 2 + 1, t * 2)\n"
        "        for t in range(2): T.sfpu_reduce_sum_row_float32(t * 2)\n"
        "        for t in range(2): T.pack_tile(t * 2, O.data, chunk * 2 + t)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("before, buffers, order, expected", ON_SFPU.values(), ids=ON_SFPU)
def test_the_vector_unit_joins_tiles_before_it_reduces(before, buffers, order, expected):
    after = lowered(expected, buffers, order, is_fp32=True)
    assert_same(LOWER.rewrite(lowered(before, buffers, order, is_fp32=True)), after)


def lowered(body, buffers, order, *, is_fp32=False):
    func = scripted(body, attributes={"tt.fp32_dest_acc": is_fp32}, **buffers, one=shared(32, 32))
    return planned(func, S={"order": order})


@pytest.mark.parametrize("before, buffers, order, expected", LOWERED.values(), ids=LOWERED)
def test_lowered(before, buffers, order, expected):
    after = lowered(expected + UNINIT, buffers, order)
    assert_same(LOWER.rewrite(lowered(before, buffers, order)), after)
    assert_same(LOWER.rewrite(after), after)


@pytest.mark.parametrize("is_fp32, chunks", [(False, 1), (True, 2)])
def test_wide_registers_hold_half_as_many_lines(is_fp32, chunks):
    buffers = {"S": shared(256, 32), "O": fragment(256, 1)}
    after = LOWER.rewrite(
        lowered("reduce(S, O, 'sum', 1, scaler=one)", buffers, "row", is_fp32=is_fp32)
    )
    assert str(after).count("chunk in range(2)") == chunks - 1


def test_the_engine_stays_around_it():
    buffers = {"S": shared(32, 32), "O": fragment(32, 1)}
    text = 'with T.attr(0, "tt.engine", "compute"):\n    {}'
    body = (
        SECTION.replace("\n", "\n        ") + "T.reduce_sum_row(S.data, one.data, 0, 0, O.data)\n"
    )
    body += "        T.pack_tile(0, O.data, 0)\n    T.reduce_uninit()"
    assert_same(
        LOWER.rewrite(lowered(text.format("reduce(S, O, 'sum', 1, scaler=one)"), buffers, "row")),
        lowered(text.format(body), buffers, "row"),
    )


@pytest.mark.parametrize("body", ["copy(S, O)", "gemm(S, S, O)", "transpose(S, O)"])
def test_untouched(body):
    check_unchanged(LOWER, lowered(body, {"S": shared(64, 64), "O": shared(64, 64)}, "row"))
