"""PlanCircularBuffers: index, pages, depth and order of the circular buffer of every buffer."""

import dataclasses
import textwrap

import pytest
from helpers import DEVICE, asked, assert_same, fragment, scripted, shared, tensor, way

from tilelang_tt.analysis.schedule import Machine
from tilelang_tt.diagnostics import (
    BadOption,
    DepthTooSmall,
    DirectiveRefused,
    L1Overflow,
    TooManyCircularBuffers,
)
from tilelang_tt.ir import attrs
from tilelang_tt.ir.frame import Frame
from tilelang_tt.transforms.assign_engines import AssignEngines
from tilelang_tt.transforms.plan_circular_buffers import PlanCircularBuffers

MACHINE = Machine(DEVICE, phases=4, cores=64)
PLAN = PlanCircularBuffers(MACHINE)
TILE = 32 * 32 * 2
FILLED = "one block is filled while another is emptied"
NEST = "for i in T.parallel({0}):\n    for j in T.parallel({0}): {1}\n"


def assigned(body, is_fp32=False, **buffers):
    func = scripted(body, attributes={"tt.fp32_dest_acc": is_fp32}, **buffers)
    return AssignEngines().rewrite(func)


def again(body, times=4):
    """The program in a loop."""
    return f"for turn in T.serial({times}):\n" + textwrap.indent(body, "    ")


def plan(body, pass_=PLAN, is_fp32=False, **buffers):
    """The circular buffers of a program, by name."""
    frame = Frame.of(pass_.rewrite(assigned(body, is_fp32, **buffers)))
    planned = attrs.circular_buffers(frame)
    return {buffer.name: planned[buffer.data] for buffer in frame.buffers}


def product(clear="k == 0", transpose_b="False", stages=None):
    note = f", annotations={{'num_stages': {stages}}}" if stages else ""
    return (
        f"for k in T.serial(4{note}):\n"
        "    copy(A[0:64, k * 32 : k * 32 + 32], A_s)\n"
        "    copy(B, B_s)\n"
        f"    gemm(A_s, B_s, C_l, transpose_b={transpose_b}, clear={clear})\n"
        + NEST.format(64, "C_s[i, j] = C_l[i, j]")
        + "copy(C_s, C)"
    )


GEMM = {
    "A": tensor(64, 128),
    "B": tensor(32, 64),
    "C": tensor(64, 64),
    "A_s": shared(64, 32),
    "B_s": shared(32, 64),
    "C_l": fragment(64, 64, dtype="float32"),
    "C_s": shared(64, 64),
}


def test_the_plan_of_a_product():
    found = plan(again(product()), is_fp32=True, **GEMM)
    assert {
        name: (cb.index, cb.pages, cb.depth, cb.producer, cb.consumer, cb.unpack_to_dest)
        for name, cb in found.items()
    } == {
        "A_s": (0, 2, 2, "reader", "compute", False),
        "B_s": (1, 2, 2, "reader", "compute", False),
        "C_l": (2, 4, 1, "compute", "compute", True),
        "C_s": (3, 4, 2, "compute", "writer", False),
    }
    assert {cb.least_depth for cb in found.values()} == {1}
    assert found["A_s"].reason.startswith(FILLED)
    assert found["C_s"].reason.startswith(FILLED)
    assert found["C_l"].reason == "producer and consumer take turns"


def test_the_rest_of_the_function_stays():
    before = assigned(product(), True, **GEMM)
    after = PLAN.rewrite(before)
    frame = Frame.of(after)
    assert set(frame.annotations) == {attrs.CIRCULAR_BUFFERS}
    assert_same(frame.build(annotations={}).without_attr(attrs.SCHEDULE), before)
    assert_same(PLAN.rewrite(after), after)


