"""LowerAtomics: blocks that add to one part of a tensor run on one core, which adds."""

import textwrap

import pytest
import tilelang.language as tl
from helpers import (
    at,
    atomic_add,
    check,
    check_unchanged,
    copy,
    scripted,
    shared,
    tensor,
    until,
)
from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt import diagnostics as errors
from tilelang_tt.analysis import ranges
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.lower_atomics import LowerAtomics

LOWER = LowerAtomics()
F32 = {"dtype": "float32"}
BUFFERS = {
    "C": tensor(256, 256, **F32),
    "D": tensor(2, 256, 64, **F32),
    "V": tensor(64, **F32),
    "S": shared(64, 64, **F32),
    "R": shared(64, **F32),
}
AXIS = 'annotations={"tt.grid_axis": 1}'


def function(body, grid=None, added=(), **held):
    names = {name: shared(*shape, **F32) for name, shape in held.items()}
    attributes = {"tt.added": list(added)} if added else None
    return scripted(body, grid=grid, attributes=attributes, **BUFFERS, **names)


def test_an_axis_that_blocks_share_becomes_a_loop_around_which_the_sum_is_held():
    @T.prim_func(private=True)
    def before(A: T.Buffer((512, 128), "bfloat16"), C: T.Buffer((128, 128), "float32")):
        for bx, by, bz in T.grid(2, 2, 4):
            with T.sblock("tilelang_root"):
                S = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
                copy(A[bz * 128 + by * 64 : bz * 128 + by * 64 + 64, bx * 64 : bx * 64 + 64], S)
                atomic_add(C[by * 64 : by * 64 + 64, bx * 64 : bx * 64 + 64], S)

    @T.prim_func(private=True)
    def expected(A: T.Buffer((512, 128), "bfloat16"), C: T.Buffer((128, 128), "float32")):
        T.func_attr({"tt.added": ["C"]})
        for bx, by in T.grid(2, 2):
            with T.sblock("tilelang_root"):
                S = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
                C_sum = T.sblock_alloc_buffer((64, 64), "float32", scope="shared.dyn")
                copy(C[by * 64 : by * 64 + 64, bx * 64 : bx * 64 + 64], C_sum)
                for bz in T.serial(4, annotations={"tt.grid_axis": 1}):
                    copy(A[bz * 128 + by * 64 : bz * 128 + by * 64 + 64, bx * 64 : bx * 64 + 64], S)
                    for i in T.parallel(64):
                        for j in T.parallel(64):
                            C_sum[i, j] = C_sum[i, j] + T.Cast("float32", S[i, j])
                copy(C_sum, C[by * 64 : by * 64 + 64, bx * 64 : bx * 64 + 64])

    check(LOWER, before, expected)


NEST = """
        for i in T.parallel(64):
            for j in T.parallel(64):
                {held}[i, j] = {held}[i, j] + {value}"""
TILE = "C[by * 64 : by * 64 + 64, 0:64]"
LOWERED = {
    "elements in loops": (
        """
        for i in T.parallel(64):
            for j in T.parallel(64):
                atomic_add_element(C[by * 64 + i, j], S[i, j] * S[i, j])
        """,
        f"copy({TILE}, C_sum)"
        + NEST.format(held="C_sum", value="S[i, j] * S[i, j]")
        + f"\n        copy(C_sum, {TILE})",
    ),
    "one value for all": (
        f"        atomic_add({TILE}, T.float32(2))",
        f"copy({TILE}, C_sum)"
        + NEST.format(held="C_sum", value="T.float32(2)")
        + f"\n        copy(C_sum, {TILE})",
    ),
    "two additions to one part, and what is between them": (
        f"        atomic_add({TILE}, S)\n        fill(S, 1)\n        atomic_add({TILE}, S)",
        f"copy({TILE}, C_sum)"
        + NEST.format(held="C_sum", value="S[i, j]")
        + "\n        fill(S, 1)"
        + NEST.format(held="C_sum", value="S[i, j]")
        + f"\n        copy(C_sum, {TILE})",
    ),
    "loops that do not move the part, a branch that does not matter": (
        f"""
        fill(S, 1)
        if by > 0:
            for k in range(4):
                fill(S, 2)
                if k > 2: atomic_add({TILE}, S)
        """,
        f"""
        fill(S, 1)
        if by > 0:
            copy({TILE}, C_sum)
            for k in range(4):
                fill(S, 2)
                if k > 2:
                    for i in T.parallel(64):
                        for j in T.parallel(64): C_sum[i, j] = C_sum[i, j] + S[i, j]
            copy(C_sum, {TILE})
        """,
    ),
    "additions in both cases of a branch": (
        f"""
        if by > 0: atomic_add({TILE}, S)
        else: atomic_add({TILE}, T.float32(1))
        """,
        f"""
        copy({TILE}, C_sum)
        if by > 0:
            for i in T.parallel(64):
                for j in T.parallel(64): C_sum[i, j] = C_sum[i, j] + S[i, j]
        else:
            for i in T.parallel(64):
                for j in T.parallel(64): C_sum[i, j] = C_sum[i, j] + T.float32(1)
        copy(C_sum, {TILE})
        """,
    ),
}


