"""OrientVectors: 1-D buffers become rows or columns, and what is used the other way is turned."""

import pytest
import tilelang.language as tl
from helpers import at, check, check_unchanged, fragment, reduce, scripted, shared, tensor, until

from tilelang_tt.diagnostics import UnsupportedIndex
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.orient_vectors import OrientVectors


def test_a_statistic_of_rows_is_a_column_and_a_bias_a_row():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            P = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64,), "bfloat16", scope="local.fragment")
            b = T.sblock_alloc_buffer((32,), "bfloat16", scope="shared.dyn")
            reduce(S, m, "max", 1)
            for i in T.parallel(64):
                for j in T.parallel(32):
                    P[i, j] = S[i, j] - m[i] + b[j]

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            P = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            m = T.sblock_alloc_buffer((64, 1), "bfloat16", scope="local.fragment")
            b = T.sblock_alloc_buffer((1, 32), "bfloat16", scope="shared.dyn")
            reduce(S, m, "max", 1)
            for i in T.parallel(64):
                for j in T.parallel(32):
                    P[i, j] = S[i, j] - m[i, 0] + b[0, j]

    check(OrientVectors(), before, expected)


BUFFERS = {
    "A": tensor(64),
    "M": tensor(64, 64),
    "S": shared(64, 64),
    "B": shared(64, 64),
    "N": shared(2, 64, 64),
}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64): "
LINE = "for i in T.parallel(64): "


def shapes(**vectors):
    return {name: shared(*shape) for name, shape in vectors.items()}


ROW, COLUMN = (1, 64), (64, 1)
CASES = {
    "a part that is read by rows": (
        f"{NEST}S[i, j] = v[64 + i] + w[32 + j]",
        f"{NEST}S[i, j] = v[64 + i, 0] + w[0, 32 + j]",
        {"v": (128,), "w": (128,)},
        {"v": (128, 1), "w": (1, 128)},
    ),
    "a vector that nothing asks for is a row": (
        f"copy(A, v)\n{LINE}v[i] = v[i] * v[i]",
        f"copy(A, v[0, 0:64])\n{LINE}v[0, i] = v[0, i] * v[0, i]",
        {"v": (64,)},
        {"v": ROW},
    ),
    "one that is read by rows is a column": (
        f"copy(A, v)\n{NEST}S[i, j] = S[i, j] * v[i]",
        f"copy(A, v[0:64, 0])\n{NEST}S[i, j] = S[i, j] * v[i, 0]",
        {"v": (64,)},
        {"v": COLUMN},
    ),
    "vectors of one statement go together": (
        f"{LINE}w[i] = v[i] + v[i]\n{NEST}S[i, j] = w[i]",
        f"{LINE}w[i, 0] = v[i, 0] + v[i, 0]\n{NEST}S[i, j] = w[i, 0]",
        {"v": (64,), "w": (64,)},
        {"v": COLUMN, "w": COLUMN},
    ),
    "a statistic decides for those that go with it": (
        f"reduce(S, w, 'sum', 0)\n{LINE}w[i] = w[i] + v[i]\n{NEST}S[i, j] = w[j] + v[i]",
        f"reduce(S, w, 'sum', 0)\n{LINE}w[0, i] = w[0, i] + v[0, i]\n"
        f"transpose(v, v_t)\n{NEST}S[i, j] = w[0, j] + v_t[i, 0]",
        {"v": (64,), "w": (64,)},
        {"v": ROW, "w": ROW, "v_t": COLUMN},
    ),
    "the most uses decide": (
        f"copy(A, v)\n{NEST}S[i, j] = v[i] + v[j]\n{NEST}B[i, j] = v[i]",
        f"copy(A, v[0:64, 0])\ntranspose(v, v_t)\n{NEST}S[i, j] = v[i, 0] + v_t[0, j]\n"
        f"{NEST}B[i, j] = v[i, 0]",
        {"v": (64,)},
        {"v": COLUMN, "v_t": ROW},
    ),
    "a vector that is turned for a block": (
        f"reduce(S, v, 'sum', 1)\n{NEST}S[i, j] = v[j]",
        f"reduce(S, v, 'sum', 1)\ntranspose(v, v_t)\n{NEST}S[i, j] = v_t[0, j]",
        {"v": (64,)},
        {"v": COLUMN, "v_t": ROW},
    ),
    "statistics of rows and columns in one statement": (
        f"reduce(S, v, 'sum', 1); reduce(S, w, 'sum', 0)\n{LINE}v[i] = v[i] + w[i]",
        "reduce(S, v, 'sum', 1); reduce(S, w_red, 'sum', 0); transpose(w_red, w)\n"
        f"{LINE}v[i, 0] = v[i, 0] + w[i, 0]",
        {"v": (64,), "w": (64,)},
        {"v": COLUMN, "w": COLUMN, "w_red": ROW},
    ),
    "vectors from one axis of a tensor": (
        f"copy(A, v); copy(A, w)\n{NEST}S[i, j] = v[i] + w[j]",
        f"copy(A, v[0, 0:64]); copy(A, w[0, 0:64])\ntranspose(v, v_t)\n"
        f"{NEST}S[i, j] = v_t[i, 0] + w[0, j]",
        {"v": (64,), "w": (64,)},
        {"v": ROW, "w": ROW, "v_t": COLUMN},
    ),
    "vectors from two axes of a tensor": (
        f"copy(M[0:64, 0], v); copy(M[0, 0:64], w)\n{NEST}S[i, j] = v[i] + w[j]",
        f"copy(M[0:64, 0], v[0:64, 0]); copy(M[0, 0:64], w[0, 0:64])\n"
        f"{NEST}S[i, j] = v[i, 0] + w[0, j]",
        {"v": (64,), "w": (64,)},
        {"v": COLUMN, "w": ROW},
    ),
    "an element": (
        f"reduce(v, e, 'max', 0)\n{NEST}S[i, j] = S[i, j] - e[0]",
        f"reduce(v, e, 'max', 1)\n{NEST}S[i, j] = S[i, j] - e[0, 0]",
        {"v": (64,), "e": (1,)},
        {"v": ROW, "e": (1, 1)},
    ),
    "an element of a column": (
        f"{NEST}S[i, j] = v[i]\nreduce(v, e, 'max', 0)",
        f"{NEST}S[i, j] = v[i, 0]\nreduce(v, e, 'max', 0)",
        {"v": (64,), "e": (1,)},
        {"v": COLUMN, "e": (1, 1)},
    ),
    "vectors that share an element need not go together": (
        f"reduce(S, v, 'sum', 1); reduce(S, w, 'sum', 0)\n"
        f"{LINE}v[i] = v[i] * e[0]\n{LINE}w[i] = w[i] * e[0]",
        f"reduce(S, v, 'sum', 1); reduce(S, w, 'sum', 0)\n"
        f"{LINE}v[i, 0] = v[i, 0] * e[0, 0]\n{LINE}w[0, i] = w[0, i] * e[0, 0]",
        {"v": (64,), "w": (64,), "e": (1,)},
        {"v": COLUMN, "w": ROW, "e": (1, 1)},
    ),
    "a block that is read with its indices exchanged": (
        f"{NEST}S[i, j] = B[j, i] + B[i, j]",
        f"transpose(B, B_t)\n{NEST}S[i, j] = B_t[i, j] + B[i, j]",
        {},
        {"B_t": (64, 64)},
    ),
    "a vector as a matrix decides for those that go with it": (
        f"{LINE}v[i] = w[i, 0]",
        f"{LINE}v[i, 0] = w[i, 0]",
        {"v": (64,), "w": (64, 1)},
        {"v": COLUMN, "w": COLUMN},
    ),
    "in loops and branches": (
        f"for k in range(4):\n    if n == k: reduce(S, v, 'max', 1)\n{LINE}v[i] = v[i] * v[i]",
        f"for k in range(4):\n    if n == k: reduce(S, v, 'max', 1)\n"
        f"{LINE}v[i, 0] = v[i, 0] * v[i, 0]",
        {"v": (64,)},
        {"v": COLUMN},
    ),
}


