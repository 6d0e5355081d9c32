"""Programs that once went wrong, made small."""

from __future__ import annotations

import pytest

from testing.fuzz import check
from testing.fuzz.program import Buffer, Line, Nest, Program, Tensor

ARCHS = ("wormhole_b0", "blackhole")


def program(tensors, buffers, *body, arch="wormhole_b0", grid=(1, 2), cores=(1, 1)):
    return Program(
        tensors=tuple(Tensor(name, shape, dtype) for name, (shape, dtype) in tensors.items()),
        scalars=(),
        buffers=tuple(
            Buffer(name, shape, dtype, "fragment") for name, (shape, dtype) in buffers.items()
        ),
        body=body,
        grid=grid,
        arch=arch,
        cores=cores,
        seed=1,
    )


def agrees(made: Program) -> None:
    outcome = check.check(made)
    assert outcome.refused == ""
    assert outcome.checked == 1.0


TILE = ((32, 32), "bfloat16")
TWO = ((64, 32), "bfloat16")


@pytest.mark.parametrize("arch", ARCHS)
def test_a_block_that_a_loop_stores_has_left_before_its_pages_are_freed(arch):
    agrees(
        program(
            {"A": TILE, "C": ((3, 32, 32), "bfloat16"), "D": TWO},
            {"a": TILE, "d": TILE},
            Line("T.copy(A, a)"),
            Nest("for k in T.serial(3):", (Line("T.copy(a, C[k, 0, 0])"),)),
            Line("T.fill(d, 1.5)"),
            Line("T.copy(d, D[by * 32, 0])"),
            arch=arch,
        )
    )


@pytest.mark.parametrize("arch", ARCHS)
def test_a_block_that_is_stored_has_left_before_a_branch_without_it_frees_its_pages(arch):
    agrees(
        program(
            {"A": TILE, "C": TWO, "D": TWO},
            {"a": TILE},
            Line("T.copy(A, a)"),
            Line("T.copy(a, C[by * 32, 0])"),
            Nest("if by == 1:", (Line("T.copy(a, D[by * 32, 0])"),)),
            arch=arch,
        )
    )


ROW = ((32,), "float32")


@pytest.mark.parametrize("arch", ARCHS)
def test_a_copy_of_a_running_maximum_is_the_old_one(arch):
    loop = (
        Line("T.copy(A[k * 32, 0], a)"),
        Line("T.copy(new, old)"),
        Line("T.reduce_max(a, new, dim=1, clear=False)"),
        Nest("for i in T.Parallel(32):", (Line("d[i] = old[i] - new[i]"),)),
        Line("T.copy(d, C[k, 0])"),
    )
    agrees(
        program(
            {"A": ((96, 32), "float32"), "C": ((3, 32), "float32")},
            {"a": ((32, 32), "float32"), "new": ROW, "old": ROW, "d": ROW},
            Line("T.fill(new, -1.0)"),
            Nest("for k in T.serial(3):", loop),
            arch=arch,
            grid=(1,),
        )
    )