def test_inputs_come_first_and_outputs_last():
    body = NEST.format(64, "M[i, j] = S[i, j] * S[i, j]") + NEST.format(64, "O[i, j] = M[i, j]")
    found = plan(
        f"copy(A, S)\n{body}copy(O, C)",
        A=tensor(64, 64),
        C=tensor(64, 64),
        O=shared(64, 64),
        M=shared(64, 64),
        S=shared(64, 64),
    )
    assert {name: cb.index for name, cb in found.items()} == {"S": 0, "M": 1, "O": 2}


@pytest.mark.parametrize(
    "stages, depth, reason",
    [
        (None, 2, FILLED),
        (1, 2, FILLED),
        (2, 2, FILLED),
        (3, 3, "num_stages=3"),
        (5, 5, "num_stages=5"),
    ],
)
def test_depth_follows_the_stages_of_the_loop(stages, depth, reason):
    found = plan(again(product(stages=stages)), is_fp32=True, **GEMM)
    assert found["A_s"].depth == depth
    assert found["A_s"].reason.startswith(reason)
    assert found["C_l"].depth == 1  # turns, whatever the loop says
    assert found["C_s"].depth == 2  # written outside of the loop


def test_what_is_accumulated_onto_goes_to_the_writer_like_any_result():
    found = plan(
        again(
            NEST.format(64, "L[i, j] = T.bfloat16(2)")
            + "copy(A, S); onto(L); gemm(S, S, L); end(L); copy(L, C)"
        ),
        A=tensor(64, 64),
        C=tensor(64, 64),
        S=shared(64, 64),
        L=shared(64, 64),
    )
    assert found["L"].depth == 2


@pytest.mark.parametrize("stages, depth", [(2, 3), (4, 4)])
def test_a_block_that_is_sent_to_other_cores_has_one_more_on_the_way(stages, depth):
    body = (
        f"for k in T.serial(2, annotations={{'num_stages': {stages}}}):\n"
        "    copy(A, S, 'row', 'reader')\n"
        "    copy(A, R)\n"
        "copy(S, C)\ncopy(R, C)"
    )
    tensors = {"A": tensor(64, 64), "C": tensor(64, 64)}
    found = plan(body, **tensors, S=shared(64, 64), R=shared(64, 64))
    assert {name: cb.depth for name, cb in found.items()} == {"S": depth, "R": stages}


def test_what_another_core_writes_is_one_block_deep():
    body = (
        "for k in T.serial(2, annotations={'num_stages': 4}):\n"
        "    copy(up[0, 0:64, 0:64], S, 'children')\n"
        "copy(S, C)"
    )
    found = plan(body, C=tensor(64, 64), S=shared(64, 64), up=way(64, 64))
    assert (found["S"].depth, found["S"].reason) == (
        1,
        "another core writes it, which must know where",
    )


def test_what_another_core_writes_cannot_be_deeper():
    body = "copy(up[0, 0:64, 0:64], S, 'children'); copy(S, C)"
    deeper = PlanCircularBuffers(MACHINE, (("S", 2),))
    with pytest.raises(BadOption, match="1 for S, which is written by other cores"):
        plan(body, deeper, C=tensor(64, 64), S=shared(64, 64), up=way(64, 64))


def test_the_innermost_stages_count():
    body = (
        "for i in T.serial(2, annotations={'num_stages': 5}):\n"
        "    copy(A, S)\n"
        "    for k in T.serial(2, annotations={'num_stages': 3}): copy(A, R)\n"
        "    copy(S, C)\n    copy(R, C)"
    )
    tensors = {"A": tensor(64, 64), "C": tensor(64, 64)}
    found = plan(body, **tensors, S=shared(64, 64), R=shared(64, 64))
    assert {name: cb.depth for name, cb in found.items()} == {"S": 5, "R": 3}


