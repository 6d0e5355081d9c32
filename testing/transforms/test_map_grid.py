"""MapGrid: the grid of blocks becomes one loop over the blocks of a core."""

import pytest
from helpers import assert_same, copy, scripted, shared, tensor
from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.map_grid import MapGrid


def test_the_first_dimension_varies_fastest():
    @T.prim_func(private=True)
    def before(A: T.Buffer((128, 96), "bfloat16")):
        for bx, by in T.grid(3, 4):
            with T.sblock("tilelang_root"):
                A_s = T.sblock_alloc_buffer((32, 32), "bfloat16", scope="shared.dyn")
                copy(A[by * 32 : by * 32 + 32, bx * 32 : bx * 32 + 32], A_s)

    @T.prim_func(private=True)
    def expected(A: T.Buffer((128, 96), "bfloat16"), first: T.int32, count: T.int32):
        T.func_attr({"tt.grid": [3, 4], "tt.first_block": first, "tt.block_count": count})
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


OWN = {"tt.first_block": "first", "tt.block_count": "count"}
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
    before = scripted(f"copy(A[{indices}], S)", grid=grid, **buffers)
    after = scripted(
        f"for block in T.serial(first, first + count): copy(A[{z}, {y}, {x}], S)",
        scalars=["first", "count"],
        attributes={"tt.grid": extents, **OWN},
        **buffers,
    )
    assert_same(MapGrid().rewrite(before), after)


def test_a_symbolic_extent_stays_an_expression():
    before = scripted(
        "copy(A[x, y], S)",
        grid={"x": "n", "y": "n + 1"},
        scalars=["n"],
        A=tensor("n", "n + 1"),
        S=shared(1),
    )
    after = MapGrid().rewrite(before)
    assert [str(extent) for extent in after.attrs[attrs.GRID]] == ["n", "n + 1"]
    (copied,) = tree.collect(Frame.of(after).body, tirx.Evaluate)
    assert "block % n, block // n" in str(copied)


def test_the_loop_runs_over_the_blocks_of_the_core():
    after = MapGrid().rewrite(scripted("copy(A[x], S)", grid={"x": 4}, A=tensor(4), S=shared(1)))
    first, count = after.attrs[attrs.FIRST_BLOCK], after.attrs[attrs.BLOCK_COUNT]
    assert list(after.params[-2:]) == [first, count]
    loop = Frame.of(after).body
    assert loop.min.same_as(first)
    assert loop.extent.same_as(count)


@pytest.mark.parametrize("extents", [(3, 4), (5, 1, 2), (2, 3, 4)])
def test_every_block_of_the_grid_is_visited_once(extents):
    names = "xyz"[: len(extents)]
    grid = dict(zip(names, extents, strict=True))
    before = scripted(f"copy(A[{', '.join(names)}], S)", grid=grid, A=tensor(*extents), S=shared(1))
    loop = Frame.of(MapGrid().rewrite(before)).body
    (load,) = [load for load in tree.collect(loop.body, tirx.BufferLoad) if load.buffer.name == "A"]
    total = 1
    for extent in extents:
        total *= extent
    simplify = arith.Analyzer().simplify
    visited = [
        tuple(int(simplify(substitute(i, {loop.loop_var: tirx.const(n)}))) for i in load.indices)
        for n in range(total)
    ]
    assert len(set(visited)) == total
    assert all(all(i < extent for i, extent in zip(v, extents, strict=True)) for v in visited)
    assert [v[0] for v in visited[: extents[0]]] == list(range(extents[0]))
