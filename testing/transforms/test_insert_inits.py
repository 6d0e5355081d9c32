"""InsertInits: every operation of the compute engine finds the state it needs."""

import pytest
from helpers import assert_same, check_unchanged, fragment, planned, scripted, shared

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.insert_inits import InsertInits


def test_one_setup_serves_a_loop():
    @T.prim_func(private=True)
    def before(n: T.int32):
        with T.sblock("tilelang_root"):
            A = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            B = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            C = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            for _ in range(n):
                T.tile_regs_acquire()
                T.add_tiles(A.data, B.data, 0, 0, 0)
                T.tile_regs_commit()
                T.pack_tile(0, C.data, 0)

    @T.prim_func(private=True)
    def expected(n: T.int32):
        with T.sblock("tilelang_root"):
            A = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            B = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            C = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            T.compute_kernel_hw_startup(A.data, B.data, C.data)
            T.add_init(A.data, B.data)
            for _ in range(n):
                T.tile_regs_acquire()
                T.add_tiles(A.data, B.data, 0, 0, 0)
                T.tile_regs_commit()
                T.pack_tile(0, C.data, 0)

    assert_same(InsertInits().rewrite(planned(before)), planned(expected))


BUFFERS = {
    "A": shared(32, 32),
    "B": shared(32, 32),
    "C": shared(32, 32),
    "F": fragment(32, 32, dtype="float32"),
    "G": fragment(32, 32, dtype="float32"),
}
PLAN = {"G": {"unpack_to_dest": True}}
START = "T.compute_kernel_hw_startup(A.data, A.data, C.data)\n"
COPY_A, COPY_B = "T.copy_tile(A.data, 0, 0)\n", "T.copy_tile(B.data, 0, 0)\n"
INIT_A = "T.copy_init(A.data)\n"
COPY_F, INIT_F = "T.copy_tile(F.data, 0, 0)\n", "T.copy_init(F.data)\n"
SRC_F, SRC_A = "T.reconfig_data_format_srca(F.data)\n", "T.reconfig_data_format_srca(A.data)\n"
PACK = "T.pack_tile(0, C.data, 0)\n"
PACK_F, TO_F = "T.pack_tile(0, F.data, 0)\n", "T.pack_reconfig_data_format(F.data)\n"
TO_C = "T.pack_reconfig_data_format(C.data)\n"
EXP, EXP_INIT = "T.exp_tile(0)\n", "T.exp_tile_init()\n"
SQRT, SQRT_INIT = "T.sqrt_tile(0)\n", "T.sqrt_tile_init()\n"
MATMUL = "T.matmul_block(A.data, B.data, 0, 0, 0, 0, 1, 1, 1)\n"
MATMUL_INIT = "T.matmul_block_init(A.data, B.data, 0, 1, 1, 1)\n"


def nested(head, *parts):
    return head + "\n" + "".join("    " + part for part in parts)


