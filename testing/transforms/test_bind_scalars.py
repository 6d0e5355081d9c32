"""BindScalars: what steers the program has a name, bound where it is first known."""

import re
import textwrap

import pytest
import tilelang.language as tl
from helpers import at, check, check_unchanged, line_marked, scripted, shared, tensor, until
from tvm import tirx

from tilelang_tt.diagnostics import OutputReadBack
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, leaf
from tilelang_tt.transforms.bind_scalars import BindScalars

BIND = BindScalars()
A = tensor(256, 64)
S = shared(64, 64)
GRID = {"bx": 4, "by": 2}


def numbers(*shape, dtype="int32"):
    return tensor(*shape, dtype=dtype)


def check_bound(before, expected, *, grid=GRID, after=None, **buffers):
    buffers = {"A": A, "S": S, **buffers}
    kept = {**buffers, **(after or {})}
    own = {name: buffer for name, buffer in kept.items() if buffer is not None}
    check(BIND, scripted(before, grid=grid, **buffers), scripted(expected, grid=grid, **own))


def test_a_branch_in_the_loop_that_it_varies_with():
    check_bound(
        """
        for k in range(8):
            if M[by, bx, k]:
                copy(A[bx * 64 : bx * 64 + 64, 0:64], S)
        """,
        """
        for k in range(8):
            m: T.int32 = T.Cast("int32", M[by, bx, k])
            if T.scalar(m, bx, by, k) != 0:
                copy(A[bx * 64 : bx * 64 + 64, 0:64], S)
        """,
        M=numbers(2, 4, 8, dtype="bool"),
    )


@pytest.mark.parametrize(
    "dtype, read, used",
    [
        ("int32", "N[bx]", "T.scalar(n, bx)"),
        ("int8", 'T.Cast("int32", N[bx])', 'T.Cast("int32", T.Cast("int8", T.scalar(n, bx)))'),
        ("uint8", 'T.Cast("int32", N[bx])', 'T.Cast("int32", T.Cast("uint8", T.scalar(n, bx)))'),
    ],
)
def test_how_often_a_loop_runs(dtype, read, used):
    count = "N[bx]" if dtype == "int32" else 'T.Cast("int32", N[bx])'
    check_bound(
        f"for k in range({count}): fill(S, 0)",
        f"""
        n: T.int32 = {read}
        for k in range({used}): fill(S, 0)
        """,
        N=numbers(4, dtype=dtype),
    )


def test_where_a_block_lies_is_known_before_loops_and_branches_that_surely_leave_it_alone():
    check_bound(
        """
        fill(S, 0)
        for k in range(8):
            if k > bx:
                copy(A[N[by] * 64 : N[by] * 64 + 64, 0:64], S)
        """,
        """
        n: T.int32 = N[by]
        fill(S, 0)
        for k in range(8):
            if k > bx:
                copy(A[T.scalar(n, by) * 64 : T.scalar(n, by) * 64 + 64, 0:64], S)
        """,
        N=numbers(2),
    )


@pytest.mark.parametrize("around", ["for k in range(m):", "if bx > 1:"])
def test_what_may_be_no_element_is_read_where_it_is_asked_for(around):
    before = f"{around}\n    copy(A[N[m] * 64 : N[m] * 64 + 64, 0:64], S)"
    expected = (
        f"{around}\n    n: T.int32 = N[m]\n"
        "    copy(A[T.scalar(n) * 64 : T.scalar(n) * 64 + 64, 0:64], S)"
    )
    buffers = {"A": A, "S": S, "N": numbers(2)}
    options = {"grid": GRID, "scalars": ["m"]}
    check(BIND, scripted(before, **options, **buffers), scripted(expected, **options, **buffers))


def test_before_a_loop_that_surely_runs_it_is_read_all_the_same():
    options = {"grid": GRID, "scalars": ["m"], "A": A, "S": S, "N": numbers(2)}
    before = "for k in range(2):\n    copy(A[N[m] * 64 : N[m] * 64 + 64, 0:64], S)"
    expected = (
        "n: T.int32 = N[m]\nfor k in range(2):\n"
        "    copy(A[T.scalar(n) * 64 : T.scalar(n) * 64 + 64, 0:64], S)"
    )
    check(BIND, scripted(before, **options), scripted(expected, **options))


def test_a_number_at_a_place_that_a_number_says():
    check_bound(
        "copy(A[N[N[bx]] * 64 : N[N[bx]] * 64 + 64, 0:64], S)",
        """
        n: T.int32 = N[bx]
        o: T.int32 = N[T.scalar(n, bx)]
        copy(A[T.scalar(o, bx) * 64 : T.scalar(o, bx) * 64 + 64, 0:64], S)
        """,
        N=numbers(4),
    )


def body_of(kernel):
    """The lines of the block after the pass, without the buffers; TVMScript has no stores to
    buffers of one element that it could parse."""
    text = BIND.rewrite(until(kernel, "tt.BindScalars")).script().splitlines()
    start = max(at for at, line in enumerate(text) if "sblock_a" in line) + 1
    lines = textwrap.dedent("\n".join(text[start:])).strip()
    return re.sub(r"T.region\(S\[0, 0\], 2, 64, 64\)", "S", lines)


