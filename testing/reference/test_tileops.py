"""Every tile operation means what numpy says."""

import numpy as np
import pytest
import tilelang.language as T

from testing.reference import run
from testing.reference.errors import UnknownConstruct
from testing.reference.programs import array, result


def numbers(shape, seed=0, dtype="float32"):
    """Small whole numbers, so that sums are exact."""
    return np.random.default_rng(seed).integers(-8, 9, shape).astype(dtype)


def test_a_copy_past_the_end_reads_zeros_and_drops_writes():
    @T.prim_func
    def main(A: T.Tensor((40, 70), "float32"), C: T.Tensor((50, 100), "float32")):
        with T.Kernel(2, 2) as (bx, by):
            A_s = T.alloc_shared((32, 64), "float32")
            T.copy(A[by * 32, bx * 64], A_s)
            T.copy(A_s, C[by * 32, bx * 64])

    a = array(shape=(40, 70))
    expected = np.zeros((50, 100))
    expected[:40, :70] = a
    np.testing.assert_array_equal(result(main, a).value, expected)


def test_a_safe_value_stands_for_what_lies_past_the_end():
    @T.prim_func
    def main(A: T.Tensor((40,), "float32"), C: T.Tensor((64,), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((64,), "float32")
            T.annotate_safe_value({A: 3.0})
            T.copy(A[0], A_s)
            T.copy(A_s, C)

    a = array(shape=(40,))
    np.testing.assert_array_equal(result(main, a).value, np.r_[a, np.full(24, 3.0)])


def test_a_copy_matches_dimensions_that_are_not_one():
    @T.prim_func
    def main(
        A: T.Tensor((2, 3, 32, 64), "float32"),
        C: T.Tensor((32, 3, 64), "float32"),
        D: T.Tensor((32,), "float32"),
    ):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 64), "float32")
            d = T.alloc_fragment((32,), "float32")
            for h in T.serial(3):
                T.copy(A[1, h, 0:32, 0:64], A_s)
                T.copy(A_s, C[0:32, h, 0:64])
            T.copy(A_s[0:32, 5], d)
            T.copy(d, D)

    a = array(shape=(2, 3, 32, 64))
    found = run(main, [a, None, None])
    np.testing.assert_array_equal(found["C"].value, a[1].transpose(1, 0, 2))
    np.testing.assert_array_equal(found["D"].value, a[1, 2, :, 5])


def test_a_copy_of_another_extent_is_refused():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32, 32), "float32")):
        with T.Kernel(1) as _:
            T.copy(A[0:32, 0:64], C[0:32, 0:32])

    with pytest.raises(UnknownConstruct, match="a copy of"):
        result(main, array())


def test_a_fill_may_be_partial():
    @T.prim_func
    def main(C: T.Tensor((32, 64), "bfloat16")):
        with T.Kernel(1) as _:
            C_s = T.alloc_shared((32, 64), "bfloat16")
            T.clear(C_s)
            T.fill(C_s[0:16, 32:64], 2)
            T.copy(C_s, C)

    expected = np.zeros((32, 64))
    expected[:16, 32:] = 2
    np.testing.assert_array_equal(result(main).value, expected)


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
@pytest.mark.parametrize("clear", [False, True, "first step"])
def test_a_product_is_accumulated(ta, tb, clear):
    @T.prim_func
    def main(
        A: T.Tensor((64, 32) if ta else (32, 64), "float32"),
        B: T.Tensor((96, 64) if tb else (64, 96), "float32"),
        C: T.Tensor((32, 96), "float32"),
    ):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 32), "float32")
            B_s = T.alloc_shared((96, 32) if tb else (32, 96), "float32")
            C_l = T.alloc_fragment((32, 96), "float32")
            T.fill(C_l, 1)
            for k in T.Pipelined(2, num_stages=2):
                if ta:
                    T.copy(A[k * 32, 0], A_s)
                else:
                    T.copy(A[0, k * 32], A_s)
                if tb:
                    T.copy(B[0, k * 32], B_s)
                else:
                    T.copy(B[k * 32, 0], B_s)
                if clear == "first step":
                    T.gemm(A_s, B_s, C_l, ta, tb, clear_accum=(k == 0))
                else:
                    T.gemm(A_s, B_s, C_l, ta, tb, clear_accum=clear)
            T.copy(C_l, C)

    a, b = numbers((32, 64)), numbers((64, 96), 1)
    found = result(main, a.T.copy() if ta else a, b.T.copy() if tb else b)
    expected = {False: 1 + a @ b, True: a[:, 32:] @ b[32:], "first step": a @ b}[clear]
    np.testing.assert_array_equal(found.value, expected)
    assert (found.error > 0).all()


def test_a_product_of_integers_is_exact():
    @T.prim_func
    def main(
        A: T.Tensor((32, 32), "int8"), B: T.Tensor((32, 32), "int8"), C: T.Tensor((32, 32), "int32")
    ):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 32), "int8")
            B_s = T.alloc_shared((32, 32), "int8")
            C_l = T.alloc_fragment((32, 32), "int32")
            T.copy(A, A_s)
            T.copy(B, B_s)
            T.clear(C_l)
            T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C)

    a, b = (np.random.default_rng(s).integers(-128, 128, (32, 32)).astype(np.int8) for s in (0, 1))
    found = result(main, a, b)
    np.testing.assert_array_equal(found.value, a.astype(np.int32) @ b.astype(np.int32))
    assert found.is_exact


