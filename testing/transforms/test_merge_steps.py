"""MergeSteps: several steps of a loop over products become one."""

import pytest
from helpers import OPTIONS, asked, check, check_unchanged, scripted, shared, tensor
from tvm import tirx

from tilelang_tt.ir import attrs, tree
from tilelang_tt.options import Options
from tilelang_tt.transforms.merge_steps import MergeSteps

PASS = MergeSteps(OPTIONS)


def program(step, count, *, clear="k == 0", k_tiles=32, loop="", tail="", a="A", **buffers):
    """A product in steps of `step`, `count` of them; `a` is the tensor that A_s comes from."""
    body = (
        f"for k in T.serial({count}{loop}):\n"
        f"    copy({a}[0:64, k * {step} : k * {step} + {step}], A_s)\n"
        f"    copy(B[k * {step} : k * {step} + {step}, 0:64], B_s)\n"
        f"    gemm(A_s, B_s, C_l, clear={clear})"
        f"{tail}"
    )
    size = 32 * k_tiles
    everything = {
        "A": tensor(64, size),
        "B": tensor(size, 64),
        "A_s": shared(64, step),
        "B_s": shared(step, 64),
        "C_l": shared(64, 64, dtype="float32"),
        **buffers,
    }
    return scripted(body, **everything)


@pytest.mark.parametrize(
    "step, count, longer, fewer",
    [(32, 32, 128, 8), (64, 16, 128, 8), (32, 6, 64, 3), (32, 2, 64, 1), (32, 31, 128, 8)],
)
def test_merged(step, count, longer, fewer):
    tiles = count * step // 32
    before = program(step, count, k_tiles=tiles)
    check(PASS, before, program(longer, fewer, k_tiles=tiles))


def test_what_never_clears_keeps_adding():
    check(PASS, program(32, 32, clear="False"), program(128, 8, clear="False"))


def test_annotations_stay():
    loop = ', annotations={"num_stages": 3}'
    check(PASS, program(32, 32, loop=loop), program(128, 8, loop=loop))


def test_steps_that_end_before_the_tensor_merge_only_without_remainder():
    check(PASS, program(32, 30), program(96, 10))
    check_unchanged(PASS, program(32, 31))


def test_transposed_operands_grow_along_their_own_inner_dimension():
    def transposed(step, count):
        return scripted(
            f"for k in range({count}):\n"
            f"    copy(A[k * {step} : k * {step} + {step}, 0:64], A_s)\n"
            f"    copy(B[0:64, k * {step} : k * {step} + {step}], B_s)\n"
            "    gemm(A_s, B_s, C_l, transpose_a=True, transpose_b=True, clear=k == 0)",
            A=tensor(1024, 64),
            B=tensor(64, 1024),
            A_s=shared(step, 64),
            B_s=shared(64, step),
            C_l=shared(64, 64, dtype="float32"),
        )

    check(PASS, transposed(32, 32), transposed(128, 8))


LEFT = {
    "long steps": program(128, 8),
    "one step": program(32, 1, k_tiles=1),
    "a clear in another step": program(32, 32, clear="k == 1"),
    "a clear in every step": program(32, 32, clear="True"),
    "another statement": program(32, 32, tail="\n    copy(A_s, D)", D=tensor(64, 32)),
    "an operand that others use": program(
        32, 32, tail="\ncopy(A_s, D[0:64, 0:32])", D=tensor(64, 32)
    ),
    "steps that overlap": scripted(
        "for k in range(16):\n"
        "    copy(A[0:64, k * 16 : k * 16 + 32], A_s)\n"
        "    copy(B[k * 32 : k * 32 + 32, 0:64], B_s)\n"
        "    gemm(A_s, B_s, C_l, clear=k == 0)",
        A=tensor(64, 512),
        B=tensor(512, 64),
        A_s=shared(64, 32),
        B_s=shared(32, 64),
        C_l=shared(64, 64, dtype="float32"),
    ),
    "an operand that stays": scripted(
        "for k in range(16):\n"
        "    copy(B[k * 32 : k * 32 + 32, 0:64], B_s)\n"
        "    gemm(A_s, B_s, C_l, clear=k == 0)",
        B=tensor(512, 64),
        A_s=shared(64, 32),
        B_s=shared(32, 64),
        C_l=shared(64, 64, dtype="float32"),
    ),
    "growth along the outer dimension": scripted(
        "for k in range(16):\n"
        "    copy(A[k * 64 : k * 64 + 64, 0:32], A_s)\n"
        "    copy(B[k * 32 : k * 32 + 32, 0:64], B_s)\n"
        "    gemm(A_s, B_s, C_l, clear=k == 0)",
        A=tensor(1024, 32),
        B=tensor(512, 64),
        A_s=shared(64, 32),
        B_s=shared(32, 64),
        C_l=shared(64, 64, dtype="float32"),
    ),
}