def test_a_variable_varies_with_what_it_is_computed_of():
    @tl.prim_func
    def kernel(A: tl.Tensor((256, 64), "float32"), N: tl.Tensor((4,), "int32")):
        with tl.Kernel(4, 2) as (bx, _):
            S = tl.alloc_shared((64, 64), "float32")
            cur = tl.alloc_var("int32")
            cur = 0
            for i in range(4):
                cur = tl.if_then_else(bx >= N[i], i, cur)
            tl.copy(A[cur * 64, 0], S)

    assert body_of(kernel) == textwrap.dedent("""\
        cur[0] = 0
        for i in range(4):
            N_value: T.int32 = N[i]
            cur[0] = T.if_then_else(T.scalar(N_value, i) <= bx, i, cur[0])
        cur_value: T.int32 = cur[0]
        T.copy(T.region(A[T.scalar(cur_value, bx) * 64, 0], 1, 64, 64), S)""")


def test_a_variable_is_read_anew_after_each_store_and_in_each_iteration():
    @tl.prim_func
    def kernel(A: tl.Tensor((256, 64), "float32"), N: tl.Tensor((4,), "int32")):
        with tl.Kernel(4):
            S = tl.alloc_shared((64, 64), "float32")
            at = tl.alloc_var("int32", init=0)
            for k in range(4):
                before = at * 2
                tl.copy(A[at * 64, 0], S)
                at += N[k]
                if at > before:
                    tl.clear(S)

    assert body_of(kernel) == textwrap.dedent("""\
        at[0] = 0
        for k in range(4):
            N_value: T.int32 = N[k]
            at_value: T.int32 = at[0]
            T.copy(T.region(A[T.scalar(at_value, k) * 64, 0], 1, 64, 64), S)
            at[0] = at[0] + T.scalar(N_value, k)
            at_value_1: T.int32 = at[0]
            if T.scalar(at_value, k) * 2 < T.scalar(at_value_1, k):
                T.fill(S, 0)""")


def test_a_variable_that_a_loop_stores_in_is_not_what_it_was_before():
    @tl.prim_func
    def kernel(A: tl.Tensor((256, 64), "float32")):
        with tl.Kernel(4):
            S = tl.alloc_shared((64, 64), "float32")
            at = tl.alloc_var("int32", init=0)
            tl.copy(A[at * 64, 0], S)
            for _ in range(4):
                tl.copy(A[at * 64, 0], S)
                at = at + 1
            tl.copy(A[at * 64, 0], S)

    assert body_of(kernel).count("= at[0]\n") == 3


def test_what_is_stored_under_a_condition_varies_with_it():
    @tl.prim_func
    def kernel(A: tl.Tensor((256, 64), "float32")):
        with tl.Kernel(4, 2) as (_, by):
            S = tl.alloc_shared((64, 64), "float32")
            at = tl.alloc_var("int32", init=0)
            if by > 0:
                at = 1
            tl.copy(A[at * 64, 0], S)

    assert "A[T.scalar(at_value, by) * 64, 0]" in body_of(kernel)


def test_what_a_variable_varies_with_goes_on_to_what_is_computed_of_it():
    @tl.prim_func
    def kernel(A: tl.Tensor((256, 64), "float32")):
        with tl.Kernel(4, 2) as (bx, _):
            S = tl.alloc_shared((64, 64), "float32")
            one = tl.alloc_var("int32", init=bx)
            two = tl.alloc_var("int32", init=0)
            three = tl.alloc_var("int32", init=0)
            two = one + 1
            three = two * 2
            tl.copy(A[three * 64, 0], S)

    assert "A[T.scalar(three_value, bx) * 64, 0]" in body_of(kernel)


def test_a_variable_that_is_computed_of_blocks_is_data():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "int32")):
        with tl.Kernel(1):
            S = tl.alloc_shared((64, 64), "int32")
            v = tl.alloc_var("int32")
            tl.copy(A, S)
            v = S[0, 0]
            for i, j in tl.Parallel(64, 64):
                S[i, j] = S[i, j] - v

    assert "T.scalar" not in body_of(kernel)
    assert "v[0] = S[0, 0]" in body_of(kernel)


def test_a_variable_is_a_number_in_elements_too():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "int32"), N: tl.Tensor((64,), "int32")):
        with tl.Kernel(4) as bx:
            S = tl.alloc_shared((64, 64), "int32")
            v = tl.alloc_var("int32")
            v = N[bx]
            for i, j in tl.Parallel(64, 64):
                S[i, j] = v + N[v]

    assert body_of(kernel) == textwrap.dedent("""\
        N_value: T.int32 = N[bx]
        v[0] = T.scalar(N_value, bx)
        v_value: T.int32 = v[0]
        N_value_1: T.int32 = N[T.scalar(v_value, bx)]
        for i in T.parallel(64):
            for j in T.parallel(64):
                S[i, j] = T.scalar(v_value, bx) + T.scalar(N_value_1, bx)""")


