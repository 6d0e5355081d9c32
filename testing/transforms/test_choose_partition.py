"""ChoosePartition: how blocks are shared out, and which loads cores share."""

import pytest
from helpers import asked, scripted, shared, tensor, tiled

from tilelang_tt.analysis import access
from tilelang_tt.diagnostics import DirectiveRefused
from tilelang_tt.ir import attrs
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, is_global
from tilelang_tt.options import Options
from tilelang_tt.partition import Partition
from tilelang_tt.transforms.choose_partition import ChoosePartition

MATMUL = """
for k in range({steps}):
    copy(A[by * 64 : by * 64 + 64, k * 32 : k * 32 + 32], A_s)
    copy(B[k * 32 : k * 32 + 32, bx * 64 : bx * 64 + 64], B_s)
    gemm(A_s, B_s, C_l, clear=k == 0)
copy(C_l, C[by * 64 : by * 64 + 64, bx * 64 : bx * 64 + 64])
"""
BUFFERS = {
    "A": tensor(512, 1024),
    "B": tensor(1024, 512),
    "C": tensor(512, 512),
    "A_s": shared(64, 32),
    "B_s": shared(32, 64),
    "C_l": shared(64, 64),
}


def chosen(body, grid, options=None, directives=(), **buffers):
    """The partition, and group and engine of each load by the name of its buffer."""
    wish = asked(*directives)
    func = tiled(scripted(body, grid=grid, attributes=wish, **(buffers or BUFFERS)))
    after = ChoosePartition(options or Options()).rewrite(func)
    loads = {
        view.dst.buffer.name: (view.group, view.engine)
        for _, view in access.leaves(Frame.of(after).body)
        if isinstance(view, Copy) and is_global(view.src.buffer)
    }
    return attrs.partition(after), loads


def test_a_product_shares_its_operands_along_rows_and_columns():
    partition, loads = chosen(MATMUL.format(steps=32), {"bx": 8, "by": 8})
    assert partition == Partition("lattice", (0,), (1,))
    assert loads == {"A_s": ("row", "reader"), "B_s": ("column", "writer")}


def test_the_order_of_the_grid_does_not_matter():
    partition, loads = chosen(MATMUL.format(steps=32), {"by": 8, "bx": 8})
    assert {partition.columns, partition.rows} == {(0,), (1,)}
    assert {group for group, _ in loads.values()} == {"row", "column"}


def test_a_batch_is_an_axis_like_another():
    body = MATMUL.format(steps=32).replace("A[", "A[bz, ").replace("B[", "B[bz, ")
    body = body.replace("C[", "C[bz, ")
    tensors = {name: tensor(2, *BUFFERS[name].shape) for name in "ABC"}
    partition, loads = chosen(body, {"bx": 8, "by": 4, "bz": 2}, **{**BUFFERS, **tensors})
    assert partition.kind == "lattice"
    # Each operand depends on the batch, so only one of them can be shared beside it.
    assert sorted(group for group, _ in loads.values()) in (["", "column"], ["", "row"])


def test_what_every_block_reads_serves_all():
    body = MATMUL.format(steps=32).replace("by * 64 : by * 64 + 64, k", "0:64, k")
    _, loads = chosen(body, {"bx": 8, "by": 8})
    assert loads["A_s"] == ("all", "reader")


def test_a_grid_of_one_axis_is_a_line():
    body = MATMUL.format(steps=32).replace("by * 64 : by * 64 + 64", "0:64")
    partition, loads = chosen(body, {"bx": 64}, **{**BUFFERS, "B": tensor(1024, 4096)})
    assert partition == Partition("line")
    assert loads == {"A_s": ("all", "reader"), "B_s": ("", "")}


