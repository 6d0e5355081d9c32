"""MaterializeBroadcasts: 16-bit vectors reach 32-bit registers through the matrix unit."""

import pytest
from helpers import check, check_unchanged, scripted, shared

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.materialize_broadcasts import MaterializeBroadcasts


def test_a_vector_is_added_to_a_tile_of_zeros():
    @T.prim_func(private=True)
    def before(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            C = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            v = T.sblock_alloc_buffer((1, 64), "bfloat16", scope="shared.dyn")
            o = T.sblock_alloc_buffer((64, 64), "float32", scope="shared.dyn")
            for _ in range(n):
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        o[i, j] = T.max(C[i, j], T.Cast("float32", v[0, j]))

    @T.prim_func(private=True)
    def expected(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            C = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            v = T.sblock_alloc_buffer((1, 64), "bfloat16", scope="shared.dyn")
            o = T.sblock_alloc_buffer((64, 64), "float32", scope="shared.dyn")
            v_zero = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            for i in T.parallel(32):
                for j in T.parallel(32):
                    v_zero[i, j] = T.bfloat16(0)
            for _ in range(n):
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        o[i, j] = T.max(
                            C[i, j], T.Cast("float32", v_zero[i % 32, j % 32] + v[0, j])
                        )

    check(MaterializeBroadcasts(), before, expected)


BUFFERS = {
    "S": shared(64, 64),
    "F": shared(64, 64, dtype="float32"),
    "O": shared(64, 64),
    "V": shared(1, 64),
    "W": shared(1, 64),
    "C": shared(64, 1),
    "E": shared(1, 1),
    "U": shared(1, 64, dtype="float32"),
    "D": shared(64, 1, dtype="float32"),
    "H": shared(64, 1, dtype="float16"),
}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64): "
ZERO = "for i in T.parallel(32):\n    for j in T.parallel(32): V_zero[i, j] = T.bfloat16(0)\n"


def function(body, is_fp32=True, **more):
    return scripted(body, attributes={"tt.fp32_dest_acc": is_fp32}, **BUFFERS, **more)


def test_one_tile_of_zeros_serves_all_vectors_of_a_dtype():
    before = f"{NEST}O[i, j] = S[i, j] / V[0, j]\n{NEST}O[i, j] = W[0, j] / S[i, j]"
    row = "V_zero[i % 32, j % 32] + {}[0, j]"
    after = (
        f"{ZERO}{NEST}O[i, j] = S[i, j] / ({row.format('V')})\n"
        f"{NEST}O[i, j] = ({row.format('W')}) / S[i, j]"
    )
    check(MaterializeBroadcasts(), function(before), function(after, V_zero=shared(32, 32)))


def test_the_name_of_the_zeros_is_free():
    body = f"{NEST}O[i, j] = S[i, j] / V[0, j]"
    after = f"{ZERO}{NEST}O[i, j] = S[i, j] / (V_zero[i % 32, j % 32] + V[0, j])"
    taken = {"V_zero": shared(32, 32)}
    check(
        MaterializeBroadcasts(),
        function(body, **taken),
        function(after.replace("V_zero", "V_zero_1"), **taken, V_zero_1=shared(32, 32)),
    )


VECTORS = {
    "a column": ("C", "C[i, 0]"),
    "an element": ("E", "E[0, 0]"),
    "a row": ("V", "V[0, j]"),
}


@pytest.mark.parametrize("name, load", VECTORS.values(), ids=VECTORS)
def test_every_vector(name, load):
    before = f"{NEST}O[i, j] = {load} / S[i, j]"
    after = f"{ZERO}{NEST}O[i, j] = (V_zero[i % 32, j % 32] + {load}) / S[i, j]"
    zero = f"{name}_zero"
    check(
        MaterializeBroadcasts(),
        function(before),
        function(after.replace("V_zero", zero), **{zero: shared(32, 32)}),
    )


def test_each_dtype_has_zeros_of_its_own():
    before = f"{NEST}O[i, j] = S[i, j] / V[0, j]\n{NEST}F[i, j] = F[i, j] / T.float32(H[i, 0])"
    half = "for i in T.parallel(32):\n    for j in T.parallel(32): H_zero[i, j] = T.float16(0)\n"
    after = (
        f"{ZERO}{half}{NEST}O[i, j] = S[i, j] / (V_zero[i % 32, j % 32] + V[0, j])\n"
        f"{NEST}F[i, j] = F[i, j] / T.float32(H_zero[i % 32, j % 32] + H[i, 0])"
    )
    zeros = {"V_zero": shared(32, 32), "H_zero": shared(32, 32, dtype="float16")}
    check(MaterializeBroadcasts(), function(before), function(after, **zeros))


def test_a_vector_among_narrow_and_wide_ones():
    before = f"{NEST}F[i, j] = T.float32(C[i, 0]) / U[0, j]"
    after = f"{NEST}F[i, j] = T.float32(V_zero[i % 32, j % 32] + C[i, 0]) / U[0, j]"
    check(
        MaterializeBroadcasts(),
        function(before),
        function((ZERO + after).replace("V_zero", "C_zero"), C_zero=shared(32, 32)),
    )


def test_a_vector_for_each_of_a_batch():
    loops = (
        "for b in T.parallel(2):\n    for i in T.parallel(64):\n        for j in T.parallel(64): "
    )
    batch = {"X": shared(2, 64, 64), "Y": shared(2, 64, 1)}
    after = f"{loops}X[b, i, j] = X[b, i, j] / (V_zero[i % 32, j % 32] + Y[b, i, 0])"
    check(
        MaterializeBroadcasts(),
        function(f"{loops}X[b, i, j] = X[b, i, j] / Y[b, i, 0]", **batch),
        function((ZERO + after).replace("V_zero", "Y_zero"), **batch, Y_zero=shared(32, 32)),
    )


UNTOUCHED = {
    "a row that the matrix unit adds itself": "O[i, j] = S[i, j] + V[0, j]",
    "a column that the matrix unit subtracts itself": "O[i, j] = S[i, j] - C[i, 0]",
    "an element that the matrix unit multiplies itself": "O[i, j] = S[i, j] * E[0, 0]",
    "a row of 32 bits": "F[i, j] = F[i, j] / U[0, j]",
    "a column of 32 bits": "F[i, j] = F[i, j] / D[i, 0]",
    "no vector": "O[i, j] = S[i, j] / S[i, j]",
}


@pytest.mark.parametrize("store", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(store):
    check_unchanged(MaterializeBroadcasts(), function(NEST + store))


def test_16_bit_registers_need_nothing():
    body = f"{NEST}O[i, j] = S[i, j] / V[0, j]"
    check_unchanged(MaterializeBroadcasts(), function(body, is_fp32=False))


def test_vectors_among_themselves_are_no_broadcasts():
    body = "for j in T.parallel(64): V[0, j] = V[0, j] / W[0, j]"
    check_unchanged(MaterializeBroadcasts(), function(body))
