"""CoalesceReads: the reads of neighbouring blocks are in flight together."""

import pytest
from helpers import check, check_unchanged, scripted, shared, tensor

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.coalesce_reads import CoalesceReads


def test_two_blocks_share_a_barrier():
    @T.prim_func(private=True)
    def before(A: T.Buffer((64, 64), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            for k in range(4):
                T.cb_reserve_back(A_s.data, 1)
                T.noc_read(A.data, k, A_s.data, 0)
                T.noc_read_barrier()
                T.cb_push_back(A_s.data, 1)
                T.cb_reserve_back(B_s.data, 1)
                for t in range(1):
                    T.noc_read(A.data, t, B_s.data, 0)
                T.noc_read_barrier()
                T.cb_push_back(B_s.data, 1)

    @T.prim_func(private=True)
    def expected(A: T.Buffer((64, 64), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            for k in range(4):
                T.cb_reserve_back(A_s.data, 1)
                T.noc_read(A.data, k, A_s.data, 0)
                T.cb_reserve_back(B_s.data, 1)
                for t in range(1):
                    T.noc_read(A.data, t, B_s.data, 0)
                T.noc_read_barrier()
                T.cb_push_back(A_s.data, 1)
                T.cb_push_back(B_s.data, 1)

    check(CoalesceReads(), before, expected)


BUFFERS = {"A": tensor(64, 64), "S": shared(32, 32), "R": shared(32, 32)}


def block(cb):
    return (
        f"T.cb_reserve_back({cb}.data, 1); T.noc_read(A.data, 0, {cb}.data, 0);"
        f"T.noc_read_barrier(); T.cb_push_back({cb}.data, 1)\n"
    )


UNTOUCHED = {
    "one block": block("S"),
    "a loop over blocks": "for k in range(2):\n    " + block("S"),
    "blocks before a loop over blocks": block("S") + "for k in range(2):\n    " + block("R"),
    "blocks after a loop over blocks": "for k in range(2):\n    " + block("R") + block("S"),
    "blocks before and after a part of another core": block("S")
    + "T.part_receive('children', 0, R.data)\n"
    + block("R"),
    "blocks before and after taking a tensor": block("S") + "T.tensor_take(A.data)\n" + block("R"),
    "blocks before and after a number for the compute engine": block("S")
    + "T.give_scalar(R.data, T.int32(3))\n"
    + block("R"),
    "nothing": "T.evaluate(0)",
    "no blocks": "T.comment('x')",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(CoalesceReads(), scripted(body, **BUFFERS))


def test_a_branch_that_hands_over_blocks_comes_after_the_barrier():
    body = block("S") + "if n == 0:\n    " + block("R")
    check_unchanged(CoalesceReads(), scripted(body, scalars=["n"], **BUFFERS))
