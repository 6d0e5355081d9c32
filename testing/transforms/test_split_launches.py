"""split_launches: a function of its own for each T.Kernel, with the parameters of all."""

import pytest
import tilelang.language as tl
from helpers import at
from tvm import ir, tirx

from tilelang_tt.diagnostics import MisplacedCode, UnsetSum, UnsupportedSemantics
from tilelang_tt.ir import tree
from tilelang_tt.transforms.split_launches import split_launches

F32 = "float32"


def halves(rows):
    """Two regions that share a name, a scalar, a dynamic extent and a workspace."""

    @tl.prim_func
    def kernel(A: tl.Tensor((rows, 64), F32), n: tl.int32, C: tl.Tensor((rows, 64), F32)):
        W = tl.alloc_global((rows, 32), F32)
        blocks = n // 32
        with tl.Kernel(blocks) as bx:
            tl.copy(A[bx * 32 : bx * 32 + 32, 0:32], W[bx * 32 : bx * 32 + 32, 0:32])
        with tl.Kernel(blocks, 2) as (bx, by):
            tl.copy(W[bx * 32 : bx * 32 + 32, 0:32], C[bx * 32, by * 32])

    return kernel


def alone():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(2) as bx:
            tl.copy(A[bx * 32 : bx * 32 + 32, 0:64], C[bx * 32 : bx * 32 + 32, 0:64])

    return kernel


def names(func):
    return [
        func.buffer_map[param].name if param in func.buffer_map else param.name
        for param in func.params
    ]


def test_every_region_becomes_a_function_of_all_parameters():
    func = halves(tl.dynamic("m"))
    launches = split_launches(func)
    assert [str(each.attrs["global_symbol"]) for each in launches.functions] == [
        "kernel_1",
        "kernel_2",
    ]
    assert [names(each) for each in launches.functions] == [["A", "n", "C", "W"]] * 2
    assert [buffer.name for buffer in launches.workspaces] == ["W"]
    for number, each in enumerate(launches.functions):
        assert list(each.params)[:3] == list(func.params)
        assert isinstance(each.body, tirx.For)
        loops = [
            loop for loop in tree.collect(each.body, tirx.For) if loop.thread_binding is not None
        ]
        assert len(loops) == number + 1
        assert not any(
            isinstance(var, tirx.Var) and var.name == "blocks"
            for var in tree.collect(each.body, tirx.Var)
        )


def test_the_only_region_keeps_the_name_and_the_parameters():
    func = alone()
    launches = split_launches(func)
    (own,) = launches.functions
    assert str(own.attrs["global_symbol"]) == "kernel"
    assert names(own) == ["A", "C"]
    assert not launches.workspaces


def test_what_is_split_is_split_no_further():
    for func in split_launches(halves(64)).functions:
        again = split_launches(func)
        assert not again.workspaces
        (same,) = again.functions
        assert str(same.attrs["global_symbol"]) == str(func.attrs["global_symbol"])
        ir.assert_structural_equal(same.body, func.body, map_free_vars=True)


def loop_of_kernels():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32), n: tl.int32):
        for _ in tl.serial(n):  # <- loop
            with tl.Kernel(1):
                tl.copy(A, C)

    return kernel


def branch_of_kernels():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32), n: tl.int32):
        with tl.Kernel(1):
            tl.copy(A, C)
        if n > 2:  # <- branch
            with tl.Kernel(1):
                tl.copy(A, C)

    return kernel


def nested():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        with tl.Kernel(2) as bx:  # <- nested
            tl.copy(A[bx * 32, 0], C[bx * 32 : bx * 32 + 32, 0:64])
            with tl.Kernel(2) as by:
                tl.copy(A[by * 32, 0], C[by * 32 : by * 32 + 32, 0:64])

    return kernel


def element_read_by_the_host():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        first = A[0, 0]  # <- element
        with tl.Kernel(1):
            for i, j in tl.Parallel(64, 64):
                C[i, j] = first

    return kernel


def shared_by_kernels():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        S = tl.alloc_shared((64, 64), F32)
        with tl.Kernel(1):
            tl.copy(A, S)
        with tl.Kernel(1):
            tl.copy(S, C)

    return kernel


def no_kernel():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32)):
        tl.evaluate(0)

    return kernel


@pytest.mark.parametrize(
    "make, text, marker",
    [
        (loop_of_kernels, "a For statement stands outside of a T.Kernel", "# <- loop"),
        (branch_of_kernels, "a IfThenElse statement stands outside of a T.Kernel", "# <- branch"),
        (nested, "a T.Kernel stands inside of another", "# <- nested"),
        (element_read_by_the_host, "'A' is read outside of a T.Kernel", "# <- element"),
    ],
)
def test_code_outside_of_a_region_is_refused(make, text, marker):
    with pytest.raises(MisplacedCode, match=at(f"TT1012: {text}", __file__, marker)):
        split_launches(make())


@pytest.mark.parametrize(
    "make, text",
    [
        (shared_by_kernels, "'S' is allocated outside of a T.Kernel"),
        (no_kernel, "there is no T.Kernel"),
    ],
)
def test_a_function_that_is_no_sequence_of_regions_is_refused(make, text):
    with pytest.raises(MisplacedCode, match=f"TT1012: {text}; a function is T.Kernel regions"):
        split_launches(make())


def test_an_annotation_of_the_function_is_refused():
    func = halves(64)
    root = tree.block_with(func.body.block, annotations={"colour": 1})
    body = tirx.SBlockRealize([], tirx.const(True, "bool"), root)
    with pytest.raises(UnsupportedSemantics, match="TT1014: the annotation 'colour' of the"):
        split_launches(func.with_body(body))


def sums(form, *, cleared):
    """C = A, added to what is allocated."""

    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), F32), C: tl.Tensor((64, 64), F32)):
        if cleared:
            with tl.Kernel(1):
                C_s = tl.alloc_shared((64, 64), F32)
                tl.clear(C_s)
                tl.copy(C_s, C)
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), F32)
            tl.copy(A, A_s)
            if form == "tile":
                tl.atomic_add(C, A_s)  # <- added tile
            else:
                for i, j in tl.Parallel(64, 64):
                    tl.atomic_add(C[i, j], A_s[i, j])  # <- added element

    return kernel


@pytest.mark.parametrize("form", ["tile", "element"])
def test_what_the_caller_allocates_has_no_values_to_add_to(form):
    func = sums(form, cleared=False).with_attr("tilelang_out_idx", [-1])
    text = "TT3007: T.atomic_add adds to 'C'"
    with pytest.raises(UnsetSum, match=at(text, __file__, f"# <- added {form}")):
        split_launches(func)


@pytest.mark.parametrize("outputs", [[], [-1]])
def test_what_is_passed_or_was_written_before_may_be_added_to(outputs):
    func = sums("tile", cleared=bool(outputs)).with_attr("tilelang_out_idx", outputs)
    assert len(split_launches(func).functions) == 1 + len(outputs)


def test_outputs_are_counted_from_the_last_parameter_of_the_user():
    func = halves(64).with_attr("tilelang_out_idx", [-1])  # which has a workspace, too
    assert len(split_launches(func).functions) == 2
