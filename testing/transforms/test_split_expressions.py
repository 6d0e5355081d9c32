"""SplitExpressions: what needs more destination registers than there are is computed in steps."""

import pytest
from helpers import check_unchanged, fragment, scripted

from tilelang_tt.analysis import access
from tilelang_tt.analysis.expression import slots_needed
from tilelang_tt.ir.frame import Frame
from tilelang_tt.transforms.split_expressions import SplitExpressions

BUFFERS = {name: fragment(32, 32, dtype="float32") for name in "ABCDP"}


def tree_of(depth, names="ABCD"):
    """An expression that needs `depth` registers: every operand is computed."""
    if depth == 1:
        return f"T.exp({names[0]}[i, j])"
    turned = names[1:] + names[:1]
    return f"({tree_of(depth - 1, names)} * {tree_of(depth - 1, turned)})"


def program(value):
    nest = f"for i in T.parallel(32):\n    for j in T.parallel(32): P[i, j] = {value}\n"
    return scripted(nest, **BUFFERS)


@pytest.mark.parametrize("depth", [5, 6, 8])
def test_every_step_fits(depth):
    after = SplitExpressions(4).rewrite(program(tree_of(depth)))
    views = [view for _, view in access.leaves(Frame.of(after).body)]
    assert len(views) > 1
    assert all(slots_needed(view.store.value) <= 4 for view in views)
    assert views[-1].dst.name == "P"
    made = {view.dst.name for view in views[:-1]}
    assert made == {buffer.name for buffer in Frame.of(after).buffers} - set(BUFFERS)
    check_unchanged(SplitExpressions(4), after)


@pytest.mark.parametrize("depth", [1, 3, 4])
def test_what_fits_stays(depth):
    check_unchanged(SplitExpressions(4), program(tree_of(depth)))


def test_a_part_is_stored_in_its_own_dtype():
    value = f"T.Cast('float32', T.Cast('int32', {tree_of(4)})) * {tree_of(4)}"
    after = SplitExpressions(4).rewrite(program(value))
    parts = [b for b in Frame.of(after).buffers if b.name not in BUFFERS]
    assert {part.dtype for part in parts} <= {"float32", "int32"}
