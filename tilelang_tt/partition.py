"""Which core runs which blocks of a program's grid, and which cores take pages together.

Needs the standard library alone: a copy stands beside the generated host programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Core = tuple[int, int]

RUNS, SNAKE, LATTICE, LINE, TEAMS = "runs", "snake", "lattice", "line", "teams"
COUNTS = ("cores", "columns", "rows", "parts")
"""What is at least 1 of what a core is told; the rest may be 0."""


TEAM_ARGS = ("part", "parts", "children")
"""What a core is told of its team: which part of a block it does, of how many, and how many others
hand theirs to it."""


@dataclass(frozen=True)
class Partition:
    """Which core runs which blocks of the grid.

    * "runs": each core a run of consecutive blocks.
    * "snake": dealt out to the cores in turn, back and forth, so that blocks of falling work make
      even shares.
    * "lattice": the grid axes `columns` along the rows of cores, the axes `rows` along the columns.
    * "line": one block of a run to each core, run after run.
    * "teams": a run of consecutive blocks to each team of `parts` cores, or fewer where there are
      not as many for each block; every core of a team does a part of each.

    In a lattice or line all cores take the same number of turns together, those past the end of the
    grid with the last block, which they do not write.
    """

    kind: str
    columns: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()
    parts: int = 1

    @property
    def core_args(self) -> tuple[str, ...]:
        """What each core is told."""
        return {
            RUNS: ("first_block", "block_count"),
            SNAKE: ("core", "cores", "block_count"),
            LATTICE: ("column", "columns", "row", "rows"),
            LINE: ("core", "cores"),
            TEAMS: (*TEAM_ARGS, "first_block", "block_count"),
        }[self.kind]


GROUPS = ("row", "column", "all")
"""Cores that take the same pages: those of a row, of a column, or all."""


def sender(group: str, core: Core, grid: tuple[int, int]) -> Core:
    """The sender of one of `GROUPS` that a core belongs to, on a grid of columns and rows.

    A kernel asks the same with expressions for the numbers. The senders of the rows and of the
    columns lie on one diagonal, so that what they read from DRAM takes different links of the two
    NoCs.
    """
    (column, row), (columns, rows) = core, grid
    if group == "row":
        return row % columns, row
    if group == "column":
        return column, column % rows
    return 0, 0


PARENT, CHILDREN = "parent", "children"
PEERS = (PARENT, CHILDREN)
"""Cores of a team that hand each other pages, along a tree: part p to p without its lowest bit."""
MOST_CHILDREN = 8
"""A team has fewer parts than 2 to this."""

GROUP_WORDS = {**dict.fromkeys(GROUPS, 7), PARENT: 2, CHILDREN: 2 * MOST_CHILDREN}
"""How many run-time arguments describe a group."""
GROUP_SEMAPHORES = {
    **dict.fromkeys(GROUPS, ("even", "odd", "arrival")),
    **dict.fromkeys(PEERS, ("room", "arrival")),
}
"""What the semaphores of a group count."""


def parent(part: int) -> int:
    """The part that takes what `part` hands on."""
    return part & (part - 1)


def children(part: int, parts: int) -> list[int]:
    """The parts that hand theirs to `part`, in the order in which it takes them."""
    bits = range(MOST_CHILDREN)
    own = [part + (1 << bit) for bit in bits if part % (2 << bit) == 0]
    return [child for child in own if child < parts]


@dataclass(frozen=True)
class Group:
    """The cores that take the pages that `sender` reads: those from `first` to `last`, a row, a
    column or a rectangle, which has the sender in it; `receivers` of them are not the sender."""

    sender: Core
    first: Core
    last: Core

    @property
    def receivers(self) -> int:
        return (self.last[0] - self.first[0] + 1) * (self.last[1] - self.first[1] + 1) - 1


@dataclass(frozen=True)
class Assignment:
    """The cores that run a program, `grid` columns and rows from (0, 0) on, and what each is
    told."""

    grid: tuple[int, int]
    core_args: Mapping[Core, Mapping[str, int]]

    def group(self, name: str, core: Core) -> Group:
        """The group of this name that `core` belongs to."""
        columns, rows = self.grid
        x, y = core
        first, last = {
            "row": ((0, y), (columns - 1, y)),
            "column": ((x, 0), (x, rows - 1)),
            "all": ((0, 0), (columns - 1, rows - 1)),
        }[name]
        return Group(sender(name, core, self.grid), first, last)

    def words(
        self, arguments: Sequence[tuple[str, str]], noc: int, place: Callable[[Core], Core]
    ) -> dict[Core, list[int]]:
        """The run-time arguments of each core.

        Args:
            arguments: kind and name of each: ("core", one of `Partition.core_args`) or
                ("group", one of `GROUPS` or `PEERS`).
            noc: the NoC of the kernel.
            place: the coordinates of a core on the NoC.
        """
        return {
            core: [
                word
                for kind, name in arguments
                for word in ([own[name]] if kind == "core" else self._words(name, core, noc, place))
            ]
            for core, own in self.core_args.items()
        }

    def _words(self, name: str, core: Core, noc: int, place: Callable[[Core], Core]) -> list[int]:
        if name in GROUPS:
            return _group_words(self.group(name, core), noc, place)
        words = [number for peer in self.peers(name, core) for number in place(peer)]
        return words + [0] * (GROUP_WORDS[name] - len(words))

    def peers(self, name: str, core: Core) -> list[Core]:
        """The cores of the team of `core` that it takes pages from or hands them to."""
        own = self.core_args[core]
        if name == CHILDREN:
            found = children(own["part"], own["parts"])[: own["children"]]
        else:
            found = [parent(own["part"])] if own["part"] else []
        columns, _ = self.grid
        first = core[1] * columns + core[0] - own["part"]
        return [((first + part) % columns, (first + part) // columns) for part in found]


def _group_words(group: Group, noc: int, place: Callable[[Core], Core]) -> list[int]:
    """As a kernel takes them; a rectangle begins where its NoC comes to it first."""
    first, last = (group.first, group.last) if noc == 0 else (group.last, group.first)
    return [group.receivers, *place(group.sender), *place(first), *place(last)]


def assign(partition: Partition, blocks: Sequence[int], grid: tuple[int, int]) -> Assignment:
    """What each core runs.

    Args:
        partition: how blocks are shared out.
        blocks: the extents of the grid of blocks.
        grid: columns and rows of cores there are.
    """
    count = math.prod(blocks)
    if partition.kind == LATTICE:
        return _lattice(partition, blocks, grid)
    if partition.kind == LINE:
        columns = min(count, grid[0])
        used = (columns, min(-(-count // columns), grid[1])) if count else grid
        cores = _cores(used)
        return Assignment(
            used, {core: {"core": i, "cores": len(cores)} for i, core in enumerate(cores)}
        )
    cores = _cores(grid)
    if partition.kind == TEAMS:
        return Assignment(grid, dict(zip(cores, _teams(len(cores), count, partition), strict=True)))
    turns, extra = divmod(count, len(cores))
    if partition.kind == RUNS:
        return Assignment(grid, dict(zip(cores, _runs(len(cores), turns, extra), strict=True)))
    backwards = turns % 2 == 1
    return Assignment(
        grid,
        {
            core: {
                "core": i,
                "cores": len(cores),
                "block_count": turns + ((len(cores) - 1 - i if backwards else i) < extra),
            }
            for i, core in enumerate(cores)
        },
    )


def _cores(grid: tuple[int, int]) -> list[Core]:
    """The cores of a rectangle, row by row."""
    return [(x, y) for y in range(grid[1]) for x in range(grid[0])]


def _runs(cores: int, each: int, extra: int) -> Iterator[dict[str, int]]:
    """The first cores get one more, the last perhaps none."""
    first = 0
    for position in range(cores):
        share = each + (position < extra)
        yield {"first_block": first, "block_count": share}
        first += share


def _teams(cores: int, count: int, partition: Partition) -> Iterator[dict[str, int]]:
    """Teams of consecutive cores; those left over have nothing to do."""
    parts = max(1, min(partition.parts, cores // max(count, 1)))
    teams = cores // parts
    shares = list(_runs(teams, *divmod(count, teams)))
    nothing = {"first_block": 0, "block_count": 0}
    for core in range(cores):
        team, part = divmod(core, parts)
        found = children(part, parts) if team < teams else []
        share = shares[team] if team < teams else nothing
        yield {"part": part, "parts": parts, "children": len(found), **share}


def _lattice(partition: Partition, blocks: Sequence[int], grid: tuple[int, int]) -> Assignment:
    sides = [
        math.prod(blocks[axis] for axis in axes) for axes in (partition.columns, partition.rows)
    ]
    # Of the cores that need as many turns, no more than have work in most of them.
    columns, rows = (
        -(-side // -(-side // limit)) if side else limit
        for side, limit in zip(sides, grid, strict=True)
    )
    return Assignment(
        (columns, rows),
        {
            (x, y): {"column": x, "columns": columns, "row": y, "rows": rows}
            for x, y in _cores((columns, rows))
        },
    )
