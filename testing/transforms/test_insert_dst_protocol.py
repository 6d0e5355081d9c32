"""InsertDstProtocol: the destination registers go from the matrix unit to the packer and back."""

import pytest
from helpers import check, check_unchanged, scripted, shared

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.insert_dst_protocol import InsertDstProtocol


def test_math_acquires_and_commits_then_the_packer_waits_and_releases():
    @T.prim_func(private=True)
    def before():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            for k in range(2):
                with T.attr(0, "tt.dst_section", "math, then pack"):
                    T.copy_tile(A_s.data, k, 0)
                    for t in range(2):
                        T.exp_tile(t)
                    for t in range(2):
                        T.pack_tile(t, B_s.data, t)
                    T.pack_tile(0, B_s.data, 2)

    @T.prim_func(private=True)
    def expected():
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            for k in range(2):
                T.tile_regs_acquire()
                T.copy_tile(A_s.data, k, 0)
                for t in range(2):
                    T.exp_tile(t)
                T.tile_regs_commit()
                T.tile_regs_wait()
                for t in range(2):
                    T.pack_tile(t, B_s.data, t)
                T.pack_tile(0, B_s.data, 2)
                T.tile_regs_release()

    check(InsertDstProtocol(), before, expected)


def test_every_section_has_a_turn():
    section = (
        "with T.attr(0, 'tt.dst_section', ''):\n    T.exp_tile(0); T.pack_tile(0, S.data, 0)\n"
    )
    turn = (
        "T.tile_regs_acquire(); T.exp_tile(0); T.tile_regs_commit(); T.tile_regs_wait();"
        "T.pack_tile(0, S.data, 0); T.tile_regs_release()\n"
    )
    check(
        InsertDstProtocol(),
        scripted(section * 2, S=shared(32, 32)),
        scripted(turn * 2, S=shared(32, 32)),
    )


@pytest.mark.parametrize(
    "body",
    ["with T.attr(0, 'tt.engine', 'compute'): T.exp_tile(0)", "T.pack_reconfig_l1_acc(S.data, 0)"],
)
def test_untouched(body):
    check_unchanged(InsertDstProtocol(), scripted(body, S=shared(32, 32)))


def test_pages_may_be_handed_over_inside():
    section = (
        "with T.attr(0, 'tt.dst_section', ''):\n    T.exp_tile(0); T.cb_reserve_back(S.data, 1);"
        " T.pack_tile(0, S.data, 0); T.cb_push_back(S.data, 1)"
    )
    turn = (
        "T.tile_regs_acquire(); T.exp_tile(0); T.cb_reserve_back(S.data, 1); T.tile_regs_commit();"
        "T.tile_regs_wait(); T.pack_tile(0, S.data, 0); T.cb_push_back(S.data, 1);"
        "T.tile_regs_release()"
    )
    before, expected = (scripted(text, S=shared(32, 32)) for text in (section, turn))
    check(InsertDstProtocol(), before, expected)


def test_math_after_packing_is_a_fault_of_the_compiler():
    body = "with T.attr(0, 'tt.dst_section', ''):\n    T.pack_tile(0, S.data, 0); T.exp_tile(0)"
    with pytest.raises(AssertionError):
        InsertDstProtocol().rewrite(scripted(body, S=shared(32, 32)))