REDUCTIONS = {
    "reduce_sum": np.sum,
    "reduce_max": np.max,
    "reduce_min": np.min,
    "reduce_abssum": lambda a, axis: np.abs(a).sum(axis=axis),
    "reduce_absmax": lambda a, axis: np.abs(a).max(axis=axis),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_a_dimension_is_reduced(name, dim):
    operation, extent = getattr(T, name), 64 if dim == 0 else 32

    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((extent,), "float32")):
        with T.Kernel(1) as _:
            A_l = T.alloc_fragment((32, 64), "float32")
            r = T.alloc_fragment((extent,), "float32")
            T.copy(A, A_l)
            operation(A_l, r, dim=dim)
            T.copy(r, C)

    a = numbers((32, 64))
    np.testing.assert_array_equal(result(main, a).value, REDUCTIONS[name](a, axis=dim))


@pytest.mark.parametrize("name, combine", [("reduce_sum", np.add), ("reduce_max", np.maximum)])
def test_a_reduction_may_go_on_from_an_older_result(name, combine):
    operation = getattr(T, name)

    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32, 1), "float32")):
        with T.Kernel(1) as _:
            A_l = T.alloc_fragment((32, 64), "float32")
            r = T.alloc_fragment((32, 1), "float32")
            T.fill(r, 4)
            T.copy(A, A_l)
            operation(A_l, r, dim=1, clear=False)
            T.copy(r, C)

    a = numbers((32, 64))
    expected = combine(4, {"reduce_sum": a.sum(1), "reduce_max": a.max(1)}[name])
    np.testing.assert_array_equal(result(main, a).value[:, 0], expected)


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_runs_either_way(dim, reverse):
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32, 64), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 64), "float32")
            T.copy(A, A_s)
            T.cumsum(A_s, dim=dim, reverse=reverse)
            T.copy(A_s, C)

    a = numbers((32, 64))
    turned = np.flip(a, dim) if reverse else a
    expected = np.cumsum(turned, axis=dim)
    expected = np.flip(expected, dim) if reverse else expected
    np.testing.assert_array_equal(result(main, a).value, expected)


def test_a_running_maximum_is_taken():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32, 64), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 64), "float32")
            T.copy(A, A_s)
            T.cummax(A_s, dim=1)
            T.copy(A_s, C)

    a = array()
    np.testing.assert_array_equal(result(main, a).value, np.maximum.accumulate(a, axis=1))


def test_a_transposition_exchanges_rows_and_columns():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((64, 32), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 64), "float32")
            C_s = T.alloc_shared((64, 32), "float32")
            T.copy(A, A_s)
            T.transpose(A_s, C_s)
            T.copy(C_s, C)

    a = array()
    np.testing.assert_array_equal(result(main, a).value, a.T)


@pytest.mark.parametrize("form", ["region", "element"])
@pytest.mark.parametrize("name", ["add", "max", "min"])
def test_blocks_combine_into_one_tensor(name, form):
    operation = getattr(T, f"atomic_{name}")

    @T.prim_func
    def main(A: T.Tensor((128, 64), "float32"), C: T.Tensor((64,), "float32")):
        with T.Kernel(4) as bx:
            A_s = T.alloc_shared((32, 64), "float32")
            r = T.alloc_fragment((64,), "float32")
            T.copy(A[bx * 32, 0], A_s)
            T.copy(A_s[3, 0:64], r)
            if form == "region":
                operation(C[0:64], r)
            else:
                for i in T.Parallel(64):
                    operation(C[i], r[i])

    a, c = numbers((128, 64)), numbers((64,), 1)
    found = run(main, [a, c])["C"].value
    rows = a[3::32]
    expected = {
        "add": c + rows.sum(0),
        "max": np.r_[rows, [c]].max(0),
        "min": np.r_[rows, [c]].min(0),
    }
    np.testing.assert_array_equal(found, expected[name])


def test_lanes_that_meet_in_one_element_all_add_to_it():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32,), "float32")):
        with T.Kernel(1) as _:
            for i, j in T.Parallel(32, 64):
                T.atomic_add(C[i], A[i, j])
            for i, _j in T.Parallel(32, 64):
                T.atomic_add(C[i], 1.0)

    a = numbers((32, 64))
    found = run(main, [a, np.zeros(32, np.float32)])["C"].value
    np.testing.assert_array_equal(found, a.sum(1) + 64)


def test_a_reducer_combines_what_iterations_add():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32,), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 64), "float32")
            r = T.alloc_reducer((32,), "float32", op="sum")
            T.copy(A, A_s)
            T.clear(r)
            for i, j in T.Parallel(32, 64):
                r[i] += A_s[i, j]
            T.finalize_reducer(r)
            T.copy(r, C)

    a = numbers((32, 64))
    np.testing.assert_array_equal(result(main, a).value, a.sum(1))


def test_a_view_is_the_same_memory():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((64, 32), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 64), "float32")
            V = T.reshape(A_s, (64, 32))
            T.copy(A, A_s)
            T.fill(V[0:1, 0:32], 5)
            T.copy(V, C)

    a = array()
    expected = a.reshape(64, 32).copy()
    expected[0] = 5
    np.testing.assert_array_equal(result(main, a).value, expected)


def test_an_operation_that_is_not_known_is_refused():
    @T.prim_func
    def main(A: T.Tensor((32, 64), "float32"), C: T.Tensor((32, 64), "float32")):
        with T.Kernel(1) as _:
            A_s = T.alloc_shared((32, 64), "float32")
            T.async_copy(A, A_s)
            T.copy(A_s, C)

    with pytest.raises(UnknownConstruct, match=r"async_copy[\s\S]*test_tileops.py:"):
        result(main, array())
