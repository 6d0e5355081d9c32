"""Dependences between statements, and what they ask of circular buffers."""

import islpy as isl
import pytest

from testing.recurrences.statements import (
    ALSO,
    END,
    LOAD,
    LOOP,
    START,
    UPDATE,
    USE,
    statement,
    system,
)
from tilelang_tt.plan import Unknown


def test_a_reader_takes_what_was_made_last():
    assert system(LOAD, USE, ALSO).flow("A") == isl.UnionMap(
        "[n] -> { S0[k] -> S1[k] : 0 <= k < n; S0[k] -> S2[k] : 0 <= k < n }"
    )


def test_what_is_made_before_a_loop_is_read_in_each_iteration():
    load = statement("S0", "reader", (0,), makes="A")
    use = statement("S1", "compute", (1, 1), takes="A", **LOOP)
    assert system(load, use).flow("A") == isl.UnionMap("[n] -> { S0[] -> S1[k] : 0 <= k < n }")


def test_a_value_is_carried_from_iteration_to_iteration():
    assert system(START, UPDATE, END).flow("A") == isl.UnionMap(
        "[n] -> { S0[] -> S1[0] : n > 0; S1[k] -> S1[k + 1] : 0 <= k < n - 1;"
        " S1[n - 1] -> S2[] : n > 0; S0[] -> S2[] : n <= 0 }"
    )


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_pages_are_used_again_so_many_blocks_later(depth):
    assert system(LOAD, USE).reuse("A", depth) == isl.UnionMap(
        f"[n] -> {{ S1[k] -> S0[k + {depth}] : 0 <= k < n - {depth} }}"
    )


def test_an_update_makes_a_block_before_it_is_through_with_the_old_one():
    carried = system(START, UPDATE, END)
    assert carried.reuse("A", 1) == isl.UnionMap("[n] -> { S1[k] -> S1[k] : 0 <= k < n }")
    assert carried.reuse("A", 2) == isl.UnionMap("[n] -> { S1[k] -> S1[k + 1] : 0 <= k < n - 1 }")
    least = carried.least_depth("A")
    assert (least.depth, least.statement) == (2, UPDATE)


def test_one_block_is_enough_for_what_is_handed_on():
    for buffer in ("A", "B", "D"):
        least = system(LOAD, USE, ALSO).least_depth(buffer)
        assert (least.depth, least.statement) == (1, None)


def test_an_update_that_never_runs_needs_nothing():
    never = statement("S1", "compute", (1, 0), "0 <= k < 0", loops=("k",), makes="A", takes="A")
    assert system(START, never, END).least_depth("A").depth == 1


def test_an_accumulation_onto_the_old_value_is_an_update():
    begin = statement("S1", "compute", (1, 0), reserves=("A",), publishes=(), reads=("A",), **LOOP)
    end = statement("S3", "compute", (1, 1), publishes=("A",), **LOOP)
    found = system(START, begin, end, END)
    assert found.least_depth("A").depth == 2
    assert found.flow("A") == isl.UnionMap(
        "[n] -> { S0[] -> S1[0] : n > 0; S3[k] -> S1[k + 1] : 0 <= k < n - 1;"
        " S3[n - 1] -> S2[] : n > 0; S0[] -> S2[] : n <= 0 }"
    )


@pytest.mark.parametrize(
    "statements, buffer",
    [((LOAD, USE, ALSO), "A"), ((START, UPDATE, END), "A"), ((LOAD, USE), "B")],
)
def test_the_least_depth_is_the_first_that_the_order_agrees_with(statements, buffer):
    found = system(*statements)
    least = found.least_depth(buffer).depth
    safe = [depth for depth in range(1, 5) if found.is_safe(buffer, depth)]
    assert safe == list(range(least, 5))


@pytest.mark.parametrize(
    "made, once",
    [
        ((LOAD, USE), False),
        ((START, END), True),
        ((START, UPDATE), False),
        ((statement("S0", "reader", (0, 0), "0 <= k < 1", loops=("k",), makes="A"),), True),
        ((statement("S0", "reader", (0, 0), "0 <= k < 2", loops=("k",), makes="A"),), False),
        (
            (statement("S0", "reader", (0, 0), "0 <= k < n and k = 3", loops=("k",), makes="A"),),
            True,
        ),
    ],
)
def test_what_is_made_once(made, once):
    assert system(*made).is_made_once("A") is once


NESTED = {"loops": ("t", "k"), "domain": "0 <= t < n and 0 <= k < unknown"}
VARIES = (Unknown("unknown", "t * t", ("t",)),)


def test_an_unknown_number_of_iterations_is_thought_constant_where_blocks_stay_inside():
    load = statement("S0", "reader", (0, 0, 0), makes="A", **NESTED)
    use = statement("S1", "compute", (0, 0, 1), takes="A", **NESTED)
    assert system(load, use, unknowns=VARIES).is_exact("A")


def test_a_block_that_outlives_the_iteration_may_be_an_older_one():
    """In an iteration of t that makes no block, the reader takes the last one of an earlier t."""
    load = statement("S0", "reader", (0, 0, 0), makes="A", **NESTED)
    after = statement("S1", "compute", (0, 1), "0 <= t < n", loops=("t",), takes="A")
    outside = statement("S1", "compute", (1,), takes="A")
    assert not system(load, after, unknowns=VARIES).is_exact("A")
    assert not system(load, outside, unknowns=VARIES).is_exact("A")
    assert system(load, after).is_exact("A")


def test_a_block_made_in_every_iteration_is_the_last_one_where_nothing_else_is():
    first = statement("S0", "reader", (0, 0), "0 <= t < n", loops=("t",), makes="A")
    update = statement("S1", "compute", (0, 1, 0), makes="A", takes="A", **NESTED)
    after = statement("S2", "compute", (0, 2), "0 <= t < n", loops=("t",), takes="A")
    assert system(first, update, after, unknowns=VARIES).is_exact("A")


def test_texts_leave_out_what_the_domains_say():
    found = system(LOAD, USE, ALSO)
    assert found.texts(found.flow("A")) == [
        "{ S0[k] -> S1[k' = k] }",
        "{ S0[k] -> S2[k' = k] }",
    ]