@pytest.mark.parametrize(
    "products, order",
    [
        (["gemm(S, T_s, L, clear=True)"], "row"),
        (["gemm(S, T_s, L, transpose_b=True, clear=True)"], "column"),
        (["gemm(T_s, S, L, transpose_b=True, clear=True)"], "row"),
        (
            [
                "gemm(S, T_s, L, transpose_b=True, clear=True)",
                "gemm(S, T_s, M, transpose_b=True, clear=True)",
            ],
            "column",
        ),
        (["gemm(S, T_s, L, transpose_b=True, clear=True)", "gemm(S, T_s, M, clear=True)"], "row"),
    ],
)
def test_a_second_operand_that_is_always_transposed_is_kept_by_columns(products, order):
    body = "copy(A, S); copy(A, T_s)\n" + "\n".join(products)
    stores = "\ncopy(L, C); copy(M, C)" if len(products) > 1 else "\ncopy(L, C)"
    buffers = {"L": shared(64, 64)} | ({"M": shared(64, 64)} if len(products) > 1 else {})
    found = plan(
        body + stores,
        A=tensor(64, 64),
        C=tensor(64, 64),
        S=shared(64, 64),
        T_s=shared(64, 64),
        **buffers,
    )
    assert found["T_s"].order == order
    assert found["S"].order == ("column" if products[0].startswith("gemm(T_s, S") else "row")


@pytest.mark.parametrize(
    "dtype, is_fp32, use, unpacks",
    [
        ("float32", True, "value", True),
        ("float32", False, "value", False),
        ("bfloat16", True, "value", False),
        ("float32", True, "first", False),
        ("float32", True, "second", False),
    ],
)
def test_all_32_bits_go_into_dst_where_no_product_reads_them(dtype, is_fp32, use, unpacks):
    uses = {
        "value": NEST.format(64, "O[i, j] = S[i, j] * S[i, j]"),
        "first": "gemm(S, R, O, clear=True)\n",
        "second": "gemm(R, S, O, clear=True)\n",
    }
    buffers = {"S": shared(64, 64, dtype=dtype), "O": shared(64, 64, dtype=dtype)}
    body = f"copy(A, S)\n{uses[use]}copy(O, C)"
    if use != "value":
        body = "copy(A, R)\n" + body
        buffers["R"] = shared(64, 64, dtype=dtype)
    tensors = {name: tensor(64, 64, dtype=dtype) for name in "AC"}
    assert plan(body, is_fp32=is_fp32, **tensors, **buffers)["S"].unpack_to_dest is unpacks


def small(tiles=0, count=32, depths=()):
    """For a device with less."""
    size = tiles * TILE + DEVICE.cb_base
    device = dataclasses.replace(DEVICE, l1_bytes=size, cb_count=count)
    return PlanCircularBuffers(dataclasses.replace(MACHINE, device=device), depths)


PASS_ON = again("copy(A, S)\n" + NEST.format(64, "O[i, j] = S[i, j] * S[i, j]") + "copy(O, C)")
PASSED = {"A": tensor(64, 64), "C": tensor(64, 64), "S": shared(64, 64), "O": shared(64, 64)}


@pytest.mark.parametrize("tiles, depths", [(16, [2, 2]), (15, [1, 2]), (11, [1, 1]), (8, [1, 1])])
def test_depths_shrink_where_l1_is_small(tiles, depths):
    found = plan(PASS_ON, small(tiles), **PASSED)
    assert [cb.depth for cb in found.values()] == depths
    for cb in found.values():
        assert ("less for want of L1" in cb.reason) == (cb.depth < 2)


@pytest.mark.parametrize(
    "tiles, depths",
    [
        (32, {"A_s": 4, "B_s": 4, "C_s": 2}),
        (27, {"A_s": 2, "B_s": 3, "C_s": 2}),
        (23, {"A_s": 2, "B_s": 2, "C_s": 1}),
        (19, {"A_s": 2, "B_s": 1, "C_s": 1}),
        (16, {"A_s": 1, "B_s": 1, "C_s": 1}),
    ],
)
def test_what_costs_least_time_shrinks_first(tiles, depths):
    """Loads take the time of this program, and the store of a block is done long before the next
    one is there."""
    found = plan(again(product(stages=4)), small(tiles), True, **GEMM)
    assert {name: found[name].depth for name in depths} == depths


