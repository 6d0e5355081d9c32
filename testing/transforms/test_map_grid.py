"""MapGrid: the grid of blocks becomes one loop over the blocks of a core."""

import dataclasses
import itertools

import pytest
from helpers import assert_same, copy, scripted, shared, tensor
from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.partition import Partition, assign
from tilelang_tt.transforms.map_grid import MapGrid

RUNS = {"kind": "runs", "columns": [], "rows": [], "parts": 1}


def test_the_first_dimension_varies_fastest():
    @T.prim_func(private=True)
    def before(A: T.Buffer((128, 96), "bfloat16")):
        T.func_attr({"tt.partition": RUNS})
        for bx, by in T.grid(3, 4):
            with T.sblock("tilelang_root"):
                A_s = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
                copy(A[by * 32 : by * 32 + 32, bx * 32 : bx * 32 + 32], A_s)

    @T.prim_func(private=True)
    def expected(A: T.Buffer((128, 96), "bfloat16"), first: T.int32, count: T.int32):
        T.func_attr({"tt.grid": [3, 4], "tt.partition": RUNS, "tt.core_args": [first, count]})
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
            for block in T.serial(first, first + count):
                copy(
                    A[
                        block // 3 * 32 : block // 3 * 32 + 32,
                        block % 3 * 32 : block % 3 * 32 + 32,
                    ],
                    A_s,
                )

    assert_same(MapGrid().rewrite(before), expected)


MAPPED = {
    "no grid": ({}, [1], "0", "0", "0"),
    "one dimension": ({"x": 4}, [4], "block", "0", "0"),
    "three dimensions": (
        {"x": 2, "y": 3, "z": 4},
        [2, 3, 4],
        "block % 2",
        "block // 2 % 3",
        "block // 2 // 3",
    ),
    "a dimension of one block": (
        {"x": 1, "y": 3, "z": 1},
        [1, 3, 1],
        "0",
        "block % 3",
        "0",
    ),
}


@pytest.mark.parametrize("grid, extents, x, y, z", MAPPED.values(), ids=MAPPED)
def test_mapped(grid, extents, x, y, z):
    buffers = {"A": tensor(4, 4, 4), "S": shared(1)}
    indices = ", ".join(grid.get(name, "0") and name if name in grid else "0" for name in "zyx")
    partition = {"tt.partition": RUNS}
    before = scripted(f"copy(A[{indices}], S)", grid=grid, attributes=partition, **buffers)
    after = scripted(
        f"for block in T.serial(first, first + count): copy(A[{z}, {y}, {x}], S)",
        scalars=["first", "count"],
        attributes={"tt.grid": extents, **partition, "tt.core_args": ["first", "count"]},
        **buffers,
    )
    assert_same(MapGrid().rewrite(before), after)


def test_a_symbolic_extent_stays_an_expression():
    before = scripted(
        "copy(A[x, y], S)",
        grid={"x": "n", "y": "n + 1"},
        scalars=["n"],
        attributes={"tt.partition": RUNS},
        A=tensor("n", "n + 1"),
        S=shared(1),
    )
    after = MapGrid().rewrite(before)
    assert [str(extent) for extent in after.attrs[attrs.GRID]] == ["n", "n + 1"]
    (copied,) = tree.collect(Frame.of(after).body, tirx.Evaluate)
    assert "block % n, block // n" in str(copied)


def test_the_loop_runs_over_the_blocks_of_the_core():
    after = MapGrid().rewrite(mapped({"x": 4}, RUNS))
    first, count = attrs.core_args(after).values()
    assert [first.name, count.name] == ["first_block", "block_count"]
    assert list(after.params[-2:]) == [first, count]
    loop = Frame.of(after).body
    assert loop.min.same_as(first)
    assert loop.extent.same_as(count)


def mapped(grid, partition, body=""):
    """A program whose blocks store to their place in the grid."""
    place = ", ".join(grid)
    attributes = {"tt.partition": partition}
    buffers = {"A": tensor(*grid.values()), "S": shared(1)}
    text = body or f"copy(S, A[{place}])"
    return scripted(text, grid=grid, attributes=attributes, **buffers)


