"""SeparateConsumers: what is computed with and also stored is copied for the writer."""

import pytest
from helpers import check, check_unchanged, copy, fragment, scripted, shared, tensor, way

from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.separate_consumers import SeparateConsumers


def test_the_writer_gets_a_copy():
    @T.prim_func(private=True)
    def before(A: T.Buffer((64, 64), "float16"), D: T.Buffer((64, 64), "float16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "float16", scope="shared.dyn")
            C_s = T.sblock_alloc_buffer((64, 64), "float16", scope="shared.dyn")
            copy(A, A_s)
            for i in T.parallel(64):
                for j in T.parallel(64):
                    C_s[i, j] = A_s[i, j] * T.float16(2)
            copy(A_s, D)

    @T.prim_func(private=True)
    def expected(A: T.Buffer((64, 64), "float16"), D: T.Buffer((64, 64), "float16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "float16", scope="shared.dyn")
            C_s = T.sblock_alloc_buffer((64, 64), "float16", scope="shared.dyn")
            A_s_out = T.sblock_alloc_buffer((64, 64), "float16", scope="shared.dyn")
            copy(A, A_s)
            for i in T.parallel(64):
                for j in T.parallel(64):
                    C_s[i, j] = A_s[i, j] * T.float16(2)
            for i in T.parallel(64):
                for j in T.parallel(64):
                    A_s_out[i, j] = A_s[i, j]
            copy(A_s_out, D)

    check(SeparateConsumers(), before, expected, idempotent=False)


BUFFERS = {
    "A": tensor(64, 64),
    "D": tensor(64, 64),
    "S": shared(64, 64),
    "S_out": shared(64, 64),
    "L": fragment(64, 64, dtype="float32"),
}
UP = way(64, 64, dtype="float32")
COPY = "for i in T.parallel(64):\n    for j in T.parallel(64): {}[i, j] = S[i, j]\n"


@pytest.mark.parametrize("use", ["gemm(S, S, L, clear=True)", "transpose(S, S_out)"])
def test_every_computation_counts(use):
    after = f"copy(A, S); {use}\n{COPY.format('S_out_1')}copy(S_out_1, D)"
    check(
        SeparateConsumers(),
        scripted(f"copy(A, S); {use}; copy(S, D)", **BUFFERS),
        scripted(after, **BUFFERS, S_out_1=shared(64, 64)),
        idempotent=False,
    )


def test_an_accumulator_that_is_loaded_gets_a_copy_of_what_is_loaded():
    after = f"copy(A, L_in)\n{COPY.replace('S[', 'L_in[').format('L')}gemm(S, S, L); copy(L, D)"
    buffers = {**BUFFERS, "L": fragment(64, 64)}
    check(
        SeparateConsumers(),
        scripted("copy(A, L); gemm(S, S, L); copy(L, D)", **buffers),
        scripted(after, **buffers, L_in=fragment(64, 64)),
    )


def test_a_copy_between_cores_stays_one():
    nest, copied = (COPY.replace("S[", "L[").format(name) for name in ("S_out", "L_out"))
    check(
        SeparateConsumers(),
        scripted(f"{nest}copy(L, up[0, 0:64, 0:64], 'parent')", up=UP, **BUFFERS),
        scripted(
            f"{nest}{copied}copy(L_out, up[0, 0:64, 0:64], 'parent')",
            **BUFFERS,
            L_out=fragment(64, 64, dtype="float32"),
            up=UP,
        ),
    )


def test_new_names_do_not_clash():
    body = "copy(A, S); transpose(S, S_out); copy(S, D); copy(S, D)"
    after = SeparateConsumers().rewrite(scripted(body, **BUFFERS))
    names = [buffer.name for buffer in Frame.of(after).buffers]
    assert names == ["S", "S_out", "L", "S_out_1", "S_out_2"]


ONTO = """
for i in T.parallel(64):
    for j in T.parallel(64): L[i, j] = T.float32(2)
onto(L); gemm(S, S, L); end(L); copy(L, D)
"""

UNTOUCHED = {
    "an accumulator that is stored": "gemm(S, S_out, L); copy(L, D)",
    "a buffer that is only stored": "copy(A, S); copy(S, D)",
    "a buffer that is only computed with": "copy(A, S); gemm(S, S, L, clear=True)",
    "a result that is only stored": "gemm(S, S_out, L, clear=True); copy(L, D)",
    "a result that more is added to": ONTO,
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(SeparateConsumers(), scripted(body, **BUFFERS))
