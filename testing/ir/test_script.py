"""Printed functions parse: after every pass, and into the same function."""

import pytest
import tvm
from helpers import OPTIONS
from programs import add, gemm
from tvm import IRModule, tirx
from tvm.ir.transform import Pass

from tilelang_tt import pipeline
from tilelang_tt.ir import ops, tree, verify
from tilelang_tt.ir.script import T, normal, parse
from tilelang_tt.transforms.function_pass import as_tvm_pass
from tilelang_tt.transforms.split_kernels import split_kernels


def stages(func):
    """The function after every pass, by the pass's name."""

    def run(func, steps, prefix=""):
        for step in steps:
            if not isinstance(step, verify.Stage):
                pass_ = step if isinstance(step, Pass) else as_tvm_pass(step)
                (func,) = pass_(IRModule({"main": func})).functions.values()
                yield prefix + pass_.info.name, func

    for name, stage in run(func, [*pipeline.tile_program(OPTIONS), *pipeline.streams(OPTIONS)]):
        func = stage
        yield name, stage
    kernels = split_kernels(func)
    for role, steps in pipeline.KERNELS.items():
        yield role, kernels[role]
        yield from run(kernels[role], [*steps, *pipeline.FINISH], f"{role} ")


@pytest.mark.parametrize("program", [add, gemm])
def test_functions_of_every_stage_come_back(program):
    seen = []
    for name, func in stages(program()):
        parsed = normal(func)
        tvm.ir.assert_structural_equal(normal(parsed), parsed, map_free_vars=True)
        printed = [op.name for op in _operations(func)]
        assert [op.name for op in _operations(parsed)] == printed, name
        seen.append(name)
    assert len(seen) > 25


def _operations(func):
    return [
        op
        for stmt in tree.collect(func.body, tirx.Evaluate)
        if (op := ops.definition(stmt)) is not None
    ]


def test_every_operation_has_a_name_in_scripts():
    for name, op in ops.BY_NAME.items():
        args = [tirx.const(0, "int32")] * len(op.operands)
        call = getattr(T, name.removeprefix("tt."))(*args)
        assert call.op.same_as(op.op)
        assert call.dtype == op.result


def test_names_of_tvm_stay():
    assert T.prim_func is not None
    assert T.Cast("float32", tirx.Var("n", "int32")).dtype == "float32"
    assert T.exp(tirx.Var("x", "float32")).op.name == "tirx.exp"


def test_an_unknown_name_is_an_error():
    with pytest.raises(AttributeError, match="'frobnicate'"):
        _ = T.frobnicate


def test_parse_reads_what_was_printed():
    text = (
        "@T.prim_func(private=True)\n"
        "def main(A: T.Buffer((4,), 'float32')):\n    A[0] = T.float32(1)"
    )
    func = parse(text)
    tvm.ir.assert_structural_equal(parse(func.script()), func)


def test_functions_that_differ_are_told_apart():
    text = (
        "@T.prim_func(private=True)\n"
        "def main(A: T.Buffer((4,), 'float32'), B: T.Buffer((4,), 'float32')):\n    {} = {}"
    )
    left, right = parse(text.format("A[0]", "B[0]")), parse(text.format("B[0]", "A[0]"))
    assert not tvm.ir.structural_equal(left, right, map_free_vars=True)