SETUPS = {
    "an operation that needs no other set-up": (
        COPY_A + COPY_A + PACK,
        START + INIT_A + COPY_A + COPY_A + PACK,
    ),
    "another buffer of the same format": (
        COPY_A + COPY_B + PACK,
        START + INIT_A + COPY_A + COPY_B + PACK,
    ),
    "a buffer of another format": (
        COPY_A + COPY_F + COPY_A + PACK,
        START + INIT_A + COPY_A + SRC_F + INIT_F + COPY_F + SRC_A + INIT_A + COPY_A + PACK,
    ),
    "a buffer that is unpacked another way": (
        "T.copy_tile(G.data, 0, 0)\n" + COPY_F + PACK,
        "T.compute_kernel_hw_startup(G.data, G.data, C.data)\nT.copy_init(G.data)\n"
        "T.copy_tile(G.data, 0, 0)\n" + SRC_F + INIT_F + COPY_F + PACK,
    ),
    "a result of another format": (
        COPY_A + PACK + PACK_F + PACK,
        START + INIT_A + COPY_A + PACK + TO_F + PACK_F + TO_C + PACK,
    ),
    "the vector unit has a state of its own": (
        COPY_A + EXP + COPY_A + EXP + SQRT + PACK,
        START + INIT_A + COPY_A + EXP_INIT + EXP + COPY_A + EXP + SQRT_INIT + SQRT + PACK,
    ),
    "a product starts with its operands reversed": (
        MATMUL + PACK,
        "T.compute_kernel_hw_startup_reverse(A.data, B.data, C.data)\n"
        + MATMUL_INIT
        + MATMUL
        + PACK,
    ),
    "products of different shapes": (
        MATMUL + "T.matmul_block(A.data, B.data, 0, 0, 0, 0, 2, 1, 1)\n" + PACK,
        "T.compute_kernel_hw_startup_reverse(A.data, B.data, C.data)\n"
        + MATMUL_INIT
        + MATMUL
        + "T.matmul_block_init(A.data, B.data, 0, 2, 1, 1)\n"
        + "T.matmul_block(A.data, B.data, 0, 0, 0, 0, 2, 1, 1)\n"
        + PACK,
    ),
    "a row of B reads its second source": (
        "T.unary_bcast_row(B.data, 0, 0)\n" + PACK,
        "T.compute_kernel_hw_startup(B.data, B.data, C.data)\nT.unary_bcast_row_init(B.data)\n"
        "T.unary_bcast_row(B.data, 0, 0)\n" + PACK,
    ),
    "nothing is unpacked": (
        "T.fill_tile_bitcast(0, T.float_bits(T.float32(1)))\n" + PACK,
        "T.compute_kernel_hw_startup(C.data, C.data, C.data)\nT.fill_tile_init()\n"
        "T.fill_tile_bitcast(0, T.float_bits(T.float32(1)))\n" + PACK,
    ),
    "accumulation is about the packer": (
        COPY_A + PACK + "T.pack_reconfig_l1_acc(F.data, 1)\n" + PACK_F,
        START + INIT_A + COPY_A + PACK + TO_F + "T.pack_reconfig_l1_acc(F.data, 1)\n" + PACK_F,
    ),
    "a loop with one set-up": (
        nested("for k in range(n):", COPY_A, EXP, PACK),
        START + INIT_A + EXP_INIT + nested("for k in range(n):", COPY_A, EXP, PACK),
    ),
    "a loop with several set-ups": (
        nested("for k in range(n):", COPY_A, EXP, SQRT, PACK),
        START + INIT_A + nested("for k in range(n):", COPY_A, EXP_INIT, EXP, SQRT_INIT, SQRT, PACK),
    ),
    "a loop that needs two formats": (
        nested("for k in range(n):", COPY_A, COPY_F, PACK),
        START + nested("for k in range(n):", SRC_A, INIT_A, COPY_A, SRC_F, INIT_F, COPY_F, PACK),
    ),
    "a loop in a loop": (
        nested("for i in range(n):", "for k in range(n):\n", "    " + COPY_A) + PACK,
        START
        + INIT_A
        + nested("for i in range(n):", "for k in range(n):\n", "    " + COPY_A)
        + PACK,
    ),
    "after a loop that may not have run": (
        COPY_A + nested("for k in range(n):", COPY_F) + COPY_A + PACK,
        START
        + INIT_A
        + COPY_A
        + SRC_F
        + INIT_F
        + nested("for k in range(n):", COPY_F)
        + SRC_A
        + INIT_A
        + COPY_A
        + PACK,
    ),
    "a branch": (
        COPY_A + nested("if n == 0:", EXP) + EXP + PACK,
        START + INIT_A + COPY_A + nested("if n == 0:", EXP_INIT, EXP) + EXP_INIT + EXP + PACK,
    ),
    "a branch that changes nothing": (
        COPY_A + EXP + nested("if n == 0:", EXP) + EXP + PACK,
        START + INIT_A + COPY_A + EXP_INIT + EXP + nested("if n == 0:", EXP) + EXP + PACK,
    ),
    "a branch that changes what was set": (
        COPY_A + EXP + nested("if n == 0:", SQRT) + EXP + PACK,
        START
        + INIT_A
        + COPY_A
        + EXP_INIT
        + EXP
        + nested("if n == 0:", SQRT_INIT, SQRT)
        + EXP_INIT
        + EXP
        + PACK,
    ),
    "both sides of a branch": (
        COPY_A + nested("if n == 0:", EXP) + nested("else:", SQRT) + EXP + PACK,
        START
        + INIT_A
        + COPY_A
        + nested("if n == 0:", EXP_INIT, EXP)
        + nested("else:", SQRT_INIT, SQRT)
        + EXP_INIT
        + EXP
        + PACK,
    ),
}


def function(body):
    return planned(scripted(body, scalars=["n"], **BUFFERS), **PLAN)


@pytest.mark.parametrize("before, expected", SETUPS.values(), ids=SETUPS)
def test_setup(before, expected):
    assert_same(InsertInits().rewrite(function(before)), function(expected))


def test_a_kernel_that_packs_nothing_stays_empty():
    check_unchanged(InsertInits(), function("T.comment('nothing')"))


def test_bytes_need_the_format_of_the_other_source_too():
    integers = "T.copy_tile(I.data, 0, 0)\n"
    turned = "T.transpose_tile(I.data, 0, 0)\n"
    expected = (
        "T.compute_kernel_hw_startup(I.data, I.data, C.data)\nT.copy_init(I.data)\n"
        + integers
        + SRC_A
        + "T.reconfig_data_format_srcb(A.data)\n"
        + INIT_A
        + COPY_A
        + "T.reconfig_data_format_srca(I.data)\nT.reconfig_data_format_srcb(I.data)\n"
        + "T.transpose_init(I.data)\n"
        + turned
        + PACK
    )
    buffers = {**BUFFERS, "I": shared(32, 32, dtype="int8")}
    before = planned(scripted(integers + COPY_A + turned + PACK, **buffers), **PLAN)
    assert_same(InsertInits().rewrite(before), planned(scripted(expected, **buffers), **PLAN))
