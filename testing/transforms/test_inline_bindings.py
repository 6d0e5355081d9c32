"""InlineBindings: the value of a binding stands where its name is used."""

import pytest
import tilelang.language as tl
from helpers import (
    at,
    check,
    check_unchanged,
    copy,
    fragment,
    line_marked,
    scripted,
    shared,
    tensor,
)
from tvm import tirx

from tilelang_tt.diagnostics import UnsupportedAtomic
from tilelang_tt.ir import tree
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.inline_bindings import InlineBindings


def test_a_value_stands_where_its_name_was():
    @T.prim_func(private=True)
    def before(A: T.Buffer((128, 64), "bfloat16")):
        for by in range(2):
            with T.sblock("tilelang_root"):
                T.reads()
                T.writes()
                A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
                row: T.int32 = by * 64
                end: T.int32 = row + 64
                copy(A[row : row + 64, 0:64], A_s)
                T.noc_read(A.data, end, A_s.data, 0)

    @T.prim_func(private=True)
    def expected(A: T.Buffer((128, 64), "bfloat16")):
        for by in range(2):
            with T.sblock("tilelang_root"):
                T.reads()
                T.writes()
                A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
                T.evaluate(0)
                T.evaluate(0)
                copy(A[by * 64 : by * 64 + 64, 0:64], A_s)
                T.noc_read(A.data, by * 64 + 64, A_s.data, 0)

    check(InlineBindings(), before, expected)


def test_a_binding_may_come_before_the_loop_whose_variable_it_uses():
    var, bound = tirx.Var("k", "int32"), tirx.Var("twice", "int32")
    S = tirx.decl_buffer((8,), "int32", "S")
    loop = tirx.For(var, 0, 4, tirx.ForKind.SERIAL, tirx.BufferStore(S, bound, [bound]))
    func = tirx.PrimFunc([], tirx.SeqStmt([tirx.Bind(bound, var * 2), loop]))
    (store,) = tree.collect(InlineBindings().rewrite(func).body, tirx.BufferStore)
    assert str(store.value) == str(store.indices[0]) == "k * 2"


def test_statements_keep_their_lines():
    @tl.prim_func
    def kernel(A: tl.Tensor((128, 64), "float32")):
        with tl.Kernel(2) as by:
            A_s = tl.alloc_shared((64, 64), "float32")
            row = by * 64
            tl.copy(A[row, 0], A_s)  # <- copy
            for i, j in tl.Parallel(64, 64):
                A_s[i, j] = A_s[i, j] * row  # <- store

    body = InlineBindings().rewrite(kernel).body
    (store,) = tree.collect(body, tirx.BufferStore)
    lines = {tree.line_of(stmt) for stmt in tree.collect(body, tirx.Evaluate)}
    assert (__file__, line_marked(__file__, "# <- copy")) in lines
    assert tree.line_of(store) == (__file__, line_marked(__file__, "# <- store"))
    assert not tree.collect(body, tirx.Bind)


@pytest.mark.parametrize("body", ["copy(A, S)", "for k in range(4): gemm(S, S, L)"])
def test_untouched(body):
    buffers = {"A": tensor(64, 64), "S": shared(64, 64), "L": fragment(64, 64)}
    check_unchanged(InlineBindings(), scripted(body, **buffers))


@pytest.mark.parametrize("is_used", [False, True])
def test_the_value_that_an_atomic_returns_is_refused(is_used):
    @tl.prim_func
    def kernel(C: tl.Tensor((64,), "float32")):
        with tl.Kernel(1):
            A_l = tl.alloc_fragment((64,), "float32")
            old = tl.atomic_add(C[0], 1.0, return_prev=True)  # <- old
            if is_used:
                for i in tl.Parallel(64):
                    A_l[i] = old

    with pytest.raises(UnsupportedAtomic, match=at("TT1003: the value", __file__, "# <- old")):
        InlineBindings().rewrite(kernel)
