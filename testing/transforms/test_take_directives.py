"""TakeDirectives: what the program asks for is recorded, and leaves the program."""

import pytest
import tilelang.language as tl
from helpers import asked, assert_same, check_unchanged, scripted, shared, tensor, until
from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt import directives
from tilelang_tt.diagnostics import BadDirective
from tilelang_tt.ir import attrs
from tilelang_tt.transforms.rename_versions import RenameVersions
from tilelang_tt.transforms.take_directives import TakeDirectives

PASS = TakeDirectives()
BUFFERS = {"A": tensor(64, 256), "S": shared(64, 64), "R": shared(64, 64)}
LOAD = "copy(A[0:64, k * 64 : k * 64 + 64], S)"


def without_places(func):
    """The function with every directive in its line of p.py."""
    found = [(each.kind, each.target, each.value) for each in attrs.directives(func)]
    return func.with_attr(asked(*found))


def test_recorded_and_gone():
    before = scripted(
        "T.directive('depth', S.data, 3)\n"
        "for k in range(4):\n"
        "    T.directive('split', k, 0)\n"
        f"    {LOAD}\n"
        "    T.directive('multicast', S.data, 1)\n"
        "copy(S, A[0:64, 0:64])",
        **BUFFERS,
    )
    expected = scripted(
        "T.evaluate(0)\n"
        "for k in T.serial(4, annotations={'tt.directives': [1]}):\n"
        "    T.evaluate(0)\n"
        f"    {LOAD}\n"
        "    T.evaluate(0)\n"
        "copy(S, A[0:64, 0:64])",
        attributes=asked(("depth", "S", 3), ("split", "k", 0), ("multicast", "S", 1)),
        **BUFFERS,
    )
    after = without_places(PASS.rewrite(before))
    assert_same(after, expected)
    check_unchanged(PASS, after)


def test_an_axis_of_the_grid_is_a_loop():
    body = "T.directive('cut', by, 2)\ncopy(A[by * 64 : by * 64 + 64, 0:64], S)"
    after = PASS.rewrite(scripted(body, grid={"bx": 4, "by": 1}, **BUFFERS))
    ((directive, loop),) = attrs.of_loops(after, attrs.CUT)
    assert (directive.target, directive.value, loop.loop_var.name) == ("by", 2, "by")


def test_a_program_without_directives_is_untouched():
    check_unchanged(PASS, scripted(f"for k in range(4): {LOAD}", **BUFFERS))


def test_two_loops_of_one_name_are_told_apart():
    loop = f"for k in range(4):\n    T.directive('split', k, {{}})\n    {LOAD}\n"
    after = PASS.rewrite(scripted(loop.format(2) + loop.format(2), **BUFFERS))
    alike = attrs.with_directives(after, [attrs.Directive("split", "k", 2, "p.py:1:1")] * 2)
    (_, first), (_, second) = attrs.of_loops(alike, attrs.SPLIT)
    assert not first.same_as(second)
    assert [loop.annotations[attrs.DIRECTIVES] for loop in (first, second)] == [[0], [1]]


def test_the_front_end_leaves_marks_that_the_pipeline_obeys():
    @tl.prim_func
    def kernel(
        A: tl.Tensor((256, 256), "bfloat16"),
        B: tl.Tensor((256, 256), "bfloat16"),
        C: tl.Tensor((256, 256), "bfloat16"),
    ):
        with tl.Kernel(2, 2) as (bx, by):
            A_s = tl.alloc_shared((128, 64), "bfloat16")
            B_s = tl.alloc_shared((64, 128), "bfloat16")
            C_l = tl.alloc_fragment((128, 128), "float32")
            directives.depth(A_s, 4)
            directives.multicast(B_s, False)
            directives.separate(C_l)
            directives.cut(by, 2)
            tl.clear(C_l)
            for k in tl.Pipelined(4):
                directives.split(k, False)
                tl.copy(A[by * 128, k * 64], A_s)
                tl.copy(B[k * 64, bx * 128], B_s)
                tl.gemm(A_s, B_s, C_l)
            tl.copy(C_l, C[by * 128, bx * 128])

    found = {
        each.kind: (each.target, each.value) for each in attrs.directives(until(kernel, "split"))
    }
    assert found == {
        "depth": ("A_s", 4),
        "multicast": ("B_s", 0),
        "separate": ("C_l", 1),
        "cut": ("by", 2),
        "split": ("k", 1),
    }


