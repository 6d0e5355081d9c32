"""The whole pipeline: what it makes, that it skips nothing, and that it is deterministic."""

import importlib
import pkgutil
import re

import pytest
import tilelang.language as tl
from helpers import OPTIONS
from programs import PROGRAMS, add, dynamic, gemm, scaled
from tvm.ir.instrument import pass_instrument
from tvm.ir.transform import Pass, PassContext

from tilelang_tt import pipeline, transforms
from tilelang_tt.codegen import artifact
from tilelang_tt.diagnostics import BrokenStage
from tilelang_tt.ir import attrs, verify
from tilelang_tt.options import Options


def compiled(func, options=OPTIONS):
    return artifact.build(pipeline.lower(func, options), "program", options)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_becomes_three_kernels(program):
    built = compiled(program())
    assert set(built.sources) == {f"{role}.cpp" for role in attrs.ENGINES}
    assert "noc_async_read_page" in built.sources["reader.cpp"]
    assert "pack_tile<true>" in built.sources["compute.cpp"]
    assert "noc_async_write_page" in built.sources["writer.cpp"]


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_what_is_reserved_is_published_and_what_is_awaited_is_freed(program):
    sources = compiled(program()).sources
    for text in sources.values():
        assert text.count("cb_reserve_back") == text.count("cb_push_back")
        assert text.count("cb_wait_front") == text.count("cb_pop_front")
    together = "".join(sources.values())  # a loop whose last step is peeled waits twice for a push
    pushed, awaited = (
        set(re.findall(rf"{call}\((cb_\w+)", together))
        for call in ("cb_push_back", "cb_wait_front")
    )
    assert pushed == awaited


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_lowering_twice_gives_the_same(program):
    first, second = compiled(program()), compiled(program())
    assert first.sources == second.sources
    assert first.plan == second.plan
    func = program()
    assert compiled(func).sources == compiled(func).sources


def one_name():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1) as bx:
            tile = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[bx * 64, 0], tile)
            for row, column in tl.Parallel(64, 64):
                tile[row, column] = tl.exp(tile[row, column])
            tl.copy(tile, C)

    return kernel


def another_name():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1) as x:
            zebra = tl.alloc_shared((64, 64), "float32")
            tl.copy(A[x * 64, 0], zebra)
            for i, j in tl.Parallel(64, 64):
                zebra[i, j] = tl.exp(zebra[i, j])
            tl.copy(zebra, C)

    return kernel


def test_names_decide_names_only():
    def code(func):
        """The sources without comments, with one name for the buffer of either program."""
        text = "".join(compiled(func).sources.values())
        text = re.sub(r"//.*", "", text)
        return re.sub(r"\b(cb_)?(?:tile|zebra)(_\d+)?(_pages|_page_bytes)?\b", r"\1X\2\3", text)

    assert code(one_name()) == code(another_name())


def test_no_pass_is_skipped():
    ran = []

    @pass_instrument
    class Record:
        def run_before_pass(self, _mod, info):
            ran.append(str(info.name))

    with PassContext(instruments=[Record()]):
        pipeline.lower(gemm(), OPTIONS)
    wanted = [_name(step) for step in (*pipeline.tile_program(OPTIONS), *pipeline.streams(OPTIONS))]
    for role in attrs.ENGINES:
        wanted += [_name(step) for step in (*pipeline.KERNELS[role], *pipeline.FINISH)]
    assert [name for name in ran if name in set(wanted)] == [n for n in wanted if n is not None]


def _name(step):
    if isinstance(step, verify.Stage):
        return None
    return str(step.info.name) if isinstance(step, Pass) else step.name


def test_every_pass_of_the_package_is_in_the_pipeline():
    steps = [*pipeline.tile_program(OPTIONS), *pipeline.streams(OPTIONS), *pipeline.FINISH]
    steps += [step for kernel in pipeline.KERNELS.values() for step in kernel]
    used = {type(step) for step in steps}
    for info in pkgutil.iter_modules(transforms.__path__):
        module = importlib.import_module(f"tilelang_tt.transforms.{info.name}")
        passes = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and value.__module__ == module.__name__
            and "rewrite" in vars(value)
            and info.name != "function_pass"
        ]
        assert set(passes) <= used
        for pass_ in passes:
            words = "".join(word.capitalize() for word in info.name.split("_"))
            assert pass_.__name__ == words
            names = [step.name for step in steps if type(step) is pass_]
            assert names == [f"tt.{words}"] * len(names)


def test_a_broken_stage_stops_the_pipeline(monkeypatch):
    """The verifier runs: a rule that nothing keeps is noticed."""
    stage = verify.Stage("Metalium", (lambda _func: "nothing is right",))
    monkeypatch.setattr(pipeline, "FINISH", (*pipeline.FINISH[:-1], stage))
    with pytest.raises(BrokenStage, match=r"after tt.FinalizeArguments .* Metalium: nothing is"):
        pipeline.lower(add(), OPTIONS)


def test_a_dynamic_extent_says_how_many_blocks_there_are():
    built = compiled(dynamic())
    assert built.plan.blocks == ("(rows + 31) // 32",)
    assert [param.shape for param in built.plan.tensors] == [("rows", 64), ("rows", 64)]
    assert "rows" not in built.sources["reader.cpp"], "no block lies outside of the tensor"


def test_a_scalar_becomes_an_argument_of_the_compute_kernel():
    plan = compiled(scaled()).plan
    common = {
        kernel.role: [(a.kind, a.name) for a in kernel.common_args] for kernel in plan.kernels
    }
    assert common == {
        "reader": [("address", "A")],
        "compute": [("scalar", "alpha")],
        "writer": [("address", "C")],
    }
    assert [param.name for param in plan.params] == ["A", "C", "alpha"]


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_transposed_operands(transpose_a, transpose_b):
    built = compiled(gemm(transpose_a, transpose_b))
    compute = built.sources["compute.cpp"]
    assert ("transpose_tile(" in compute) == transpose_a
    (call,) = [line for line in compute.splitlines() if "matmul_block(" in line]
    assert call.split(",")[5].strip() == str(int(transpose_b))
    assert built.plan.circular_buffer("B_s").order == ("column" if transpose_b else "row")


def test_only_written_tensors_are_marked_so():
    plan = compiled(add()).plan
    assert {tensor.name: tensor.is_written for tensor in plan.tensors} == {
        "A": False,
        "B": False,
        "C": True,
    }


@pytest.mark.parametrize("fp32_acc", [True, False])
def test_options_reach_the_plan(fp32_acc):
    options = Options(arch="blackhole", grid=(2, 3), fidelity="LoFi", fp32_acc=fp32_acc)
    plan = compiled(add("bfloat16"), options).plan
    assert (plan.arch, plan.grid, plan.fidelity) == ("blackhole", (2, 3), "LoFi")
    assert plan.fp32_dest_acc is fp32_acc
