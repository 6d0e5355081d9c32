"""When statements run, and where they wait for each other."""

import pytest

from testing.recurrences.statements import ALSO, END, LOAD, START, UPDATE, USE, statement, system
from tilelang_tt.recurrences.clock import Clock

N = 5
"""Iterations that are looked at; the loops have more."""


def run(found, **depths):
    return Clock(found, N).run(depths)


def handed(load, use, **changes):
    """A load and a use of so many cycles, in a loop."""
    loops = {"loops": ("k",), "domain": "0 <= k < n"}
    return system(
        statement("S0", "reader", (0, 0), makes="A", **loops, **{"cycles": load, **changes}),
        statement("S1", "compute", (0, 1), takes="A", **loops, cycles=use),
    )


def test_with_one_block_engines_take_turns():
    assert run(handed(30.0, 50.0), A=1).cycles == N * (30 + 50)


@pytest.mark.parametrize("load, use", [(30.0, 50.0), (50.0, 30.0)])
def test_with_two_blocks_the_slower_engine_never_waits(load, use):
    assert run(handed(load, use), A=2).cycles == N * max(load, use) + min(load, use)


def test_a_third_block_lets_reading_and_sending_overlap():
    found = handed(30.0, 5.0, send_cycles=20.0)
    assert run(found, A=2).cycles == N * 50 + 5
    assert run(found, A=3).cycles == N * 30 + 5


@pytest.mark.parametrize("depth, stuck", [(1, True), (2, False), (3, False)])
def test_an_update_with_one_block_waits_for_itself(depth, stuck):
    assert run(system(START, UPDATE, END), A=depth).is_stuck is stuck


def test_blocks_in_flight():
    once = run(handed(30.0, 50.0), A=2)
    assert once.in_flight("A")[:5] == [(0, 0), (0, 1), (30, 2), (80, 2), (130, 2)]
    assert max(blocks for _, blocks in once.in_flight("A")) == 2
    assert once.in_flight("A")[-1] == (once.cycles, 0)


def test_a_block_stays_until_its_last_reader_is_through():
    found = run(system(LOAD, USE, ALSO), A=1, B=1, D=1)
    first = next(block for block in found.blocks if block.buffer == "A")
    assert (first.begin, first.end) == (0, 30)


def test_a_block_that_nobody_reads_is_freed_at_once():
    found = run(system(LOAD), A=1)
    assert not found.is_stuck
    assert found.cycles == N * 10


def test_what_is_published_later_than_it_is_looked_at_holds_nothing_up():
    """The end of an accumulation in the last iteration of a long loop."""
    turn = {"loops": ("t",), "domain": "0 <= t < n"}
    last = {"loops": ("t", "k"), "domain": "0 <= t < n and k = n - 1"}
    begin = statement("S0", "compute", (0, 0), reserves=("A",), **turn)
    end = statement("S1", "compute", (0, 1, 0), publishes=("A",), **last)
    use = statement("S2", "writer", (0, 2), takes="A", **turn)
    found = run(system(begin, end, use), A=1)
    assert not found.is_stuck
    assert len(found.steps) == 2 * N


def test_many_instances_are_not_all_looked_at():
    loops = {"loops": tuple("ijklm"), "domain": "0 <= i, j, k, l, m < 100"}
    found = Clock(system(statement("S0", "reader", (0, 0, 0, 0, 0, 0), **loops)), 6).run({})
    assert len(found.steps) == 4**5


def test_loops_are_cut_after_the_iterations_asked_for():
    assert len(run(system(LOAD), A=1).steps) == N


def test_parameters_are_such_that_as_much_as_possible_runs():
    rare = statement("S1", "reader", (1, 0), "0 <= k < n and unknown <= 7 - n", loops=("k",))
    never = statement("S2", "reader", (2, 0), "0 <= k < n and unknown > 7 - n", loops=("k",))
    found = run(system(LOAD, rare, never), A=1)
    assert [step.statement.name for step in found.steps] == ["S0"] * N + ["S1"] * N
