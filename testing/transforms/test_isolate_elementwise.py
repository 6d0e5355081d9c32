"""IsolateElementwise: every assignment gets a perfect parallel nest of its own."""

import pytest
import tilelang.language as tl
from helpers import (
    at,
    check,
    check_unchanged,
    fragment,
    line_marked,
    scripted,
    shared,
    tensor,
    until,
)

from tilelang_tt.analysis import access
from tilelang_tt.diagnostics import OverlappingIterations, UnsupportedStatement
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.isolate_elementwise import IsolateElementwise

BUFFERS = {
    "R_s": shared(1, 64),
    "E_l": fragment(1),
    "A_s": shared(64, 64),
    "B_s": shared(64, 64),
    "C_l": fragment(64, 64),
    "D_l": fragment(64, 64, dtype="float32"),
    "V_s": shared(64),
    "W_s": shared(64),
}


def test_loops_become_parallel_and_assignments_part():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            A = T.sblock_alloc_buffer((64, 32), "float32", scope="shared.dyn")
            C = T.sblock_alloc_buffer((64, 32), "float32", scope="local.fragment")
            D = T.sblock_alloc_buffer((64, 32), "float32", scope="local.fragment")
            for i in T.serial(64):
                for j in T.serial(32):
                    C[i, j] = A[i, j] + A[i, j]
                    D[i, j] = C[i, j] * T.float32(2)

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            A = T.sblock_alloc_buffer((64, 32), "float32", scope="shared.dyn")
            C = T.sblock_alloc_buffer((64, 32), "float32", scope="local.fragment")
            D = T.sblock_alloc_buffer((64, 32), "float32", scope="local.fragment")
            for i in T.parallel(64):
                for j in T.parallel(32):
                    C[i, j] = A[i, j] + A[i, j]
            for i in T.parallel(64):
                for j in T.parallel(32):
                    D[i, j] = C[i, j] * T.float32(2)

    check(IsolateElementwise(), before, expected)


NEST = "for i in T.parallel(64):\n    for j in T.parallel(64):\n        "
REWRITTEN = {
    "a fill": ("fill(C_l, 0)", NEST + "C_l[i, j] = T.bfloat16(0)"),
    "a fill with the value of a variable": (
        "fill(D_l, n)",
        NEST + "D_l[i, j] = T.Cast('float32', n)",
    ),
    "a fill of a part": (
        "fill(C_l[32:64, 0:64], 2)",
        "for i in T.parallel(32):\n    for j in T.parallel(64): C_l[32 + i, j] = T.bfloat16(2)",
    ),
    "a fill of one row": (
        "fill(C_l[n, 0:64], 2)",
        "for i in T.parallel(64): C_l[n, i] = T.bfloat16(2)",
    ),
    "loops in another order": (
        "for j in T.parallel(64):\n    for i in T.parallel(64): C_l[i, j] = A_s[j, i]",
        NEST + "C_l[i, j] = A_s[j, i]",
    ),
    "unrolled and vectorised loops": (
        "for i in T.unroll(64):\n    for j in T.vectorized(64): C_l[i, j] = A_s[i, j]",
        NEST + "C_l[i, j] = A_s[i, j]",
    ),
    "an assignment at every depth": (
        """
        for i in T.parallel(64):
            V_s[i] = V_s[i] + V_s[i]
            for j in T.parallel(64):
                C_l[i, j] = A_s[i, j]
        """,
        f"for i in T.parallel(64): V_s[i] = V_s[i] + V_s[i]\n{NEST}C_l[i, j] = A_s[i, j]",
    ),
    "inside a loop and a branch": (
        "for k in range(4):\n    if k == n: fill(C_l, 0)",
        """
        for k in range(4):
            if k == n:
                for i in T.parallel(64):
                    for j in T.parallel(64): C_l[i, j] = T.bfloat16(0)
        """,
    ),
}


@pytest.mark.parametrize("before, expected", REWRITTEN.values(), ids=REWRITTEN)
def test_rewritten(before, expected):
    check(
        IsolateElementwise(),
        scripted(before, scalars=["n"], **BUFFERS),
        scripted(expected, scalars=["n"], **BUFFERS),
    )


