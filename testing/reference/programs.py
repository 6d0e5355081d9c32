"""Small programs that the tests of the reference run."""

import ml_dtypes
import numpy as np
import tilelang.language as T

from testing.reference import Bounded, run

ROWS, COLUMNS = 32, 64


def element_wise(f, dtype="float32", out=None, second=None):
    """`C[i, j] = f(T, A[i, j], B[i, j], i, j)` for one block of 32x64."""
    out, second = out or dtype, second or dtype

    @T.prim_func
    def main(
        A: T.Tensor((ROWS, COLUMNS), dtype),
        B: T.Tensor((ROWS, COLUMNS), second),
        C: T.Tensor((ROWS, COLUMNS), out),
    ):
        with T.Kernel(1) as _:
            for i, j in T.Parallel(ROWS, COLUMNS):
                C[i, j] = f(T, A[i, j], B[i, j], i, j)

    return main


def array(dtype="float32", shape=(ROWS, COLUMNS), low=-4.0, high=4.0, seed=0):
    """Random numbers of a dtype."""
    values = np.random.default_rng(seed).uniform(low, high, shape)
    return values.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def result(func, *arguments) -> Bounded:
    """The last tensor of `func`, which has no value before."""
    return list(run(func, [*arguments, None]).values())[-1]
