"""LowerReducers: reducers are buffers that loops add up in."""

import math

import pytest
import tilelang
import tilelang.language as tl
from tvm import IRModule, tirx

from tilelang_tt.diagnostics import UnsupportedReduction
from tilelang_tt.ir import tree
from tilelang_tt.ir.tileops import Copy, Fill, leaf
from tilelang_tt.transforms.inline_bindings import InlineBindings
from tilelang_tt.transforms.lower_reducers import LowerReducers


def lowered(func):
    func = InlineBindings().rewrite(func)
    launched = tilelang.transform.MaterializeKernelLaunch(False, False, None)
    (func,) = launched(IRModule({"main": func})).functions.values()
    return LowerReducers().rewrite(func)


def program(op, start=None):
    @tl.prim_func
    def rows(A: tl.Tensor((64, 32), "float32"), S: tl.Tensor((64,), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 32), "float32")
            total = tl.alloc_reducer((64,), "float32", op=op)
            s = tl.alloc_fragment((64,), "float32")
            tl.copy(A, A_s)
            if start is None:
                tl.reducer_init(total)
            else:
                tl.reducer_init(total, start)
            for i, j in tl.Parallel(64, 32):
                tl.reducer_update(total[i], A_s[i, j])
            tl.finalize_reducer(total, s)
            tl.copy(s, S)

    return rows


def views(func, kind):
    found = (leaf(stmt) for stmt in tree.collect(func.body, tirx.Evaluate))
    return [view for view in found if isinstance(view, kind)]


@pytest.mark.parametrize(
    ("op", "join", "neutral"),
    [("sum", tirx.Add, 0.0), ("max", tirx.Max, -math.inf), ("min", tirx.Min, math.inf)],
)
def test_a_contribution_is_an_assignment_in_a_serial_loop(op, join, neutral):
    after = lowered(program(op))
    (fill,) = views(after, Fill)
    assert (fill.dst.buffer.name, fill.value.value) == ("total", neutral)
    (store,) = tree.collect(after.body, tirx.BufferStore)
    assert isinstance(store.value, join)
    assert store.value.a.buffer.same_as(store.buffer)
    kinds = {loop.loop_var.name: loop.kind for loop in tree.collect(after.body, tirx.For)}
    assert (kinds["i"], kinds["j"]) == (tirx.ForKind.PARALLEL, tirx.ForKind.SERIAL)
    assert [view.src.buffer.name for view in views(after, Copy)] == ["A", "total", "s"]
    (block,) = [b for b in tree.collect(after.body, tirx.SBlock) if b.name_hint != "root"]
    assert not any("reducer" in key for key in block.annotations)


def test_a_reducer_may_start_with_a_value():
    (fill,) = views(lowered(program("sum", 2.0)), Fill)
    assert fill.value.value == 2.0


def test_a_program_without_reducers_stays():
    func = lowered(program("sum"))
    assert LowerReducers().rewrite(func).same_as(func)


def test_other_reducers_are_refused():
    @tl.prim_func
    def bits(A: tl.Tensor((64, 32), "int32"), S: tl.Tensor((64,), "int32")):
        with tl.Kernel(1):
            total = tl.alloc_reducer((64,), "int32", op="bitor")
            s = tl.alloc_fragment((64,), "int32")
            tl.reducer_init(total)
            for i, j in tl.Parallel(64, 32):
                tl.reducer_update(total[i], A[i, j])
            tl.finalize_reducer(total, s)
            tl.copy(s, S)

    with pytest.raises(UnsupportedReduction, match="a reducer of bitor"):
        lowered(bits)