UPDATE = again(
    NEST.format(64, "L[i, j] = T.bfloat16(0)")
    + "for k in T.serial(3):\n    copy(A, S)\n"
    + textwrap.indent(NEST.format(64, "L[i, j] = L[i, j] + S[i, j]"), "    ")
    + NEST.format(64, "O[i, j] = L[i, j]")
    + "copy(O, C)"
)
UPDATED = {**PASSED, "L": shared(64, 64)}


def test_a_statement_that_updates_needs_two_blocks():
    found = plan(UPDATE, **UPDATED)["L"]
    assert (found.depth, found.least_depth) == (2, 2)
    assert found.reason == "the new value is made of the old one"


def test_depths_never_shrink_below_the_least():
    found = plan(UPDATE, small(16), **UPDATED)
    assert {name: cb.depth for name, cb in found.items()} == {"S": 1, "O": 1, "L": 2}
    with pytest.raises(L1Overflow, match="TT4002"):
        plan(UPDATE, small(15), **UPDATED)


@pytest.mark.parametrize("depth", [2, 5])
def test_the_user_may_choose_a_depth(depth):
    found = plan(UPDATE, dataclasses.replace(PLAN, depths=(("L", depth),)), **UPDATED)["L"]
    assert (found.depth, found.least_depth) == (depth, 2)
    assert found.reason.startswith("the option depths")


def test_a_chosen_depth_does_not_shrink():
    found = plan(PASS_ON, small(14, depths=(("O", 2),)), **PASSED)
    assert {name: cb.depth for name, cb in found.items()} == {"S": 1, "O": 2}
    with pytest.raises(L1Overflow, match="TT4002"):
        plan(PASS_ON, small(14, depths=(("O", 2), ("S", 2))), **PASSED)


def test_a_depth_that_deadlocks_is_refused():
    message = "TT4005: circular buffer 'L' cannot be 1 deep: L makes a block of it while it still"
    with pytest.raises(DepthTooSmall, match=message) as caught:
        plan(UPDATE, dataclasses.replace(PLAN, depths=(("L", 1),)), **UPDATED)
    assert "ask for 2 blocks or more" in str(caught.value)


def asking(body, *found, **buffers):
    """The circular buffers of a program with directives."""
    func = scripted(body, attributes={"tt.fp32_dest_acc": False, **asked(*found)}, **buffers)
    frame = Frame.of(PLAN.rewrite(AssignEngines().rewrite(func)))
    planned = attrs.circular_buffers(frame)
    return {buffer.name: planned[buffer.data] for buffer in frame.buffers}


def test_the_program_may_choose_a_depth():
    found = asking(UPDATE, ("depth", "L", 5), ("multicast", "S", 0), **UPDATED)
    assert (found["L"].depth, found["L"].least_depth) == (5, 2)
    assert found["L"].reason.startswith("the directive depth")
    assert found["S"].depth == 2


def test_the_option_overrules_the_program():
    func = scripted(
        UPDATE, attributes={"tt.fp32_dest_acc": False, **asked(("depth", "L", 5))}, **UPDATED
    )
    pass_ = dataclasses.replace(PLAN, depths=(("L", 3),))
    frame = Frame.of(pass_.rewrite(AssignEngines().rewrite(func)))
    assert {cb.depth for cb in attrs.circular_buffers(frame).values()} == {2, 3}


def test_a_depth_that_the_program_chooses_must_not_deadlock():
    with pytest.raises(DepthTooSmall, match="TT4005: circular buffer 'L' cannot be 1 deep"):
        asking(UPDATE, ("depth", "L", 1), **UPDATED)


def test_a_depth_of_a_buffer_that_is_gone_is_refused():
    with pytest.raises(DirectiveRefused, match="'X' has no circular buffer") as caught:
        asking(UPDATE, ("depth", "X", 2), **UPDATED)
    assert "--> p.py:1:1" in str(caught.value)


