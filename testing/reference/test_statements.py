"""Loops, branches, blocks, bindings and stores."""

import numpy as np
import pytest
import tilelang.language as T

from testing.kernels import programs
from testing.reference import interpreter, run
from testing.reference.errors import OutsideBuffer, Race, UncertainControl
from testing.reference.programs import array, result


@pytest.mark.parametrize(
    "factory",
    [
        programs.parallel,
        programs.sequential,
        programs.sequential_on_tensors,
        programs.on_tensors,
        programs.in_place,
        programs.pipelined,
        programs.flat_grid,
        programs.one_block,
    ],
)
def test_all_spellings_of_a_program_mean_the_same(factory):
    func = factory(programs.plus, (64, 96), (32, 32), "float32")
    a, b = array(shape=(64, 96)), array(shape=(64, 96), seed=1)
    np.testing.assert_array_equal(result(func, a, b).value, a + b)


def test_what_a_loop_carries_is_carried():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32, 64), "float32")):
        with T.Kernel(1) as _:
            s = T.alloc_fragment((32,), "float32")
            T.clear(s)
            for j in T.serial(64):
                for i in T.Parallel(32):
                    s[i] = s[i] + A[i, j]
                for i in T.Parallel(32):
                    C[i, j] = s[i]

    a = np.random.default_rng(0).integers(-5, 6, (32, 64)).astype(np.float32)
    np.testing.assert_array_equal(result(main, a).value, np.cumsum(a, axis=1))


def test_a_reduction_written_as_loops_adds_every_element_once():
    @T.prim_func
    def main(A: T.Tensor((8, 16), "float32"), C: T.Tensor((8,), "float32")):
        with T.Kernel(1) as _:
            for i in T.serial(8):
                C[i] = 0.0
            for i in T.serial(8):
                for j in T.serial(16):
                    C[i] += A[i, j]

    a = np.random.default_rng(0).integers(-5, 6, (8, 16)).astype(np.float32)
    np.testing.assert_array_equal(result(main, a).value, a.sum(1))


def test_a_reduction_written_as_loops_is_as_inexact_as_the_unit_that_reduces():
    """In 16-bit registers the matrix unit, which cuts a float32 to TF32; what only adds element to
    element does not pass through it."""

    @T.prim_func
    def main(
        A: T.Tensor((8, 16), "float32"), C: T.Tensor((8,), "float32"), D: T.Tensor((8,), "float32")
    ):
        with T.Kernel(1) as _:
            for i in T.serial(8):
                C[i] = -16.0
                D[i] = -16.0
            for i in T.Parallel(8):
                for j in T.serial(16):
                    C[i] = T.max(C[i], A[i, j])
            for i in T.Parallel(8):
                D[i] = T.max(D[i], C[i])

    a = array(shape=(8, 16))
    cut = run(main, [a, None, None], registers="bfloat16")["C"].error
    assert (cut >= 2.0**-10 * np.abs(a.max(1))).all()
    found = run(main, [a, None, None])
    assert (found["C"].error == 0).all()
    assert (found["D"].error == 0).all()


def test_a_serial_loop_whose_steps_depend_on_each_other_runs_in_order():
    @T.prim_func
    def main(C: T.Tensor((16,), "float32")):
        with T.Kernel(1) as _:
            C[0] = 1.0
            for i in T.serial(15):
                C[i + 1] = C[i] * 2.0

    np.testing.assert_array_equal(result(main).value, 2.0 ** np.arange(16))


def test_a_range_may_have_a_start_and_a_step():
    @T.prim_func
    def main(C: T.Tensor((16,), "float32")):
        with T.Kernel(1) as _:
            T.clear(C)
            for i in T.serial(2, 14, 3):
                C[i] = 1.0
            for i in T.unroll(2):
                C[i] = 2.0

    expected = np.zeros(16)
    expected[2:14:3], expected[:2] = 1, 2
    np.testing.assert_array_equal(result(main).value, expected)


def test_a_loop_inside_lanes_may_be_longer_in_some():
    @T.prim_func
    def main(A: T.Tensor((8, 16), "float32"), C: T.Tensor((8,), "float32")):
        with T.Kernel(1) as _:
            T.clear(C)
            for i in T.Parallel(8):
                for j in T.serial(i * 2):
                    C[i] = C[i] + A[i, j]

    a = np.random.default_rng(0).integers(-5, 6, (8, 16)).astype(np.float32)
    np.testing.assert_array_equal(result(main, a).value, [a[i, : 2 * i].sum() for i in range(8)])


def test_branches_may_depend_on_the_block_on_lanes_and_on_scalars():
    @T.prim_func
    def main(A: T.Tensor((64, 64), "float32"), n: T.int32, C: T.Tensor((64, 64), "float32")):
        with T.Kernel(2) as bx:
            for i, j in T.Parallel(32, 64):
                if bx == 0:
                    if j >= i:
                        C[bx * 32 + i, j] = A[bx * 32 + i, j]
                    else:
                        C[bx * 32 + i, j] = 0.0
                elif j < n:
                    C[bx * 32 + i, j] = 1.0
                else:
                    C[bx * 32 + i, j] = 2.0

    a = array(shape=(64, 64))
    expected = np.r_[np.triu(a[:32]), np.broadcast_to(np.where(np.arange(64) < 5, 1, 2), (32, 64))]
    np.testing.assert_array_equal(result(main, a, 5).value, expected)


