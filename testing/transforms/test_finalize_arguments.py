"""FinalizeArguments: the arguments of a kernel, in the order in which the host passes them."""

from helpers import assert_same, planned, scripted, shared, tensor

from tilelang_tt.ir.frame import Frame
from tilelang_tt.transforms.finalize_arguments import (
    ACCESSORS,
    CBS,
    COMMON,
    KERNEL_GROUPS,
    TAKEN,
    FinalizeArguments,
)

OWN = {"tt.core_args": ["first", "count"]}
SCALARS, SYMBOLS = ["p", "first", "count"], ["m", "n"]
BUFFERS = {
    "A": tensor(64, "n"),
    "B": tensor("m", "n"),
    "C": tensor(64, 64),
    "S": shared(32, 32),
    "R": shared(32, 32),
    "Q": shared(32, 32),
}


def arguments(body, **plan):
    before = planned(
        scripted(body, scalars=SCALARS, symbols=SYMBOLS, attributes=OWN, **BUFFERS), **plan
    )
    after = FinalizeArguments().rewrite(before)
    assert_same(FinalizeArguments().rewrite(after), after)
    bare = after
    for key in (CBS, KERNEL_GROUPS, TAKEN, ACCESSORS, COMMON):
        bare = bare.without_attr(key)
    assert_same(bare, before)
    frame = Frame.of(after)
    names = {buffer.data: buffer.name for buffer in (*frame.buffers, *frame.tensors)}
    return tuple(
        [names.get(var, var.name) for var in after.attrs[key]] for key in (CBS, ACCESSORS, COMMON)
    )


def test_only_what_is_used_is_passed():
    body = "T.noc_read(B.data, 0, R.data, 0)"
    assert arguments(body) == (["R"], ["B"], ["B"])


def test_circular_buffers_are_in_the_order_of_their_indices():
    body = "T.noc_read(C.data, 0, Q.data, 0); T.noc_read(C.data, 0, S.data, 0)"
    assert arguments(body)[0] == ["S", "Q"]
    plan = {"S": {"index": 2}, "R": {"index": 1}, "Q": {"index": 0}}
    assert arguments(body, **plan)[0] == ["Q", "S"]


def test_tensors_come_before_dimensions_and_dimensions_before_scalars():
    body = (
        "for k in T.serial(first, first + count):\n"
        "    T.noc_read(B.data, k * n + m, S.data, 0)\n"
        "    T.noc_read(A.data, p, S.data, 0)"
    )
    cbs, accessors, common = arguments(body)
    assert (cbs, accessors) == (["S"], ["A", "B"])
    assert common == ["A", "B", "n", "m", "p"]


def test_the_share_of_the_core_is_no_common_argument():
    assert arguments("for k in T.serial(first, first + count): T.comment('x')") == ([], [], [])


def test_the_groups_of_a_kernel_are_those_it_sends_to_or_receives_from():
    body = (
        "T.multicast_receive('column')\n"
        "T.multicast_send('all', S.data, 1)\n"
        "T.multicast_receive('column')"
    )
    func = planned(scripted(body, scalars=SCALARS, symbols=SYMBOLS, attributes=OWN, **BUFFERS))
    groups = FinalizeArguments().rewrite(func).attrs[KERNEL_GROUPS]
    assert [str(group) for group in groups] == ["column", "all"]


def test_peers_are_groups_too_and_come_last():
    body = "T.part_receive('children', 0, S.data)\nT.multicast_receive('all')"
    func = planned(scripted(body, scalars=SCALARS, symbols=SYMBOLS, attributes=OWN, **BUFFERS))
    groups = FinalizeArguments().rewrite(func).attrs[KERNEL_GROUPS]
    assert [str(group) for group in groups] == ["all", "children"]


def test_tensors_that_are_taken_are_in_the_order_of_the_parameters():
    body = "T.tensor_give(C.data); T.tensor_take(A.data); T.tensor_take(C.data)"
    func = planned(scripted(body, scalars=SCALARS, symbols=SYMBOLS, attributes=OWN, **BUFFERS))
    taken = FinalizeArguments().rewrite(func).attrs[TAKEN]
    assert [tensor.name for tensor in taken] == ["A", "C"]