IF = "T.if_then_else({}, {}, C_l[i, j])"
ASSIGNED = {
    "an assignment outside of loops": (
        "for k in range(4):\n    copy(A_s, B_s)\n    C_l[0, k] = A_s[k, 0]",
        "for k in range(4):\n    copy(A_s, B_s)\n"
        "    for i in T.parallel(1): C_l[0, k + i] = A_s[k, 0]",
    ),
    "a nest of one row": (
        "for i in T.parallel(1):\n    for j in T.parallel(64): R_s[0, j] = R_s[0, j] * E_l[0]",
        "for i in T.parallel(1):\n    for j in T.parallel(64): R_s[i, j] = R_s[i, j] * E_l[0]",
    ),
    "a loop over one element": (
        "for i in T.parallel(1): E_l[0] = E_l[0] + V_s[n]",
        "for i in T.parallel(1): E_l[i] = E_l[i] + V_s[n]",
    ),
    "a nest over one row of a block": (
        "for i in T.parallel(1):\n    for j in T.parallel(64): C_l[n, j] = R_s[0, j]",
        "for i in T.parallel(1):\n    for j in T.parallel(64): C_l[n + i, j] = R_s[i, j]",
    ),
    "one that reads what it writes": (
        "C_l[0, n] = C_l[0, n] * A_s[0, 0]",
        "for i in T.parallel(1): C_l[0, n + i] = C_l[0, n + i] * A_s[0, 0]",
    ),
    "a condition on places": (
        NEST + "if i < j: C_l[i, j] = A_s[i, j]",
        NEST + "C_l[i, j] = " + IF.format("i < j", "A_s[i, j]"),
    ),
    "a condition on values": (
        NEST + "if A_s[i, j] > T.bfloat16(0): C_l[i, j] = A_s[i, j]",
        NEST + "C_l[i, j] = " + IF.format("A_s[i, j] > T.bfloat16(0)", "A_s[i, j]"),
    ),
    "a condition around loops in a loop": (
        "for i in T.parallel(64):\n    if n == i:\n"
        "        for j in T.parallel(64): C_l[i, j] = A_s[i, j]",
        NEST + "C_l[i, j] = " + IF.format("n == i", "A_s[i, j]"),
    ),
    "conditions inside each other": (
        NEST + "if n == 0:\n            if i < j: C_l[i, j] = A_s[i, j]",
        NEST + "C_l[i, j] = " + IF.format("n == 0", IF.format("i < j", "A_s[i, j]")),
    ),
    "both branches": (
        NEST + "if i < j: C_l[i, j] = A_s[i, j]\n        else: C_l[i, j] = B_s[i, j]",
        NEST + "C_l[i, j] = " + "T.if_then_else(i < j, A_s[i, j], B_s[i, j])",
    ),
    "a condition around a nest stays control": (
        "if n == 0:\n    for i in T.serial(64):\n"
        "        for j in T.serial(64): C_l[i, j] = A_s[i, j]",
        "if n == 0:\n    for i in T.parallel(64):\n"
        "        for j in T.parallel(64): C_l[i, j] = A_s[i, j]",
    ),
    "a serial loop that counts no elements stays": (
        "for k in range(4):\n    for i in T.serial(64):\n"
        "        for j in T.serial(64): C_l[i, j] = C_l[i, j] * A_s[i, j]",
        "for k in range(4):\n    for i in T.parallel(64):\n"
        "        for j in T.parallel(64): C_l[i, j] = C_l[i, j] * A_s[i, j]",
    ),
}


@pytest.mark.parametrize("before, expected", ASSIGNED.values(), ids=ASSIGNED)
def test_assignments_under_conditions_and_outside_of_loops(before, expected):
    check(
        IsolateElementwise(),
        scripted(before, scalars=["n"], **BUFFERS),
        scripted(expected, scalars=["n"], **BUFFERS),
        idempotent=False,  # a nest of one iteration is not a loop that counts elements
    )