@pytest.mark.parametrize("body, expected", LOWERED.values(), ids=LOWERED)
def test_the_part_is_held_around_what_does_not_move_it(body, expected):
    body, expected = (textwrap.dedent(" " * 8 + text.strip()) for text in (body, expected))
    grid = {"by": 4}
    check(LOWER, function(body, grid), function(expected, grid, ["C"], C_sum=(64, 64)))


def test_elements_that_are_added_to_one_are_counted_by_a_serial_loop():
    body = """
    for i in T.parallel(64):
        for j in T.parallel(64):
            atomic_add_element(V[j], S[i, j])
    """
    expected = f"""
    copy(V, V_sum)
    for bx in T.serial(4, {AXIS}):
        for i in range(64):
            for j in T.parallel(64):
                V_sum[j] = V_sum[j] + S[i, j]
    copy(V_sum, V)
    """
    check(LOWER, function(body, {"bx": 4}), function(expected, None, ["V"], V_sum=(64,)))


def test_an_addition_on_the_chip_is_an_assignment():
    body = """
    atomic_add(R, T.float32(1))
    for i in T.parallel(64):
        for j in T.parallel(64):
            atomic_add_element(R[j], S[i, j])
    """
    expected = """
    for i in T.parallel(64): R[i] = R[i] + T.float32(1)
    for i in range(64):
        for j in T.parallel(64):
            R[j] = R[j] + S[i, j]
    """
    grid = {"bx": 4}
    check(LOWER, function(body, grid), function(expected, grid))


PART = "D[by, k * 64 : k * 64 + 64, 0:64]"
ADD = """copy({part}, {held})
            for i in T.parallel(64):
                for j in T.parallel(64): {held}[i, j] = {held}[i, j] + S[i, j]
            copy({held}, {part})"""


def test_what_moves_and_comes_back_is_taken_and_given_back():
    body = f"for k in range(4):\n    fill(S, 0)\n    if k > 1: atomic_add({PART}, S)"
    expected = f"""
    T.reads(); T.writes()
    for bx in T.serial(8, {AXIS}):
        T.tensor_take(D.data)
        for k in range(4):
            fill(S, 0)
            if k > 1:
                copy({PART}, D_sum)
                for i in T.parallel(64):
                    for j in T.parallel(64): D_sum[i, j] = D_sum[i, j] + S[i, j]
                copy(D_sum, {PART})
        T.tensor_give(D.data)
    """
    check(
        LOWER,
        function(body, {"bx": 8, "by": 2}),
        function(expected, {"by": 2}, ["D"], D_sum=(64, 64)),
    )


def test_attributes_around_loops_are_looked_through():
    attribute = 'T.reads(); T.writes()\nwith T.attr(0, "threadblock_swizzle_pattern", 1):\n'
    body = f"{attribute}    for k in range(4): atomic_add({PART}, S)"
    add = ADD.format(part=PART, held="D_sum")
    expected = f"{attribute}    for k in range(4):\n            {add}"
    grid = {"by": 2}
    check(LOWER, function(body, grid), function(expected, grid, ["D"], D_sum=(64, 64)))


def test_a_loop_over_one_element_is_serial():
    body = """
    for i in T.parallel(1):
        for j in T.parallel(64):
            atomic_add_element(C[by + i, j], R[j])
    """
    expected = """
    copy(C[by : by + 1, 0:64], C_sum)
    for i in range(1):
        for j in T.parallel(64):
            C_sum[j] = C_sum[j] + R[j]
    copy(C_sum, C[by : by + 1, 0:64])
    """
    grid = {"by": 4}
    check(LOWER, function(body, grid), function(expected, grid, ["C"], C_sum=(64,)))