@pytest.mark.parametrize("before, expected, vectors, oriented", CASES.values(), ids=CASES)
def test_oriented(before, expected, vectors, oriented):
    check(
        OrientVectors(),
        scripted(before, scalars=["n"], **BUFFERS, **shapes(**vectors)),
        scripted(expected, scalars=["n"], **BUFFERS, **shapes(**oriented)),
    )


def test_no_vector_is_left():
    func = scripted(f"{LINE}v[i] = w[i]", **BUFFERS, **shapes(v=(64,), w=(64,)))
    buffers = Frame.of(OrientVectors().rewrite(func)).buffers
    assert all(len(buffer.shape) > 1 for buffer in buffers)


UNTOUCHED = {
    "blocks": f"{NEST}S[i, j] = S[i, j] + B[i, j]",
    "one row of a block": f"{NEST}S[i, j] = B[3, i]",
    "one column of a block": f"{NEST}S[i, j] = B[j, 3]",
    "a diagonal": f"{LINE}S[i, i] = B[i, i]",
    "tile operations": "transpose(S, B); gemm(S, B, S, clear=True)",
    "a reduction of a batch": "reduce(N, c, 'sum', 2)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(OrientVectors(), scripted(body, **BUFFERS, c=shared(2, 64, 1)))


def test_a_vector_at_another_place_is_refused():
    body = f"{NEST}S[i, j] = v[i + j]"
    with pytest.raises(UnsupportedIndex, match=r"TT1010: v\[i \+ j\] .*over i, j"):
        OrientVectors().rewrite(scripted(body, **BUFFERS, **shapes(v=(64,))))


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def shifted(A: tl.Tensor((128,), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            v = tl.alloc_shared((128,), "float32")
            C_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, v)
            for i, j in tl.Parallel(64, 64):  # <- loop
                C_s[i, j] = v[i + j]  # <- shifted
            tl.copy(C_s, C)

    with pytest.raises(UnsupportedIndex, match=at("TT1010", __file__, "# <- loop", "# <- shifted")):
        OrientVectors().rewrite(until(shifted, OrientVectors.name))


def test_a_fragment_stays_one():
    func = scripted(f"{LINE}v[i] = v[i] * v[i]", v=fragment(64))
    (buffer,) = Frame.of(OrientVectors().rewrite(func)).buffers
    assert buffer.scope() == "local.fragment"
