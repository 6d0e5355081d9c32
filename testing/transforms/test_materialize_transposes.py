"""MaterializeTransposes: a transposed first operand of a product is transposed on the chip."""

import pytest
from helpers import check, check_unchanged, fragment, gemm, scripted, shared, transpose

from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.materialize_transposes import MaterializeTransposes


def test_a_transposed_first_operand_gets_a_transposed_copy():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((96, 32), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 96), "float32", scope="local.fragment")
            for k in range(4):
                gemm(A_s, B_s, C_l, transpose_a=True, transpose_b=True, clear=k == 0)

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((96, 32), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 96), "float32", scope="local.fragment")
            A_s_t = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            for k in range(4):
                transpose(A_s, A_s_t)
                gemm(A_s_t, B_s, C_l, transpose_b=True, clear=k == 0)

    check(MaterializeTransposes(), before, expected)


BUFFERS = {
    "A_s": shared(64, 64),
    "A_s_t": shared(64, 64),
    "C_l": fragment(64, 64, dtype="float32"),
}


def test_each_product_gets_a_name_of_its_own():
    body = "gemm(A_s, A_s, C_l, transpose_a=True); gemm(A_s, A_s, C_l, transpose_a=True)"
    new = """
        transpose(A_s, A_s_t_1)
        gemm(A_s_t_1, A_s, C_l)
        transpose(A_s, A_s_t_2)
        gemm(A_s_t_2, A_s, C_l)
    """
    check(
        MaterializeTransposes(),
        scripted(body, **BUFFERS),
        scripted(new, **BUFFERS, A_s_t_1=shared(64, 64), A_s_t_2=shared(64, 64)),
    )
    after = MaterializeTransposes().rewrite(scripted(body, **BUFFERS))
    names = [buffer.name for buffer in Frame.of(after).buffers]
    assert names == [*BUFFERS, "A_s_t_1", "A_s_t_2"]


def test_leading_dimensions_stay():
    before = "gemm(A_s, A_s, C_l, transpose_a=True)"
    after = "transpose(A_s, A_s_t); gemm(A_s_t, A_s, C_l)"
    buffers = {"A_s": shared(1, 64, 64), "C_l": BUFFERS["C_l"]}
    check(
        MaterializeTransposes(),
        scripted(before, **buffers),
        scripted(after, **buffers, A_s_t=shared(1, 64, 64)),
    )


@pytest.mark.parametrize(
    "body",
    ["gemm(A_s, A_s, C_l)", "gemm(A_s, A_s, C_l, transpose_b=True)", "transpose(A_s, A_s_t)"],
)
def test_untouched(body):
    check_unchanged(MaterializeTransposes(), scripted(body, **BUFFERS))