@pytest.mark.parametrize("before", LEFT.values(), ids=LEFT)
def test_left_alone(before):
    check_unchanged(PASS, before)


def test_l1_bounds_the_length_of_a_step():
    # The first operand takes 2 x 96 KiB for each tile of the inner dimension.
    body = (
        "for k in range({count}):\n"
        "    copy(A[0:1536, k * {step} : k * {step} + {step}], A_s)\n"
        "    copy(B[k * {step} : k * {step} + {step}, 0:32], B_s)\n"
        "    gemm(A_s, B_s, C_l, clear=k == 0)"
    )

    def tall(step, count):
        return scripted(
            body.format(step=step, count=count),
            A=tensor(1536, 1024),
            B=tensor(1024, 32),
            A_s=shared(1536, step),
            B_s=shared(step, 32),
            C_l=shared(1536, 32, dtype="float32"),
        )

    check(PASS, tall(32, 32), tall(64, 16))


def test_both_architectures_merge_alike():
    check(MergeSteps(Options(arch="blackhole")), program(32, 32), program(128, 8))


@pytest.mark.parametrize("parts, steps", [(0, 8), (1, 8), (8, 8), (9, 16), (16, 16), (17, 32)])
def test_a_loop_that_is_split_keeps_a_step_for_each_part(parts, steps):
    note = ", annotations={'tt.directives': [0]}"
    func = program(32, 32, loop=note).with_attr(asked(("split", "k", parts)))
    after = PASS.rewrite(func)
    (loop,) = [loop for loop in tree.collect(after.body, tirx.For) if loop.loop_var.name == "k"]
    assert int(loop.extent) == steps
    assert list(loop.annotations[attrs.DIRECTIVES]) == [0]


def blocks(side, step, count, grid, dtype="bfloat16"):
    """C = A @ B in square blocks that are stored, on a square grid."""
    rows, columns = (f"{var} * {side} : {var} * {side} + {side}" for var in "yx")
    inner = f"k * {step} : k * {step} + {step}"
    return scripted(
        f"for k in range({count}):\n"
        f"    copy(A[{rows}, {inner}], A_s)\n"
        f"    copy(B[{inner}, {columns}], B_s)\n"
        "    gemm(A_s, B_s, C_l, clear=k == 0)\n"
        f"copy(C_l, C[{rows}, {columns}])",
        grid={"x": grid, "y": grid},
        A=tensor(side * grid, 1024),
        B=tensor(1024, side * grid),
        C=tensor(side * grid, side * grid, dtype=dtype),
        A_s=shared(side, step),
        B_s=shared(step, side),
        C_l=shared(side, side, dtype=dtype),
    )


# The side of a block, the grid's, options, and the tiles that are best for a step.
LENGTHS = {
    "the first load is short": (128, 8, {}, 2),
    "each core hides it once, and stores in between": (128, 16, {}, 4),
    "one core hardly reads": (128, 1, {}, 4),
    "cores may share the steps": (64, 1, {"fidelity": "LoFi"}, 4),
    "they may not": (64, 1, {"fidelity": "LoFi", "split": False}, 8),
    "the packer needs longer steps": (256, 1, {"fidelity": "LoFi", "split": False}, 4),
    "the packer has the time": (256, 1, {"split": False}, 2),
    "the last step hides stores": (256, 8, {}, 8),
    "each core waits for DRAM itself": (64, 8, {"multicast": False}, 2),
}


@pytest.mark.parametrize("side, grid, chosen, tiles", LENGTHS.values(), ids=LENGTHS)
def test_the_length_of_a_step_is_weighed(side, grid, chosen, tiles):
    before, expected = (blocks(side, size, 1024 // size, grid) for size in (32, 32 * tiles))
    check(MergeSteps(Options(**chosen)), before, expected)