def test_elements_are_data_but_for_where_they_are():
    check_bound(
        """
        for i in T.parallel(64):
            for j in T.parallel(64):
                S[i, j] = A[N[bx] * 64 + i, j] + T.Cast("bfloat16", N[bx] + N[i])
        """,
        """
        n: T.int32 = N[bx]
        for i in T.parallel(64):
            for j in T.parallel(64):
                S[i, j] = (
                    A[T.scalar(n, bx) * 64 + i, j]
                    + T.Cast("bfloat16", N[bx] + N[i])
                )
        """,
        N=numbers(64),
    )


def test_an_element_of_a_block_that_is_only_copied_is_one_of_the_tensor():
    check_bound(
        """
        copy(M[by, 0:8], row[0:8])
        for k in range(8):
            if row[k] != 0:
                copy(A[bx * 64 : bx * 64 + 64, 0:64], S)
        """,
        """
        for k in range(8):
            m: T.int32 = M[by, k]
            if T.scalar(m, by, k) != 0:
                copy(A[bx * 64 : bx * 64 + 64, 0:64], S)
        """,
        M=numbers(2, 8),
        row=shared(8, dtype="int32"),
        after={"row": None},
    )


def test_a_block_that_is_used_otherwise_is_copied_all_the_same():
    body = """
    copy(M[by, 0:64], row[0:64])
    for k in range(8):
        if row[k] != 0:
            fill(S, 0)
    for i in T.parallel(64):
        for j in T.parallel(64):
            S[i, j] = T.Cast("bfloat16", row[j])
    """
    buffers = {"A": A, "S": S, "M": numbers(2, 64), "row": shared(64, dtype="int32")}
    new = BIND.rewrite(scripted(body, grid=GRID, **buffers))
    assert "row" in [buffer.name for buffer in Frame.of(new).buffers]
    assert str(new).count("T.copy") == 1
    assert "M[by, k]" in str(new)


def test_an_assumption_about_an_element_is_known_of_the_number():
    check_bound(
        """
        T.assume(N[bx] % 32 == 0)
        copy(A[N[bx] : N[bx] + 64, 0:64], S)
        """,
        """
        n: T.int32 = T.floordiv(N[bx], 32)
        copy(A[T.scalar(n, bx) * 32 : T.scalar(n, bx) * 32 + 64, 0:64], S)
        """,
        N=numbers(4),
    )


def test_an_assumption_holds_where_it_is_made():
    check_bound(
        """
        if bx > 1:
            T.assume(N[bx] % 32 == 0)
            copy(A[N[bx] : N[bx] + 64, 0:64], S)
        for k in range(N[bx]):
            fill(S, 0)
        """,
        """
        o: T.int32 = N[bx]
        if bx > 1:
            n: T.int32 = T.floordiv(N[bx], 32)
            copy(A[T.scalar(n, bx) * 32 : T.scalar(n, bx) * 32 + 64, 0:64], S)
        for k in range(T.scalar(o, bx)):
            fill(S, 0)
        """,
        N=numbers(4),
    )


@pytest.mark.parametrize(
    "body",
    [
        "copy(A[bx * 64 : bx * 64 + 64, 0:64], S)",
        "for k in range(4):\n    if k > bx: fill(S, 0)",
        "if F[bx] > T.float32(0): fill(S, 0)",  # refused by LegalizeConstructs
        "for i, j in T.grid(64, 64):\n    if N[bx] > 0: S[i, j] = T.bfloat16(0)",  # elements
    ],
)
def test_untouched(body):
    buffers = {"A": A, "S": S, "N": numbers(4), "F": tensor(4, dtype="float32")}
    check_unchanged(BIND, scripted(body, grid=GRID, **buffers))


def test_a_tensor_that_the_program_writes_does_not_steer_it():
    @tl.prim_func
    def kernel(N: tl.Tensor((32, 32), "int32")):
        with tl.Kernel(1):
            S = tl.alloc_shared((32, 32), "int32")
            tl.clear(S)
            if N[0, 0] > 0:  # <- here
                tl.copy(S, N)

    with pytest.raises(OutputReadBack, match=at("TT3004: tensor 'N'", __file__, "# <- here")):
        BIND.rewrite(until(kernel, "tt.BindScalars"))


def test_bindings_have_the_lines_of_what_asks_for_them():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), N: tl.Tensor((4,), "int32")):
        with tl.Kernel(4) as bx:
            S = tl.alloc_shared((64, 64), "float32")
            for k in tl.serial(N[bx]):  # <- loop
                tl.copy(A[N[k], 0], S)  # <- copy

    body = BIND.rewrite(until(kernel, "tt.BindScalars")).body
    lines = [tree.line_of(bind) for bind in tree.collect(body, tirx.Bind)]
    assert lines[-2:] == [
        (__file__, line_marked(__file__, mark)) for mark in ("# <- loop", "# <- copy")
    ]
    (copied,) = (stmt for stmt in tree.collect(body, tirx.Evaluate) if isinstance(leaf(stmt), Copy))
    assert tree.line_of(copied) == (__file__, line_marked(__file__, "# <- copy"))
