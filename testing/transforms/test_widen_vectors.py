"""WidenVectors: vectors of bytes are spread as int32."""

import pytest
from helpers import check, check_unchanged, scripted, shared

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.widen_vectors import WidenVectors


def test_a_row_becomes_one_of_int32():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            A = T.sblock_alloc_buffer((64, 96), "int8", scope="shared.dyn")
            z = T.sblock_alloc_buffer((1, 96), "int8", scope="shared.dyn")
            C = T.sblock_alloc_buffer((64, 96), "float32", scope="local.fragment")
            for i in T.parallel(64):
                for j in T.parallel(96):
                    C[i, j] = T.Cast("float32", A[i, j]) - T.Cast("float32", z[0, j])

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            A = T.sblock_alloc_buffer((64, 96), "int8", scope="shared.dyn")
            z = T.sblock_alloc_buffer((1, 96), "int8", scope="shared.dyn")
            C = T.sblock_alloc_buffer((64, 96), "float32", scope="local.fragment")
            z_wide = T.sblock_alloc_buffer((1, 96), "int32", scope="shared.dyn")
            for j in T.parallel(96):
                z_wide[0, j] = T.Cast("int32", z[0, j])
            for i in T.parallel(64):
                for j in T.parallel(96):
                    C[i, j] = T.Cast("float32", A[i, j]) - T.Cast("float32", z_wide[0, j])

    check(WidenVectors(), before, expected)


BUFFERS = {
    "A": shared(64, 64, dtype="int8"),
    "U": shared(64, 64, dtype="uint8"),
    "I": shared(64, 64, dtype="int32"),
    "v": shared(1, 64, dtype="int8"),
    "w": shared(64, 1, dtype="uint8"),
    "e": shared(1, 1, dtype="int8"),
    "n": shared(1, 64, dtype="int32"),
    "f": shared(1, 64, dtype="float32"),
}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64): "
V = "for j in T.parallel(64): v_wide[0, j] = T.Cast('int32', v[0, j])\n"
W = "for i in T.parallel(64): w_wide[i, 0] = T.Cast('int32', w[i, 0])\n"
E = "for i in T.parallel(1): e_wide[0, i] = T.Cast('int32', e[0, 0])\n"
WIDE = {
    "v_wide": shared(1, 64, dtype="int32"),
    "w_wide": shared(64, 1, dtype="int32"),
    "e_wide": shared(1, 1, dtype="int32"),
}
CASES = {
    "a row": ("A[i, j] + v[0, j]", V, "A[i, j] + T.Cast('int8', v_wide[0, j])"),
    "a column": ("U[i, j] + w[i, 0]", W, "U[i, j] + T.Cast('uint8', w_wide[i, 0])"),
    "an element": ("A[i, j] + e[0, 0]", E, "A[i, j] + T.Cast('int8', e_wide[0, 0])"),
    "a conversion to int32": ("I[i, j] + T.Cast('int32', v[0, j])", V, "I[i, j] + v_wide[0, j]"),
    "a conversion to the other sign": (
        "T.Cast('uint8', v[0, j])",
        V,
        "T.Cast('uint8', v_wide[0, j])",
    ),
    "twice": (
        "v[0, j] * A[i, j] + v[0, j]",
        V,
        "T.Cast('int8', v_wide[0, j]) * A[i, j] + T.Cast('int8', v_wide[0, j])",
    ),
    "two": (
        "T.Cast('int32', v[0, j]) + T.Cast('int32', w[i, 0])",
        V + W,
        "v_wide[0, j] + w_wide[i, 0]",
    ),
}


@pytest.mark.parametrize("value, made, widened", CASES.values(), ids=CASES)
def test_widened(value, made, widened):
    dst = "I" if "int32" in value else "U" if value.startswith(("U", "T.Cast('uint8'")) else "A"
    new = {name: buffer for name, buffer in WIDE.items() if name in made}
    check(
        WidenVectors(),
        scripted(f"{NEST}{dst}[i, j] = {value}", **BUFFERS),
        scripted(f"{made}{NEST}{dst}[i, j] = {widened}", **BUFFERS, **new),
    )


def test_the_name_is_free():
    taken = {"v_wide": shared(64, 64)}
    check(
        WidenVectors(),
        scripted(f"{NEST}A[i, j] = v[0, j]", **BUFFERS, **taken),
        scripted(
            f"{V}{NEST}A[i, j] = T.Cast('int8', v_wide[0, j])".replace("v_wide", "v_wide_1"),
            **BUFFERS,
            **taken,
            v_wide_1=WIDE["v_wide"],
        ),
    )


UNTOUCHED = {
    "tiles": f"{NEST}A[i, j] = A[i, j] + T.Cast('int8', U[i, j])",
    "a row of int32": f"{NEST}I[i, j] = n[0, j]",
    "a row of floats": f"{NEST}I[i, j] = T.Cast('int32', f[0, j])",
    "vectors among themselves": "for j in T.parallel(64): v[0, j] = v[0, j] + v[0, j]",
    "a copy": "copy(v, v)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(WidenVectors(), scripted(body, **BUFFERS))
