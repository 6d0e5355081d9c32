"""Partitions: which core runs which blocks, and which cores take pages together."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilelang_tt import partition
from tilelang_tt.partition import GROUP_WORDS, GROUPS, Assignment, Group, Partition, assign

GRIDS = st.tuples(st.integers(1, 11), st.integers(1, 10))


def cores_of(grid):
    return set(itertools.product(range(grid[0]), range(grid[1])))


@given(st.integers(0, 500), GRIDS)
def test_runs_give_every_block_to_one_core(count, grid):
    assignment = assign(Partition("runs"), [count], grid)
    shares = [(own["first_block"], own["block_count"]) for own in assignment.core_args.values()]
    blocks = [block for first, number in shares for block in range(first, first + number)]
    assert blocks == list(range(count))
    assert assignment.grid == grid
    assert set(assignment.core_args) == cores_of(grid)
    assert max(number for _, number in shares) - min(number for _, number in shares) <= 1


@given(st.integers(0, 500), GRIDS)
def test_a_snake_gives_every_block_to_one_core(count, grid):
    assignment = assign(Partition("snake", rows=(0,)), [count], grid)
    blocks = []
    for own in assignment.core_args.values():
        core, cores = own["core"], own["cores"]
        for turn in range(own["block_count"]):
            blocks.append(turn * cores + (core if turn % 2 == 0 else cores - 1 - core))
    assert sorted(blocks) == list(range(count))
    assert set(assignment.core_args) == cores_of(grid)


def test_a_snake_evens_out_work_that_falls():
    assignment = assign(Partition("snake"), [8], (4, 1))
    work = range(8, 0, -1)
    turns = [(own["core"], 7 - own["core"]) for own in assignment.core_args.values()]
    assert {sum(work[block] for block in blocks) for blocks in turns} == {9}


@given(st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 3)), GRIDS)
def test_a_lattice_covers_the_grid_in_as_few_turns_as_the_cores_allow(blocks, grid):
    assignment = assign(Partition("lattice", (0,), (1, 2)), blocks, grid)
    columns, rows = assignment.grid
    across, down = blocks[0], blocks[1] * blocks[2]
    assert -(-across // columns) == -(-across // grid[0])
    assert -(-down // rows) == -(-down // grid[1])
    # One fewer would take more turns.
    assert columns == 1 or -(-across // (columns - 1)) > -(-across // columns)
    assert rows == 1 or -(-down // (rows - 1)) > -(-down // rows)
    assert {(own["column"], own["row"]) for own in assignment.core_args.values()} == cores_of(
        (columns, rows)
    )
    assert all(
        core == (own["column"], own["row"]) and (own["columns"], own["rows"]) == (columns, rows)
        for core, own in assignment.core_args.items()
    )


@given(st.integers(1, 300), GRIDS)
def test_a_line_takes_a_rectangle_of_cores(count, grid):
    assignment = assign(Partition("line"), [count], grid)
    cores = math.prod(assignment.grid)
    places = sorted(own["core"] for own in assignment.core_args.values())
    assert places == list(range(cores))
    assert cores >= min(count, math.prod(grid))
    assert cores - assignment.grid[0] < count  # no row of cores without work
    assert all(own["cores"] == cores for own in assignment.core_args.values())


@given(st.integers(1, 500), st.integers(1, 255), GRIDS)
def test_teams_give_every_block_to_the_cores_of_one_team(count, parts, grid):
    assignment = assign(Partition("teams", parts=parts), [count], grid)
    told = list(assignment.core_args.values())
    size = told[0]["parts"]
    assert size == max(1, min(parts, math.prod(grid) // count))
    assert all(own["parts"] == size for own in told)
    teams = [told[first : first + size] for first in range(0, len(told), size)]
    blocks = []
    for team in teams:
        assert [own["part"] for own in team] == list(range(len(team)))
        (share,) = {(own["first_block"], own["block_count"]) for own in team}
        blocks += range(share[0], share[0] + share[1])
        assert share[1] == 0 or len(team) == size
    assert blocks == list(range(count))


@given(st.integers(1, 3), st.integers(1, 255), GRIDS)
def test_every_part_reaches_part_0_along_the_tree(count, parts, grid):
    assignment = assign(Partition("teams", parts=parts), [count], grid)
    for core, own in assignment.core_args.items():
        if own["block_count"] == 0:
            continue
        handed_on = assignment.peers("parent", core)
        assert len(handed_on) == (own["part"] != 0)
        for there in handed_on:
            assert core in assignment.peers("children", there)
            assert assignment.core_args[there]["part"] < own["part"]
        taken = assignment.peers("children", core)
        assert len(taken) == own["children"] <= 8
        assert all(assignment.peers("parent", there) == [core] for there in taken)


def test_the_words_of_peers():
    assignment = assign(Partition("teams", parts=6), [1], (3, 2))
    arguments = [("core", "part"), ("group", "parent"), ("group", "children")]
    words = assignment.words(arguments, 0, lambda core: (core[0] + 1, core[1] + 20))
    nobody = [0] * 16
    #                       part  parent  children
    assert words[(0, 0)] == [0, 0, 0, *(2, 20), *(3, 20), *(2, 21), *nobody[6:]]
    assert words[(1, 1)] == [4, 1, 20, *(3, 21), *nobody[2:]]
    assert words[(2, 1)] == [5, 2, 21, *nobody]
    assert all(
        len(own) == 1 + GROUP_WORDS["parent"] + GROUP_WORDS["children"] for own in words.values()
    )


@pytest.mark.parametrize("kind", ["runs", "snake", "lattice", "line"])
def test_an_empty_grid_has_no_work(kind):
    assignment = assign(Partition(kind, (0,), (1,)), [0, 3], (2, 2))
    assert all(own.get("block_count", 0) == 0 for own in assignment.core_args.values())


@given(GRIDS, st.sampled_from(GROUPS))
def test_every_core_is_in_its_groups_with_one_sender(grid, name):
    assignment = Assignment(grid, {})
    senders = {}
    for core in cores_of(grid):
        group = assignment.group(name, core)
        members = set(
            itertools.product(
                range(group.first[0], group.last[0] + 1), range(group.first[1], group.last[1] + 1)
            )
        )
        assert core in members
        assert group.sender in members
        assert group.receivers == len(members) - 1
        senders.setdefault(frozenset(members), set()).add(group.sender)
        assert all(assignment.group(name, other) == group for other in members)
    assert all(len(found) == 1 for found in senders.values())


def test_senders_lie_on_the_diagonal():
    assignment = Assignment((4, 4), {})
    cores = [(i, i) for i in range(4)]
    assert [assignment.group("row", core).sender for core in cores] == cores
    assert [assignment.group("column", core).sender for core in cores] == cores


def test_the_words_of_a_core():
    assignment = assign(Partition("lattice", (0,), (1,)), [3, 2], (8, 8))
    arguments = [("core", "row"), ("group", "row"), ("core", "columns")]
    words = assignment.words(arguments, 0, lambda core: (core[0] + 1, core[1] + 20))
    assert set(words) == cores_of((3, 2))
    #                       row  receivers  sender  first  last   columns
    assert words[(2, 1)] == [1, 2, 2, 21, 1, 21, 3, 21, 3]
    assert len(words[(2, 1)]) == GROUP_WORDS["row"] + 2


def test_the_other_noc_comes_to_a_rectangle_from_its_end():
    assignment = assign(Partition("lattice", (0,), (1,)), [3, 2], (8, 8))
    there, back = (assignment.words([("group", "all")], noc, tuple)[(0, 0)] for noc in (0, 1))
    assert there == [5, 0, 0, 0, 0, 2, 1]
    assert back == [5, 0, 0, 2, 1, 0, 0]


def test_a_group_counts_its_receivers():
    assert Group((0, 0), (0, 0), (3, 1)).receivers == 7
    assert Group((2, 0), (2, 0), (2, 0)).receivers == 0


def test_what_cores_are_told_is_named_once():
    for kind in (partition.RUNS, partition.SNAKE, partition.LATTICE, partition.LINE):
        names = Partition(kind).core_args
        assert len(set(names)) == len(names)