REFUSED = {
    "a tensor": ("T.directive('depth', A.data, 3)", "A$", "a buffer that the T.Kernel allocates"),
    "a scalar": ("T.directive('split', n, 3)", "n$", "the variable of a loop"),
    "twice": (
        "T.directive('depth', S.data, 3)\nT.directive('depth', S.data, 3)",
        "S again",
        "each buffer and each loop once",
    ),
    "opposites": (
        "T.directive('fuse', S.data, 1)\nT.directive('separate', S.data, 1)",
        "S again",
        "each buffer and each loop once",
    ),
}


@pytest.mark.parametrize("body, got, expected", REFUSED.values(), ids=REFUSED)
def test_refused(body, got, expected):
    with pytest.raises(BadDirective, match=f"(?m)TT1017.* got {got}") as caught:
        PASS.rewrite(scripted(body, scalars=["n"], **BUFFERS))
    assert expected in str(caught.value)


def test_names_that_stand_for_several_buffers_are_refused():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 128), "bfloat16"), C: tl.Tensor((64, 128), "bfloat16")):
        with tl.Kernel(1):
            for _ in range(1):
                S = tl.alloc_shared((64, 128), "bfloat16")
                tl.copy(A, S)
            S = tl.alloc_shared((64, 128), "bfloat16")
            directives.depth(S, 2)
            tl.copy(A, S)
            tl.copy(S, C)

    with pytest.raises(BadDirective, match="S, as several are called"):
        until(kernel, "split")


ARGUMENTS = {
    "no buffer": (lambda: directives.depth(3, 3), "a whole buffer"),
    "no blocks": (
        lambda: directives.depth(tirx.decl_buffer((32, 32)), 0),
        "a positive Python integer",
    ),
    "a fraction": (
        lambda: directives.cut(tirx.Var("n", "int32"), 1.5),
        "a positive Python integer",
    ),
    "a choice": (lambda: directives.multicast(tirx.decl_buffer((32, 32)), 1), "True or False"),
    "no loop": (lambda: directives.split(4, 2), "the variable of a loop"),
    "no parts": (lambda: directives.split(tirx.Var("n", "int32"), -1), "a positive Python integer"),
}


@pytest.mark.parametrize("call, expected", ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments_are_checked_at_once(call, expected):
    with pytest.raises(BadDirective, match=expected):
        call()


def test_a_loop_may_be_called_like_a_buffer():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 256), "bfloat16"), C: tl.Tensor((64, 256), "bfloat16")):
        with tl.Kernel(1):
            n = tl.alloc_shared((64, 64), "bfloat16")
            directives.depth(n, 3)
            for k in tl.serial(4):
                tl.copy(A[0, k * 64], n)
                tl.copy(n, C[0, k * 64])

    renamed = ir_transform(kernel.body, None, _called_n, ["tirx.For"])
    (found,) = attrs.directives(PASS.rewrite(kernel.with_body(renamed)))
    assert found.target == "n"


def _called_n(loop):
    var = tirx.Var("n", "int32")
    body = substitute(loop.body, {loop.loop_var: var})
    return tirx.For(var, loop.min, loop.extent, loop.kind, body, loop.thread_binding)


def test_versions_of_a_buffer_inherit_what_is_asked_about_it():
    body = "copy(A[0:64, 0:64], S)\ncopy(S, A[0:64, 64:128])\ncopy(A[0:64, 0:64], S)\n"
    body = body.replace("copy(S, A", "copy(S, C") + "copy(S, C[0:64, 0:64])"
    buffers = {**BUFFERS, "C": tensor(64, 256), "S_1": shared(64, 64)}
    body += "\ncopy(A[0:64, 0:64], S_1)\ncopy(S_1, C[0:64, 128:192])"
    func = scripted(
        body,
        attributes=asked(("depth", "S", 3), ("split", "k", 2), ("depth", "S_1", 4)),
        **{name: buffer for name, buffer in buffers.items() if name != "R"},
    )
    found = attrs.directives(RenameVersions().rewrite(func))
    assert [(each.kind, each.target, each.value) for each in found] == [
        ("depth", "S", 3),
        ("split", "k", 2),
        ("depth", "S_1_1", 4),
        ("depth", "S_1", 3),
    ]