def test_what_moves_and_never_comes_back_is_not_taken():
    body = f"for k in range(4):\n    atomic_add({PART}, S)"
    expected = f"for k in range(4):\n            {ADD.format(part=PART, held='D_sum')}"
    grid = {"by": 2}
    check(LOWER, function(body, grid), function(expected, grid, ["D"], D_sum=(64, 64)))


def test_parts_that_may_overlap_in_a_loop_are_taken_for_each_addition():
    part = "C[k * 32 : k * 32 + 64, bx * 64 : bx * 64 + 64]"
    body = f"for k in range(4):\n    atomic_add({part}, S)"
    expected = (
        f"T.reads(); T.writes()\nfor k in range(4):\n            T.tensor_take(C.data)\n"
        f"            {ADD.format(part=part, held='C_sum')}\n            T.tensor_give(C.data)"
    )
    grid = {"bx": 4}
    check(LOWER, function(body, grid), function(expected, grid, ["C"], C_sum=(64, 64)))


def test_several_parts_of_a_tensor_are_added_to_one_after_the_other():
    body = "atomic_add(C[0:64, 0:64], S); atomic_add(C[32:96, 0:64], S)"
    one, other = (
        f"T.tensor_take(C.data)\n            {ADD.format(part=part, held=held)}\n"
        "            T.tensor_give(C.data)"
        for part, held in (("C[0:64, 0:64]", "C_sum"), ("C[32:96, 0:64]", "C_sum_1"))
    )
    expected = f"for bx in T.serial(4, {AXIS}):\n            {one}\n            {other}"
    held = {"C_sum": (64, 64), "C_sum_1": (64, 64)}
    check(LOWER, function(body, {"bx": 4}), function(expected, None, ["C"], **held))


def test_an_axis_that_one_of_two_tensors_shares_is_sequential_for_both():
    body = f"atomic_add({TILE}, S); atomic_add(V, R)"
    expected = f"""
    copy(V, V_sum)
    for by in T.serial(4, {AXIS}):
        copy({TILE}, C_sum)
        for i in T.parallel(64):
            for j in T.parallel(64): C_sum[i, j] = C_sum[i, j] + S[i, j]
        copy(C_sum, {TILE})
        for i in T.parallel(64): V_sum[i] = V_sum[i] + R[i]
    copy(V_sum, V)
    """
    held = {"C_sum": (64, 64), "V_sum": (64,)}
    check(LOWER, function(body, {"by": 4}), function(expected, None, ["C", "V"], **held))


def test_an_axis_of_which_a_quotient_is_used_is_two():
    body = "atomic_add(C[h // 4 * 64 : h // 4 * 64 + 64, 0:64], S); fill(S, h)"
    part = "C[h_group * 64 : h_group * 64 + 64, 0:64]"
    expected = f"""
    copy({part}, C_sum)
    for h_rest in T.serial(4, {AXIS}):
        for i in T.parallel(64):
            for j in T.parallel(64): C_sum[i, j] = C_sum[i, j] + S[i, j]
        fill(S, h_group * 4 + h_rest)
    copy(C_sum, {part})
    """
    check(
        LOWER,
        function(body, {"h": 16}),
        function(expected, {"h_group": 4}, ["C"], C_sum=(64, 64)),
    )


QUOTIENTS_OF_WHOLE_AXES = {
    "a quotient that does not divide the axis": ("h // 4 * 64", 6),
    "an axis of unknown extent": ("h // 4 * 64", "n"),
    "a quotient by an unknown number": ("h // n * 64", 8),
}


@pytest.mark.parametrize(
    "start, extent", QUOTIENTS_OF_WHOLE_AXES.values(), ids=QUOTIENTS_OF_WHOLE_AXES
)
def test_another_axis_is_sequential_as_a_whole(start, extent):
    body = f"atomic_add(C[{start} : {start} + 64, 0:64], S)"
    func = scripted(body, grid={"h": extent}, symbols=["n"], **BUFFERS, N=tensor("n", **F32))
    (loop,) = ranges.all_loops(LOWER.rewrite(func))[:1]
    assert (loop.loop_var.name, "tt.grid_axis" in loop.annotations) == ("h", True)