TERMS = "for i in T.parallel(64):\n    for k in T.parallel(64): V_s_terms[i, k] = "
SUM_IF = "for i in T.parallel(64):\n    for k in range(64):\n        if A_s[i, k] > T.bfloat16(0): "
REDUCED = {
    "a sum of each row": (
        "for i in T.parallel(64):\n    for k in range(64): V_s[i] = V_s[i] + A_s[i, k]",
        TERMS + "A_s[i, k]\nreduce(V_s_terms, V_s, 'sum', 1, clear=False)",
    ),
    "the sum first": (
        "for i in T.parallel(64):\n    for k in range(64): V_s[i] = A_s[i, k] + V_s[i]",
        TERMS + "A_s[i, k]\nreduce(V_s_terms, V_s, 'sum', 1, clear=False)",
    ),
    "a maximum of products": (
        "for i in T.parallel(64):\n"
        "    for k in range(64): V_s[i] = T.max(V_s[i], A_s[i, k] * B_s[i, k])",
        TERMS + "A_s[i, k] * B_s[i, k]\nreduce(V_s_terms, V_s, 'max', 1, clear=False)",
    ),
    "the serial loop outside": (
        "for k in range(64):\n    for i in T.parallel(64): V_s[i] = T.min(V_s[i], A_s[i, k])",
        TERMS + "A_s[i, k]\nreduce(V_s_terms, V_s, 'min', 1, clear=False)",
    ),
    "a sum of each column": (
        "for i in T.parallel(64):\n    for k in range(64): V_s[i] = V_s[i] + A_s[k, i]",
        "for k in T.parallel(64):\n    for i in T.parallel(64): V_s_terms[k, i] = A_s[k, i]\n"
        "reduce(V_s_terms, V_s, 'sum', 0, clear=False)",
    ),
    "a sum of some of each row": (
        SUM_IF + "V_s[i] = V_s[i] + B_s[i, k]",
        TERMS + "T.if_then_else(A_s[i, k] > T.bfloat16(0), B_s[i, k], T.bfloat16(0))\n"
        "reduce(V_s_terms, V_s, 'sum', 1, clear=False)",
    ),
    "a sum of different terms": (
        SUM_IF + "V_s[i] = V_s[i] + B_s[i, k]\n        else: V_s[i] = A_s[i, k] + V_s[i]",
        TERMS + "T.if_then_else(A_s[i, k] > T.bfloat16(0), B_s[i, k], A_s[i, k])\n"
        "reduce(V_s_terms, V_s, 'sum', 1, clear=False)",
    ),
    "a sum of those a condition leaves": (
        SUM_IF + "V_s[i] = V_s[i]\n        else: V_s[i] = V_s[i] + B_s[i, k]",
        TERMS + "T.if_then_else(not (A_s[i, k] > T.bfloat16(0)), B_s[i, k], T.bfloat16(0))\n"
        "reduce(V_s_terms, V_s, 'sum', 1, clear=False)",
    ),
    "a maximum of the later rows": (
        "for i in T.parallel(64):\n    for k in range(64):\n"
        "        if k > i: V_s[i] = T.max(V_s[i], A_s[i, k])",
        TERMS + 'T.if_then_else(k > i, A_s[i, k], T.bfloat16("-inf"))\n'
        "reduce(V_s_terms, V_s, 'max', 1, clear=False)",
    ),
    "a minimum under two conditions": (
        SUM_IF + "\n            if k > i: V_s[i] = T.min(V_s[i], A_s[i, k])",
        TERMS + "T.if_then_else(A_s[i, k] > T.bfloat16(0),"
        ' T.if_then_else(k > i, A_s[i, k], T.bfloat16("inf")), T.bfloat16("inf"))\n'
        "reduce(V_s_terms, V_s, 'min', 1, clear=False)",
    ),
    "before and after other assignments": (
        "for i in T.parallel(64):\n    V_s[i] = T.bfloat16(0)\n"
        "    for k in range(64): V_s[i] = V_s[i] + A_s[i, k]\n    W_s[i] = V_s[i]",
        "for i in T.parallel(64): V_s[i] = T.bfloat16(0)\n"
        + TERMS
        + "A_s[i, k]\nreduce(V_s_terms, V_s, 'sum', 1, clear=False)\n"
        "for i in T.parallel(64): W_s[i] = V_s[i]",
    ),
}


@pytest.mark.parametrize("before, expected", REDUCED.values(), ids=REDUCED)
def test_a_serial_loop_over_terms_is_a_reduction(before, expected):
    check(
        IsolateElementwise(),
        scripted(before, **BUFFERS),
        scripted(expected, **BUFFERS, V_s_terms=shared(64, 64)),
    )