UNSHARED = {
    "one block": (MATMUL.format(steps=32), {"bx": 1, "by": 1}),
    "loads that depend on both axes": (
        MATMUL.format(steps=32).replace("k * 32", "(bx + by) * 32"),
        {"bx": 8, "by": 8},
    ),
    "an operand that is written": (
        MATMUL.format(steps=32) + "copy(A_s, A[0:64, 0:32])\ncopy(B_s, B[0:32, 0:64])",
        {"bx": 8, "by": 8},
    ),
}


@pytest.mark.parametrize("body, grid", UNSHARED.values(), ids=UNSHARED)
def test_not_shared(body, grid):
    partition, loads = chosen(body, grid)
    assert partition == Partition("runs")
    assert set(loads.values()) == {("", "")}


def test_loads_whose_number_depends_on_an_axis_are_not_shared_along_it():
    partition, loads = chosen(MATMUL.format(steps="bx + 1"), {"bx": 8, "by": 8})
    assert loads["A_s"] == ("", "")  # shared by blocks of another bx
    assert partition.kind in ("lattice", "snake")


def test_a_load_under_a_condition_is_not_shared_along_its_axis():
    loop = MATMUL.format(steps=32).replace("    copy(A", "    if bx > 2: copy(A")
    _, loads = chosen(loop, {"bx": 8, "by": 8})
    assert loads["A_s"] == ("", "")


def test_another_fill_under_a_condition_keeps_a_buffer_from_being_shared():
    other = "    if bx > by: copy(A[0:64, 0:32], A_s)\n    copy(B"
    _, loads = chosen(MATMUL.format(steps=32).replace("    copy(B", other), {"bx": 8, "by": 8})
    assert loads["A_s"] == ("", "")


def test_one_engine_fills_a_buffer():
    # The second fill is alike for all `by`, the first is not shared by them.
    other = "    if bx > 2: copy(A[0:64, 0:32], A_s)\n    copy(B"
    _, loads = chosen(MATMUL.format(steps=32).replace("    copy(B", other), {"bx": 8, "by": 8})
    assert loads["A_s"] in (("column", "reader"), ("row", "reader"))


def test_uneven_work_is_dealt_out_in_a_snake():
    body = MATMUL.format(steps="bx + by + 1")
    partition, _ = chosen(body, {"bx": 8, "by": 8}, Options(multicast=False))
    assert partition == Partition("snake", rows=(0, 1))


def test_a_load_beside_a_store_stays_with_the_reader():
    body = MATMUL.format(steps=32).replace("    gemm", "    copy(B_s, D[0:32, 0:64])\n    gemm")
    _, loads = chosen(body, {"bx": 8, "by": 8}, **{**BUFFERS, "D": tensor(32, 64)})
    assert loads["B_s"] == ("column", "reader")


def test_sharing_is_the_users_choice():
    body, grid = MATMUL.format(steps=32), {"bx": 8, "by": 8}
    partition, loads = chosen(body, grid, Options(multicast=False))
    assert partition == Partition("runs")
    assert set(loads.values()) == {("", "")}
    # Two blocks would not save enough, but may be told to.
    small = {"bx": 2, "by": 1}
    assert chosen(MATMUL.format(steps=1), small)[0].kind == "runs"
    assert chosen(MATMUL.format(steps=1), small, Options(multicast=True))[0].kind != "runs"


def test_dynamic_extents_are_shared_too():
    body = MATMUL.format(steps=32)
    func = tiled(
        scripted(
            body,
            grid={"bx": "n // 64", "by": "m // 64"},
            symbols=["m", "n"],
            **{
                **BUFFERS,
                "A": tensor("m", 1024),
                "B": tensor(1024, "n"),
                "C": tensor("m", "n"),
            },
        )
    )
    assert attrs.partition(ChoosePartition(Options()).rewrite(func)).kind == "lattice"


ROW, COLUMN, ALONE = ("row", "reader"), ("column", "writer"), ("", "")