def test_the_first_axis_is_the_innermost_loop():
    expected = f"""
    copy(V, V_sum)
    for by in T.serial(2, {AXIS}):
        for bx in T.serial(4, {AXIS}):
            for i in T.parallel(64): V_sum[i] = V_sum[i] + R[i]
    copy(V_sum, V)
    """
    check(
        LOWER,
        function("atomic_add(V, R)", {"bx": 4, "by": 2}),
        function(expected, None, ["V"], V_sum=(64,)),
    )


def test_a_program_without_additions_stays():
    check_unchanged(LOWER, function("copy(S, C[bx * 64 : bx * 64 + 64, 0:64])", {"bx": 4}))


REFUSED = {
    "what is read elsewhere": (
        "copy(C[0:64, 0:64], S); atomic_add(C[0:64, 0:64], S)",
        errors.UnsupportedAtomic,
        "T.atomic_add to 'C', which the kernel also reads or writes,",
    ),
    "what is written elsewhere": (
        "copy(S, C[0:64, 0:64]); atomic_add(C[0:64, 0:64], S)",
        errors.UnsupportedAtomic,
        "T.atomic_add to 'C', which",
    ),
    "a block of the tensor itself": (
        "atomic_add(C[0:64, 0:64], C[64:128, 0:64])",
        errors.UnsupportedAtomic,
        "T.atomic_add to 'C', which",
    ),
    "elements of the tensor itself": (
        "for i in T.parallel(64): atomic_add_element(V[i], V[63 - i])",
        errors.UnsupportedAtomic,
        "T.atomic_add to 'V', which",
    ),
    "two parts in one loop over elements": (
        "for i in T.parallel(64):\n    atomic_add_element(C[0, i], R[i])\n"
        "    atomic_add_element(C[32, i], R[i])",
        errors.UnsupportedAtomic,
        "T.atomic_add to several parts of 'C' in one loop over elements",
    ),
    "a place that depends on data": (
        "atomic_add(C[T.Cast('int32', R[0]) : T.Cast('int32', R[0]) + 64, 0:64], S)",
        errors.DataDependent,
        "a region depends on the value of 'R'",
    ),
    "a block in a loop over elements": (
        "for i in T.parallel(2): atomic_add(C[i * 64 : i * 64 + 64, 0:64], S)",
        errors.UnsupportedStatement,
        "TT1006",
    ),
    "elements that do not lie side by side": (
        "for i in T.parallel(64): atomic_add_element(C[i * 2, 0], R[i])",
        errors.UnsupportedIndex,
        "TT1010",
    ),
    "a block of another shape": (
        "atomic_add(C[0:32, 0:64], S)",
        errors.RegionMismatch,
        "64x64",
    ),
    "a block of unknown shape": (
        "atomic_add(C[0:bx, 0:64], S)",
        errors.SymbolicRegion,
        "'C'",
    ),
}


@pytest.mark.parametrize("body, error, text", REFUSED.values(), ids=REFUSED)
def test_refused(body, error, text):
    with pytest.raises(error, match=text):
        LOWER.rewrite(function(body, {"bx": 4}))


def test_an_error_names_the_users_line():
    @tl.prim_func
    def kernel(C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            C_l = tl.alloc_fragment((64, 64), "float32")
            tl.copy(C, C_l)
            for i, j in tl.Parallel(64, 64):
                tl.atomic_add(C[i, j], C_l[i, j])  # <- add

    with pytest.raises(errors.UnsupportedAtomic, match=at("TT1003", __file__, "# <- add")):
        LOWER.rewrite(until(kernel, LowerAtomics.name))


def with_annotations(func, annotations):
    """The function with these annotations on its additions."""

    def annotated(stmt):
        if "atomicadd" not in stmt.value.op.name:
            return None
        call = tirx.Call("handle", stmt.value.op, stmt.value.args, annotations)
        return tirx.Evaluate(call)

    return func.with_body(ir_transform(func.body, None, annotated, ["tirx.Evaluate"]))


def test_orders_of_memory_are_hints_and_other_annotations_are_not():
    @tl.prim_func
    def ordered(C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            C_l = tl.alloc_fragment((64, 64), "float32")
            tl.fill(C_l, 1)
            tl.atomic_add(C, C_l, memory_order="release")

    func = until(ordered, LowerAtomics.name)
    assert "atomicadd" not in LOWER.rewrite(func).script()
    other = {"memory_scope": tirx.const(1, "int32")}
    func = with_annotations(func, other)
    with pytest.raises(errors.UnsupportedSemantics, match="the annotation 'memory_scope'"):
        LOWER.rewrite(func)