def test_what_is_made_once_has_one_block():
    body = "copy(A, S)\nfor k in T.serial(3):\n    copy(S, C)\n    copy(A, R)\n    copy(R, C)"
    tensors = {"A": tensor(64, 64), "C": tensor(64, 64)}
    found = plan(body, **tensors, S=shared(64, 64), R=shared(64, 64))
    assert (found["S"].depth, found["S"].reason) == (1, "one block is made in all")
    assert found["R"].depth == 2


def epilogue(count, stages=None):
    """Products of `count` steps, each block with a long epilogue."""
    note = f", annotations={{'num_stages': {stages}}}" if stages else ""
    value = "L[i, j]"
    for _ in range(count):
        value = f"T.exp({value})"
    return again(
        f"for k in T.serial(8{note}):\n"
        "    copy(A[0:64, k * 64 : k * 64 + 64], S)\n"
        "    copy(B[k * 64 : k * 64 + 64, 0:64], R)\n"
        "    gemm(S, R, L, clear=k == 0)\n" + NEST.format(64, f"O[i, j] = {value}") + "copy(O, C)",
        times=64,
    )


LONG = {
    "A": tensor(64, 512),
    "B": tensor(512, 64),
    "C": tensor(64, 64),
    **{name: shared(64, 64) for name in "SRLO"},
}


@pytest.mark.parametrize(
    "program, depth",
    [(epilogue(8), 4), (epilogue(5), 3), (epilogue(2), 2), (epilogue(8, stages=2), 2)],
    ids=["long", "shorter", "short", "num_stages"],
)
def test_loads_run_ahead_during_a_long_epilogue(program, depth):
    found = plan(program, **LONG)
    assert {name: cb.depth for name, cb in found.items()} == {
        "S": depth,
        "R": depth,
        "L": 1,
        "O": 2,
    }
    assert ("the more hide" in found["S"].reason) == (depth > 2)


def test_only_what_there_is_room_for_runs_ahead():
    four = 4 * (4 + 4) + 4 + 2 * 4  # tiles of S and R, L, O
    for tiles, depth in [(four, 4), (four - 1, 3), (four - 9, 2)]:
        found = plan(epilogue(8), small(tiles), **LONG)
        assert (found["S"].depth, found["R"].depth) == (depth, depth)


def test_a_depth_that_is_chosen_does_not_grow():
    found = plan(epilogue(8), dataclasses.replace(PLAN, depths=(("S", 2),)), **LONG)
    assert found["S"].depth == 2


def test_the_reason_says_where_less_hides_as_much():
    found = plan(again(product(stages=4)), is_fp32=True, **GEMM)
    assert found["A_s"].reason == "num_stages=4; 2 would hide as much"
    assert found["C_s"].reason == f"{FILLED}; 1 would hide as much"


def test_the_schedule_is_recorded():
    after = PLAN.rewrite(assigned(UPDATE, **UPDATED))
    statements = attrs.schedule(after).statements
    assert [each.result for each in statements] == ["L", "S", "L", "O", "C"]
    engines = ["compute", "reader", "compute", "compute", "writer"]
    assert [each.engine for each in statements] == engines


def test_what_does_not_fit_at_all_is_refused():
    with pytest.raises(L1Overflow) as caught:
        plan(PASS_ON, small(7), **PASSED)
    text = str(caught.value)
    assert f"TT4002: the circular buffers take {8 * TILE} bytes of the {7 * TILE} a core" in text
    assert f"S: 4 tiles of bfloat16 = {4 * TILE} bytes" in text
    assert f"O: 4 tiles of bfloat16 = {4 * TILE} bytes" in text


def test_too_many_buffers_are_refused():
    assert len(plan(PASS_ON, small(64, count=2), **PASSED)) == 2
    message = "TT4001: the program needs 2 circular buffers, wormhole_b0 has 1: S, O"
    with pytest.raises(TooManyCircularBuffers, match=message):
        plan(PASS_ON, small(64, count=1), **PASSED)
