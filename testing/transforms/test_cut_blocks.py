"""CutBlocks: blocks that are fewer than the cores are cut."""

import pytest
from helpers import (
    OPTIONS,
    asked,
    assert_same,
    check,
    check_unchanged,
    fragment,
    scripted,
    shared,
    tensor,
)
from tvm import tirx

from tilelang_tt.diagnostics import DirectiveRefused
from tilelang_tt.ir import attrs
from tilelang_tt.ir.frame import Frame
from tilelang_tt.options import Options
from tilelang_tt.transforms.cut_blocks import CutBlocks

PASS = CutBlocks(OPTIONS)


def product(m, n, *, k=1024, grid=None, size=(512, 512), middle="", bias="", **more):
    """A product in blocks of `m` x `n` of a result of `size`."""
    rows, columns = size
    body = (
        f"{bias}\n"
        "begin(C_l)\n"
        f"for k in range({k // 32}):\n"
        f"    copy(A[by * {m} : by * {m} + {m}, k * 32 : k * 32 + 32], A_s)\n"
        f"    copy(B[k * 32 : k * 32 + 32, bx * {n} : bx * {n} + {n}], B_s)\n"
        "    gemm(A_s, B_s, C_l, clear=k == 0)\n"
        "end(C_l)\n"
        f"{middle}\n"
        f"copy(C_l, C[by * {m} : by * {m} + {m}, bx * {n} : bx * {n} + {n}])"
    ).strip()
    grid = grid or {"bx": -(-columns // n), "by": -(-rows // m)}
    buffers = {
        "A": tensor(rows, k),
        "B": tensor(k, columns),
        "C": tensor(rows, columns),
        "A_s": shared(m, 32),
        "B_s": shared(32, n),
        "C_l": fragment(m, n),
    }
    return scripted(body, grid=grid, **{**buffers, **more})


def nest(m, n, value):
    return f"for i in T.parallel({m}):\n    for j in T.parallel({n}):\n        C_l[i, j] = {value}"


def test_both_sides_are_cut():
    check(PASS, product(128, 128), product(64, 64))


def test_blocks_that_begin_outside_of_the_tensors_are_left_out():
    before = product(128, 128, size=(560, 832), grid={"bx": 7, "by": 5})
    options = Options(arch="blackhole", grid=(11, 10))
    after = product(64, 96, size=(560, 832), grid={"bx": 9, "by": 9})
    check(CutBlocks(options), before, after)


def test_more_blocks_than_cores_get_a_size_that_shares_the_work_out():
    """37 x 41 tiles on 8 x 8 cores: 10 x 11 blocks of 4 x 4 take turns, 8 x 7 of 5 x 6 do not."""
    size = (37 * 32, 41 * 32)
    check(PASS, product(128, 128, size=size), product(160, 192, size=size))


def test_where_the_place_of_a_block_is_used_it_is_cut_in_equal_parts():
    scaled = "C_l[i, j] * T.cast({} + {}, 'bfloat16')"
    size, options = (560, 832), Options(arch="blackhole", grid=(11, 10))
    before = product(128, 128, size=size, middle=nest(128, 128, scaled.format("by", "bx")))
    middle = nest(64, 128, scaled.format("by // 2", "bx"))
    after = product(64, 128, size=size, grid={"bx": 7, "by": 9}, middle=middle)
    check(CutBlocks(options), before, after)


def test_more_blocks_than_cores_whose_place_is_used_are_left_alone():
    middle = nest(128, 128, "C_l[i, j] * T.cast(by + bx, 'bfloat16')")
    check_unchanged(PASS, product(128, 128, size=(37 * 32, 41 * 32), middle=middle))


@pytest.mark.parametrize("cores", [(2, 2), (3, 2), (8, 8)])
@pytest.mark.parametrize("by", [2, 3, 5, 7])
def test_blocks_never_cover_more_of_a_tensor_than_before(by, cores):
    func = product(128, 128, size=(1056, 544), grid={"bx": 3, "by": by})
    frame = Frame.of(CutBlocks(Options(cut=True, grid=cores)).rewrite(func))
    blocks = {loop.loop_var.name: int(loop.extent) for loop in frame.loops}
    (block,) = [buffer.shape for buffer in frame.buffers if buffer.name == "C_l"]
    assert blocks["by"] * int(block[0]) == by * 128
    assert blocks["bx"] * int(block[1]) == 3 * 128


def test_a_grid_that_covers_part_of_a_tensor_still_does():
    """Six rows of blocks of a tensor that has eight."""
    grid, options = {"bx": 4, "by": 6}, Options(cut=True, grid=(4, 4))
    before = product(128, 128, size=(1024, 512), grid=grid)
    after = product(192, 128, size=(1024, 512), grid={"bx": 4, "by": 4})
    check(CutBlocks(options), before, after)


@pytest.mark.parametrize("value", ["C_l[i, j] + D_s[0, j]", "T.max(C_l[i, j], D_s[0, j])"])
def test_nests_follow(value):
    def program(m, n):
        bias = f"copy(D[0:1, bx * {n} : bx * {n} + {n}], D_s)"
        more = {"D": tensor(1, 512), "D_s": shared(1, n)}
        return product(m, n, middle=nest(m, n, value), bias=bias, **more)

    check(PASS, program(128, 128), program(64, 64))


def test_what_a_sum_joins_is_not_cut():
    def program(m):
        middle = "reduce(C_l, m_l, 'sum', 1)\n" + nest(m, 128, "C_l[i, j] - m_l[i, 0]")
        return product(m, 128, middle=middle, m_l=fragment(m, 1))

    check(PASS, program(128), program(64))


LEFT = {
    "enough blocks": product(64, 64),
    "as many for each core": product(128, 128, size=(2048, 2048)),
    "little to be won": product(64, 64, size=(37 * 32, 41 * 32)),
    "little work": product(128, 128, k=64),
    "a place in the block": product(128, 128, middle=nest(128, 128, "T.cast(i + j, 'bfloat16')")),
    "a mirrored block": product(128, 128, middle=nest(128, 128, "C_l[127 - i, 127 - j]")),
    "a symbolic grid": scripted(
        "copy(A[bx * 64 : bx * 64 + 64, 0:64], A_s)",
        grid={"bx": "n"},
        scalars=["n"],
        A=tensor(512, 64),
        A_s=shared(64, 64),
    ),
}


@pytest.mark.parametrize("func", LEFT.values(), ids=LEFT)
def test_left_alone(func):
    check_unchanged(PASS, func)


def test_the_option_says_whether_blocks_are_cut():
    little, much = product(128, 128, k=64), product(128, 128)
    check(CutBlocks(Options(cut=True)), little, product(64, 64, k=64))
    check_unchanged(CutBlocks(Options(cut=False)), much)


def test_tensors_that_blocks_add_to_are_left_alone():
    check_unchanged(PASS, product(128, 128).with_attr("tt.added", ["C"]))


def test_a_store_of_what_is_not_cut_bars_the_cut():
    middle = "copy(m_l, E[0:128, 0:1])"
    check_unchanged(PASS, product(128, 128, middle=middle, E=tensor(128, 1), m_l=fragment(128, 1)))


def cutting(func, grid, *wishes):
    """`func` with directives about axes of its grid: numbers of axes and factors; 0 is about a loop
    that is gone."""
    names = list(grid)
    func = func.with_attr(asked(*(("cut", name, factor) for name, factor in wishes)))
    frame = Frame.of(func)
    loops = list(frame.loops)
    for number, (name, _) in enumerate(wishes):
        if name in names:
            loop = loops[names.index(name)]
            marks = {attrs.DIRECTIVES: [number]}
            loops[names.index(name)] = tirx.For(
                loop.loop_var, loop.min, loop.extent, loop.kind, loop.body, None, marks
            )
    return frame.with_loops(loops).build()


GRID = {"bx": 4, "by": 4}


@pytest.mark.parametrize(
    "wishes, size",
    [
        ([("bx", 2)], (128, 64)),
        ([("by", 4)], (32, 128)),
        ([("bx", 4), ("by", 2)], (64, 32)),
        ([("bx", 1), ("by", 2)], (64, 128)),
        ([("bx", 1)], (128, 128)),
    ],
)
@pytest.mark.parametrize("cut", [None, False, True])
def test_the_program_says_how_blocks_are_cut(wishes, size, cut):
    pass_ = CutBlocks(Options(cut=cut))
    after = pass_.rewrite(cutting(product(128, 128), GRID, *wishes))
    assert_same(bare(after), bare(product(*size)))


def test_blocks_that_are_enough_are_cut_where_the_program_says_so():
    before = cutting(product(64, 64, size=(1024, 1024)), {"bx": 16, "by": 16}, ("bx", 2))
    assert_same(bare(PASS.rewrite(before)), bare(product(64, 32, size=(1024, 1024))))


def bare(func):
    """`func` without directives."""
    frame = Frame.of(func.without_attr(attrs.DIRECTIVES))
    loops = [
        tirx.For(loop.loop_var, loop.min, loop.extent, loop.kind, loop.body) for loop in frame.loops
    ]
    return frame.with_loops(loops).build()


def test_where_a_loop_is_split_the_cores_are_left_to_it():
    func = product(128, 128).with_attr(asked(("split", "k", 4)))
    check_unchanged(PASS, func)
    assert not PASS.rewrite(product(128, 128).with_attr(asked(("split", "k", 1)))).same_as(func)


NOT_CUT = {
    "a factor that does not divide": (
        product(128, 128),
        GRID,
        ("bx", 3),
        "a block has 4 tiles along it, which 3 does not divide",
    ),
    "a loop that is gone": (product(128, 128), GRID, ("k", 2), "it is no axis of the grid"),
    "a symbolic grid": (
        scripted(
            "copy(A[bx * 64 : bx * 64 + 64, 0:64], A_s)",
            grid={"bx": "n"},
            scalars=["n"],
            A=tensor(512, 64),
            A_s=shared(64, 64),
        ),
        {"bx": "n"},
        ("bx", 2),
        "the number of blocks along it is not known before the launch",
    ),
    "a sum along it": (
        product(
            128,
            128,
            middle="reduce(C_l, m_l, 'sum', 1)\n" + nest(128, 128, "C_l[i, j] - m_l[i, 0]"),
            m_l=fragment(128, 1),
        ),
        GRID,
        ("bx", 2),
        "joins what lies at different places of 'C_l' along it",
    ),
    "a mirrored block": (
        product(128, 128, middle=nest(128, 128, "C_l[127 - i, 127 - j]")),
        GRID,
        ("by", 2),
        "joins what lies at different places of 'C_l' along it",
    ),
    "a part of a tensor that blocks add to": (
        product(128, 128).with_attr("tt.added", ["C"]),
        GRID,
        ("by", 2),
        "blocks add to parts of 'C'",
    ),
    "an axis that moves no store": (
        product(128, 128, grid={"bx": 4, "by": 4, "bz": 4}),
        {"bx": 4, "by": 4, "bz": 4},
        ("bz", 2),
        "no store moves on along it by whole blocks",
    ),
    "one tile": (product(128, 32), {"bx": 16, "by": 4}, ("bx", 2), "one tile long"),
    "a statement that is not known": (
        product(128, 128, middle="fill(C_l, T.bfloat16(0))"),
        GRID,
        ("by", 2),
        "may join what lies at different places of a block",
    ),
}


@pytest.mark.parametrize("func, grid, wish, why", NOT_CUT.values(), ids=NOT_CUT)
def test_what_cannot_be_cut_is_refused(func, grid, wish, why):
    with pytest.raises(DirectiveRefused, match=r"TT4006: directives\.cut") as caught:
        PASS.rewrite(cutting(func, grid, wish))
    assert why in str(caught.value)
    assert "--> p.py:1:1" in str(caught.value)


@pytest.mark.parametrize("func, grid, wish, why", NOT_CUT.values(), ids=NOT_CUT)
def test_what_cannot_be_cut_may_be_left_as_it_is(func, grid, wish, why):
    check_unchanged(PASS, cutting(func, grid, (wish[0], 1)))
