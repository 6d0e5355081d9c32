"""Which buffers hold values at the same time."""

import pytest
from helpers import fragment, scripted, tensor

from tilelang_tt.analysis.liveness import interference
from tilelang_tt.ir.frame import Frame

BUFFERS = {"A": tensor(32, 32), "D": tensor(32, 32)} | dict.fromkeys("XYZW", fragment(32, 32))


def nest(dst, value):
    return f"for i in T.parallel(32):\n    for j in T.parallel(32): {dst}[i, j] = {value}\n"


def pairs(body):
    """The names of every two buffers that meet."""
    meets = interference(Frame.of(scripted(body, scalars=["n"], **BUFFERS)).body)
    return {"".join(sorted(a.name + b.name)) for a, others in meets.items() for b in others}


def block(head, *stmts):
    inner = "".join(f"    {line}\n" for stmt in stmts for line in stmt.splitlines())
    return f"{head}\n{inner}"


CASES = {
    "a chain": (nest("X", "A[i, j]") + nest("Y", "X[i, j]") + nest("Z", "Y[i, j]")
                + "copy(Z, D)", {"XY", "YZ"}),
    "a value read later": (nest("X", "A[i, j]") + nest("Y", "X[i, j]")
                           + nest("Z", "Y[i, j] + X[i, j]") + "copy(Z, D)", {"XY", "XZ", "YZ"}),
    "a value carried round a loop": (
        nest("X", "A[i, j]") + block("for k in range(n):", nest("Y", "A[i, j]"),
                                     nest("X", "X[i, j] + Y[i, j]")) + "copy(X, D)",
        {"XY"}),
    "a value read by the next iteration": (
        nest("X", "A[i, j]") + block("for k in range(n):", nest("Y", "X[i, j]"), "copy(Y, D)",
                                     nest("Z", "A[i, j]"), "copy(Z, D)"), {"XY", "XZ"}),
    "branches": (
        nest("X", "A[i, j]") + block("if n > 0:", nest("Y", "A[i, j]"), nest("Z", "Y[i, j]"),
                                     "copy(Z, D)") + nest("W", "X[i, j]") + "copy(W, D)",
        {"XY", "XZ", "YZ", "WX"}),
    "an accumulation": (
        "begin(X)\n" + block("for k in range(n):", nest("Y", "A[i, j]"),
                             "gemm(Y, Y, X, clear=k == 0)") + "end(X)\ncopy(X, D)", {"XY"}),
    "a value of which nobody knows": (nest("X", "A[i, j]") + nest("Y", "A[i, j]") + "copy(Y, D)",
                                      set()),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_interference(body, expected):
    assert pairs(body) == expected