SUM_SO_FAR = (
    "for i in T.parallel(64):\n    for k in range(64):\n"
    "        V_s[i] = V_s[i] + A_s[i, k]\n        {}"
)


@pytest.mark.parametrize(
    "body",
    [
        "for i in T.parallel(64):\n    for k in T.parallel(64): V_s[i] = V_s[i] + A_s[i, k]",
        "for i in T.parallel(64):\n    for k in range(64): V_s[i] = V_s[i] + V_s[k]",
        "for i in T.parallel(64):\n    for k in range(64): V_s[i] = V_s[i] - A_s[i, k]",
        SUM_IF + "V_s[i] = V_s[i] + B_s[i, k]\n        else: V_s[i] = T.max(V_s[i], B_s[i, k])",
        SUM_IF + "V_s[i] = V_s[i] + B_s[i, k]\n        else: V_s[i] = B_s[i, k]",
        SUM_IF + "V_s[i] = B_s[i, k]\n        else: V_s[i] = V_s[i] + B_s[i, k]",
        SUM_SO_FAR.format("B_s[i, k] = V_s[i]"),
        SUM_SO_FAR.format("V_s[i] = T.max(V_s[i], A_s[i, k])"),
        SUM_SO_FAR.format("if V_s[i] > T.bfloat16(0): B_s[i, k] = T.bfloat16(0)"),
        "for i in T.parallel(64):\n    for k in range(64):\n"
        "        if V_s[i] > T.bfloat16(0): V_s[i] = V_s[i] + B_s[i, k]",
        "for i in T.parallel(64):\n    for k in range(64): V_s[i] = V_s[i] + A_s[i, k]\n"
        "    W_s[i] = V_s[0]",
    ],
)
def test_what_is_no_reduction_is_refused(body):
    with pytest.raises(OverlappingIterations, match="TT3005"):
        IsolateElementwise().rewrite(scripted(body, **BUFFERS))


PLACES = {
    "a loop that does not start at 0": (
        "for i in T.serial(32, 64):\n    for j in T.parallel(64): C_l[i, j] = A_s[i - 32, j]",
        "for i in T.parallel(32):\n    for j in T.parallel(64): C_l[i + 32, j] = A_s[i, j]",
    ),
    "a loop over parts": (
        "for k in T.serial(2):\n    for i in T.parallel(32):\n"
        "        for j in T.parallel(64): C_l[k * 32 + i, j] = A_s[i, j]",
        "for k in T.serial(2):\n    for i in T.parallel(32):\n"
        "        for j in T.parallel(64): C_l[k * 32 + i, j] = A_s[i, j]",
    ),
    "one part from another": (
        "for i in T.parallel(32):\n    for j in T.parallel(64): C_l[32 + i, j] = C_l[i, j]",
        "for i in T.parallel(32):\n    for j in T.parallel(64): C_l[32 + i, j] = C_l[i, j]",
    ),
    "two parts": (
        "for i in T.parallel(32):\n    for j in T.parallel(64):\n"
        "        C_l[i, j] = A_s[i, j]; C_l[63 - i, j] = B_s[i, j]",
        "for i in T.parallel(32):\n    for j in T.parallel(64): C_l[i, j] = A_s[i, j]\n"
        "for i in T.parallel(32):\n    for j in T.parallel(64): C_l[63 - i, j] = B_s[i, j]",
    ),
}


@pytest.mark.parametrize("before, expected", PLACES.values(), ids=PLACES)
def test_loops_over_parts(before, expected):
    check(IsolateElementwise(), scripted(before, **BUFFERS), scripted(expected, **BUFFERS))


@pytest.mark.parametrize(
    "body",
    [
        NEST + "if i < j: C_l[i, j] = A_s[i, j]\n        else: C_l[j, i] = B_s[i, j]",
        "if V_s[0] > T.bfloat16(0):\n    V_s[0] = A_s[0, 0]\n    C_l[0, 0] = B_s[0, 0]",
    ],
)
def test_branches_that_store_in_different_places_are_refused(body):
    with pytest.raises(OverlappingIterations, match="TT3005"):
        IsolateElementwise().rewrite(scripted(body, **BUFFERS))