@pytest.mark.parametrize(
    "option, wishes, groups",
    [
        (None, {"A_s": 0}, {"A_s": ALONE, "B_s": COLUMN}),
        (None, {"A_s": 0, "B_s": 0}, {"A_s": ALONE, "B_s": ALONE}),
        (False, {"A_s": 1}, {"A_s": ROW, "B_s": ALONE}),
        (False, {"A_s": 1, "B_s": 1}, {"A_s": ROW, "B_s": COLUMN}),
        (True, {"B_s": 0}, {"A_s": ROW, "B_s": ALONE}),
    ],
)
def test_the_program_says_which_loads_are_shared(option, wishes, groups):
    options = Options(multicast=option)
    directives = [("multicast", name, on) for name, on in wishes.items()]
    _, loads = chosen(MATMUL.format(steps=32), {"bx": 8, "by": 8}, options, directives)
    assert loads == groups


def test_what_is_to_be_shared_is_shared_where_it_does_not_pay():
    body, grid = MATMUL.format(steps=1), {"bx": 2, "by": 1}
    assert chosen(body, grid)[1]["A_s"] == ALONE
    assert chosen(body, grid, None, [("multicast", "A_s", 1)])[1]["A_s"] == ("all", "reader")


BATCHED = {name: tensor(8, *BUFFERS[name].shape) for name in "ABC"}
REFUSED = {
    "one block": (
        MATMUL.format(steps=32),
        {"bx": 1, "by": 1},
        ["A_s"],
        "there is one block, hence one core that reads",
    ),
    "loads that depend on both axes": (
        MATMUL.format(steps=32).replace("k * 32", "(bx + by) * 32"),
        {"bx": 8, "by": 8},
        ["A_s"],
        "depends on bx and by: no two blocks read alike",
    ),
    "loops that depend on both axes": (
        MATMUL.format(steps="bx + by + 1"),
        {"bx": 8, "by": 8},
        ["A_s"],
        "or how often, depends on bx and by: no two blocks read alike",
    ),
    "an operand that is written": (
        MATMUL.format(steps=32) + "copy(A_s, A[0:64, 0:32])",
        {"bx": 8, "by": 8},
        ["A_s"],
        "blocks write 'A', which",
    ),
    "what is not loaded": (
        MATMUL.format(steps=32),
        {"bx": 8, "by": 8},
        ["C_l"],
        "no block of a tensor is loaded into 'C_l'",
    ),
    "two loads that need the cores in different order": (
        MATMUL.format(steps=32).replace("[by", "[bz, by").replace("B[k", "B[bz, k"),
        {"bx": 8, "by": 4, "bz": 8},
        ["A_s", "B_s"],
        "no order of the blocks lets cores share all of A_s and B_s",
    ),
}


@pytest.mark.parametrize("body, grid, names, why", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shared_is_refused(body, grid, names, why):
    wishes = [("multicast", name, 1) for name in names]
    buffers = {**BUFFERS, **(BATCHED if "bz" in grid else {})}
    with pytest.raises(DirectiveRefused, match=r"TT4006: directives\.multicast") as caught:
        chosen(body, grid, None, wishes, **buffers)
    assert why in str(caught.value)
    assert "--> p.py:1:1" in str(caught.value)


def test_a_choice_about_what_is_not_loaded_is_refused():
    with pytest.raises(DirectiveRefused, match="is loaded into 'C_l'"):
        chosen(MATMUL.format(steps=32), {"bx": 8, "by": 8}, None, [("multicast", "C_l", 0)])


@pytest.mark.parametrize("on", [0, 1])
def test_teams_share_no_loads(on):
    recorded = {"kind": "teams", "columns": [], "rows": [], "parts": 4}
    func = scripted(
        MATMUL.format(steps=32),
        grid={"bx": 8, "by": 8},
        attributes={attrs.PARTITION: recorded, **asked(("multicast", "A_s", on))},
        **BUFFERS,
    )
    if on:
        with pytest.raises(DirectiveRefused, match="cores of a team, which share a loop"):
            ChoosePartition(Options()).rewrite(func)
    else:
        assert ChoosePartition(Options()).rewrite(func).same_as(func)