def stored(func, blocks, partition, cores):
    """The places that all cores store to, in order, by running the loop of each."""
    loop = Frame.of(func).body
    own_vars = attrs.core_args(func)
    simplify = arith.Analyzer().simplify
    places = []

    def run(stmt, values):
        match stmt:
            case tirx.For():
                first = int(simplify(substitute(stmt.min, values)))
                for i in range(first, first + int(simplify(substitute(stmt.extent, values)))):
                    run(stmt.body, {**values, stmt.loop_var: tirx.const(i)})
            case tirx.IfThenElse():
                if simplify(substitute(stmt.condition, values)).value:
                    run(stmt.then_case, values)
            case tirx.Evaluate():
                loads = tree.collect(stmt, tirx.BufferLoad)
                (load,) = [load for load in loads if load.buffer.name == "A"]
                at = (int(simplify(substitute(i, values))) for i in load.indices)
                places.append(tuple(at))

    for own in assign(partition, blocks, cores).core_args.values():
        run(loop, {own_vars[name]: tirx.const(value) for name, value in own.items()})
    return places


PARTITIONS = {
    "runs": Partition("runs"),
    "snake": Partition("snake", rows=(0,)),
    "snake of two axes": Partition("snake", rows=(0, 2)),
    "lattice": Partition("lattice", (0,), (1, 2)),
    "lattice the other way": Partition("lattice", (1, 2), (0,)),
    "line": Partition("line"),
}


@pytest.mark.parametrize("extents", [(3, 4, 1), (5, 1, 2), (2, 3, 4), (1, 1, 1), (7, 1, 1)])
@pytest.mark.parametrize("cores", [(2, 2), (3, 1), (8, 8), (1, 1)])
@pytest.mark.parametrize("partition", PARTITIONS.values(), ids=PARTITIONS)
def test_every_block_is_stored_once(partition, cores, extents):
    grid = dict(zip("xyz", extents, strict=True))
    after = MapGrid().rewrite(mapped(grid, dataclasses.asdict(partition)))
    places = stored(after, extents, partition, cores)
    assert sorted(places) == sorted(itertools.product(*map(range, extents)))


def test_an_axis_of_one_block_is_on_no_side_of_a_lattice():
    partition = Partition("lattice", (0,), (2,))
    after = MapGrid().rewrite(mapped({"x": 3, "y": 1, "z": 4}, dataclasses.asdict(partition)))
    places = stored(after, (3, 1, 4), partition, (2, 2))
    assert sorted(places) == sorted(itertools.product(range(3), [0], range(4)))


def test_the_first_axis_varies_fastest():
    places = stored(
        MapGrid().rewrite(mapped({"x": 3, "y": 2}, RUNS)), (3, 2), Partition("runs"), (1, 1)
    )
    assert places == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]


def test_the_axes_that_decide_the_work_vary_slowest_in_a_snake():
    partition = Partition("snake", rows=(0,))
    after = MapGrid().rewrite(mapped({"x": 2, "y": 3}, dataclasses.asdict(partition)))
    assert stored(after, (2, 3), partition, (1, 1)) == [
        *((0, 0), (0, 1), (0, 2)),
        *((1, 0), (1, 1), (1, 2)),
    ]
    # The second turn of two cores goes backwards.
    assert stored(after, (2, 3), partition, (2, 1)) == [
        *((0, 0), (1, 0), (1, 1)),
        *((0, 1), (0, 2), (1, 2)),
    ]


def test_cores_that_share_loads_load_alike_and_guard_their_stores():
    before = mapped(
        {"x": 5, "y": 3},
        dataclasses.asdict(Partition("lattice", (0,), (1,))),
        "copy(A[x, y], S)\ncopy(S, A[x, y])",
    )
    loop = Frame.of(MapGrid().rewrite(before)).body
    load, store = tree.statements(loop.body)
    assert isinstance(load, tirx.Evaluate)
    assert isinstance(store, tirx.IfThenElse)
    assert store.else_case is None