UNTOUCHED = {
    "a perfect parallel nest": NEST + "C_l[i, j] = A_s[i, j]",
    "an accumulation in place": NEST + "C_l[i, j] = C_l[i, j] + A_s[i, j]",
    "an index that other assignments do not share": NEST + "C_l[i, j] = A_s[j, i]",
    "a loop over tile operations": "for k in T.serial(4): copy(A_s, B_s)",
    "tile operations": "copy(A_s, B_s); transpose(A_s, B_s); gemm(A_s, B_s, D_l)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(IsolateElementwise(), scripted(body, **BUFFERS))


OVERLAPPING = {
    "reads a neighbour of what it writes": NEST + "C_l[i, j] = C_l[j, i]",
    "reads elsewhere what an earlier assignment writes": (
        NEST + "C_l[i, j] = A_s[i, j]; B_s[i, j] = C_l[i, 0]"
    ),
    "reads elsewhere what a later assignment writes": (
        NEST + "B_s[i, j] = C_l[j, i]; C_l[i, j] = A_s[i, j]"
    ),
    "writes two places of one buffer": NEST + "C_l[i, j] = A_s[i, j]; C_l[j, i] = A_s[i, j]",
    "reads a part that overlaps the one it writes": (
        "for i in T.parallel(33):\n    for j in T.parallel(64): C_l[31 + i, j] = C_l[i, j]"
    ),
    "writes a part that ends where the one it reads begins": (
        "for i in T.parallel(32):\n    for j in T.parallel(64): C_l[i, j] = C_l[31 + i, j]"
    ),
    "writes one element in many iterations": NEST + "C_l[0, j] = A_s[i, j]",
}


@pytest.mark.parametrize("body", OVERLAPPING.values(), ids=OVERLAPPING)
def test_dependent_iterations_are_refused(body):
    with pytest.raises(OverlappingIterations, match=r"TT3005: the iterations .* through 'C_l'"):
        IsolateElementwise().rewrite(scripted(body, **BUFFERS))


@pytest.mark.parametrize(
    "inside",
    ["copy(A_s, B_s)", "for k in range(2): copy(A_s, B_s)", "if n == 0: copy(A_s, B_s)"],
)
def test_a_parallel_loop_around_anything_else_is_refused(inside):
    body = f"for i in T.parallel(64):\n    {inside}"
    with pytest.raises(UnsupportedStatement, match=r"TT1006: a T\.Parallel loop around something"):
        IsolateElementwise().rewrite(scripted(body, scalars=["n"], **BUFFERS))


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def overlapping(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, A_s)
            for i, j in tl.Parallel(64, 64):
                A_s[i, j] = A_s[j, i]  # <- overlapping

    @tl.prim_func
    def branch(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            for i in tl.Parallel(64):  # <- branch
                if i < 32:
                    tl.copy(A, A_s)

    for kernel, error, text, marker in (
        (overlapping, OverlappingIterations, "TT3005", "# <- overlapping"),
        (branch, UnsupportedStatement, "TT1006: a T.Parallel loop", "# <- branch"),
    ):
        with pytest.raises(error, match=at(text, __file__, marker)):
            IsolateElementwise().rewrite(until(kernel, IsolateElementwise.name))


def test_every_nest_has_a_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), B: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            B_s = tl.alloc_shared((64, 64), "float32")
            for i, j in tl.Parallel(64, 64):  # <- loop
                A_s[i, j] = A[i, j]
                B_s[i, j] = B[i, j]
            tl.clear(A_s)  # <- fill

    func = IsolateElementwise().rewrite(until(kernel, IsolateElementwise.name))
    lines = [tree.line_of(stmt) for stmt, _ in access.leaves(Frame.of(func).body)]
    first = line_marked(__file__, "# <- loop")
    assert [path for path, _ in lines] == [__file__] * 3
    assert all(first <= line <= first + 2 for _, line in lines[:2])
    assert lines[2][1] == line_marked(__file__, "# <- fill")


def test_tensors_count_as_buffers():
    body = "for i in T.serial(64):\n    for j in T.serial(64): C[i, j] = A[i, j]"
    check(
        IsolateElementwise(),
        scripted(body, A=tensor(64, 64), C=tensor(64, 64)),
        scripted(NEST + "C[i, j] = A[i, j]", A=tensor(64, 64), C=tensor(64, 64)),
    )