def test_a_loop_may_go_on_while_a_variable_says_so():
    @T.prim_func
    def main(n: T.int32, C: T.Tensor((16,), "float32")):
        with T.Kernel(1) as _:
            v = T.alloc_var("int32", init=1)
            f = T.alloc_var("float32", init=0.5)
            while v < n:
                v = v * 2
                f = f + 1.0
            for i in T.Parallel(16):
                C[i] = T.Cast("float32", v) + f

    np.testing.assert_array_equal(result(main, 20).value, np.full(16, 32 + 5.5))


def test_a_persistent_loop_visits_every_block_once():
    @T.prim_func
    def main(A: T.Tensor((128, 96), "float32"), C: T.Tensor((128, 96), "float32")):
        with T.Kernel(3) as block:
            for bx, by in T.Persistent([4, 3], 3, block):
                for i, j in T.Parallel(32, 32):
                    C[bx * 32 + i, by * 32 + j] += A[bx * 32 + i, by * 32 + j]

    a = array(shape=(128, 96))
    np.testing.assert_array_equal(run(main, [a, a])["C"].value, 2 * a)


def test_one_kernel_sees_what_the_one_before_has_written():
    @T.prim_func
    def main(
        A: T.Tensor((64, 64), "float32"),
        S: T.Tensor((64,), "float32"),
        C: T.Tensor((64, 64), "float32"),
    ):
        with T.Kernel(2) as bx:
            A_l = T.alloc_fragment((32, 64), "float32")
            s = T.alloc_fragment((32,), "float32")
            T.copy(A[bx * 32, 0], A_l)
            T.reduce_max(A_l, s, dim=1)
            T.copy(s, S[bx * 32])
        with T.Kernel(1) as _:
            for i, j in T.Parallel(64, 64):
                C[i, j] = A[i, j] - S[63 - i]

    a = array(shape=(64, 64))
    found = run(main, [a, None, None])
    np.testing.assert_array_equal(found["C"].value, a - a.max(1)[::-1, None])


def test_dynamic_extents_come_from_the_tensors():
    m = T.dynamic("m")

    @T.prim_func
    def main(A: T.Tensor((m, 32), "float32"), C: T.Tensor((m, 32), "float32")):
        with T.Kernel(T.ceildiv(m, 32)) as bx:
            for i, j in T.Parallel(32, 32):
                C[bx * 32 + i, j] = A[bx * 32 + i, j] * T.Cast("float32", m)

    a = array(shape=(70, 32))
    # The output's shape is m too: its storage follows the input's.
    np.testing.assert_array_equal(result(main, a).value, a * 70)


def test_what_nobody_writes_is_unknown():
    @T.prim_func
    def main(A: T.Tensor((32,), "float32"), C: T.Tensor((64,), "float32")):
        with T.Kernel(1) as _:
            T.copy(A, C[16:48])

    found = result(main, array(shape=(32,)))
    assert np.isinf(found.error).tolist() == [True] * 16 + [False] * 32 + [True] * 16


def test_a_buffer_is_empty_again_in_each_block():
    @T.prim_func
    def main(C: T.Tensor((2, 32), "float32")):
        with T.Kernel(2) as bx:
            s = T.alloc_shared((32,), "float32")
            if bx == 0:
                T.fill(s, 1)
            T.copy(s, C[bx, 0:32])

    found = result(main)
    assert np.isinf(found.error[1]).all()
    assert not found.error[0].any()


def test_iterations_that_disagree_about_an_element_are_refused():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32,), "float32")):
        with T.Kernel(1) as _:
            for i, j in T.Parallel(32, 64):
                C[i] = A[i, j]

    with pytest.raises(Race, match=r"'C'[\s\S]*test_statements.py:"):
        result(main, array())
    np.testing.assert_array_equal(result(main, np.ones((32, 64), np.float32)).value, np.ones(32))


def test_an_index_outside_of_an_on_chip_buffer_is_refused():
    @T.prim_func
    def main(C: T.Tensor((32,), "float32")):
        with T.Kernel(1) as _:
            s = T.alloc_shared((31,), "float32")
            T.clear(s)
            for i in T.Parallel(32):
                C[i] = s[i]

    with pytest.raises(OutsideBuffer, match="'s'"):
        result(main)


def test_a_branch_that_a_rounding_may_turn_is_refused():
    @T.prim_func
    def main(C: T.Tensor((32,), "float32")):
        with T.Kernel(1) as _:
            v = T.alloc_var("float32", init=2.0)
            v = T.exp(v) - T.exp(v)
            if v > 0:
                T.clear(C)

    with pytest.raises(UncertainControl, match="the branch on"):
        result(main)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((32, 32), np.float32), np.zeros((64, 64), np.float16)],
    ids=["shape", "dtype"],
)
def test_an_argument_that_does_not_fit_is_refused(wrong):
    func = programs.on_tensors(programs.plus, (64, 64), (32, 32), "float32")
    with pytest.raises(ValueError, match="tensor 'A' is float32"):
        interpreter.run(func, [wrong, wrong, None])
