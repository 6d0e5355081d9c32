"""Random programs compute what the reference says; and the fuzzer sees a compiler that is wrong."""

from __future__ import annotations

import dataclasses

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from tvm.tirx.stmt_functor import ir_transform

from testing import reference
from testing.fuzz import __main__ as command
from testing.fuzz import check
from testing.fuzz.campaign import COMPILED, SETTINGS, VAGUE, Campaign
from testing.fuzz.program import Line, Nest, Program, Scalar, Symbol, Tensor
from testing.fuzz.strategies import programs
from tilelang_tt import pipeline
from tilelang_tt.diagnostics import UnsupportedAtomic

DERANDOMIZED = hypothesis.settings(SETTINGS, derandomize=True)


@hypothesis.settings(DERANDOMIZED, max_examples=50)
@given(program=programs())
def test_a_random_program_computes_what_the_reference_says(program):
    check.check(program)


@pytest.mark.long
@hypothesis.settings(DERANDOMIZED, max_examples=2000)
@given(program=programs())
def test_many_random_programs_compute_what_the_reference_says(program):
    check.check(program)


@hypothesis.settings(DERANDOMIZED, max_examples=40)
@given(program=programs())
def test_a_random_program_has_a_meaning_that_its_outputs_do_not_change(program):
    """What it writes does not depend on what was there before."""
    outputs = [tensor.name for tensor in program.tensors if tensor.name.startswith("C")]
    assert outputs
    empty = [
        None if isinstance(value, np.ndarray) and tensor.name in outputs else value
        for tensor, value in zip(
            [*program.tensors, *program.scalars], program.arguments(), strict=True
        )
    ]
    found = reference.run(program.function(), empty)
    again = reference.run(program.function(), program.arguments())
    for name in outputs:
        is_written = np.isfinite(found[name].error)
        np.testing.assert_array_equal(found[name].value[is_written], again[name].value[is_written])


EXAMPLE = Program(
    tensors=(Tensor("A0", (32, 64), "bfloat16"), Tensor("C1", (32, 64), "bfloat16")),
    scalars=(Scalar("s0", "float32", 0.5),),
    buffers=(),
    body=(
        Nest(
            "for i, j in T.Parallel(32, 32):",
            (Line("C1[i, bx * 32 + j] = A0[i, bx * 32 + j] - s0"),),
        ),
    ),
    grid=(2,),
    arch="blackhole",
    cores=(2, 1),
    seed=3,
)


def test_a_program_prints_as_its_source():
    assert repr(EXAMPLE) == (
        "# arch=blackhole cores=2x1 seed=3\n"
        "import tilelang.language as T\n\n\n"
        "@T.prim_func\n"
        "def main(\n"
        "    A0: T.Tensor((32, 64), 'bfloat16'),\n"
        "    C1: T.Tensor((32, 64), 'bfloat16'),\n"
        "    s0: T.float32,\n"
        "):\n"
        "    with T.Kernel(2) as bx:\n"
        "        for i, j in T.Parallel(32, 32):\n"
        "            C1[i, bx * 32 + j] = A0[i, bx * 32 + j] - s0\n"
    )


def test_a_dynamic_extent_prints_as_its_name_and_is_a_number():
    rows = Symbol("m", 32)
    tensors = (Tensor("A0", (rows, 64), "bfloat16"), Tensor("C1", (rows, 64), "bfloat16"))
    grid = (2, Symbol("T.ceildiv(m, 32)", 1))
    program = dataclasses.replace(EXAMPLE, tensors=tensors, grid=grid)
    assert 'm = T.dynamic("m")\n' in program.source()
    assert "A0: T.Tensor((m, 64), 'bfloat16')" in program.source()
    assert "T.Kernel(2, T.ceildiv(m, 32)) as (bx, by):" in program.source()
    assert program.arguments()[0].shape == (32, 64)
    assert check.check(program).refused == ""


def test_a_program_has_the_same_arguments_every_time():
    first, second = EXAMPLE.arguments(), EXAMPLE.arguments()
    assert first[2] == second[2] == 0.5
    for a, b in zip(first[:2], second[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], first[1])


def test_a_right_program_agrees():
    outcome = check.check(EXAMPLE)
    assert outcome.refused == ""
    assert outcome.checked > 0.9
    assert outcome.largest < 2.0**-7


@pytest.fixture
def _adds_for_minus(monkeypatch):
    """A compiler that adds where a program subtracts; its device is the reference itself."""

    def broken(program, arguments):
        func = program.function()
        body = ir_transform(func.body, None, lambda node: node.a + node.b, ["tirx.Sub"])
        found = reference.run(func.with_body(body), arguments)
        for tensor, array in zip(program.tensors, arguments, strict=False):
            array[...] = found[tensor.name].value
        return check.Execution(tuple(tensor.name for tensor in program.tensors), "float32")

    monkeypatch.setattr(check, "on_mock", broken)


@pytest.mark.usefixtures("_adds_for_minus")
def test_a_wrong_answer_is_seen():
    with pytest.raises(check.WrongAnswer, match=r"C1: \d+ of 2048 elements are wrong; at"):
        check.check(EXAMPLE)


@pytest.mark.usefixtures("_adds_for_minus")
def test_a_wrong_answer_is_found_and_made_small(tmp_path, capsys):
    assert command.main(["--count", "60", "--seed", "1", "--out", str(tmp_path)]) == 1
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    assert text.startswith("# WrongAnswer: C")
    assert " - " in text
    assert text.removeprefix("# ") in capsys.readouterr().out
    compile(text, str(path), "exec")
    assert len(text.splitlines()) < 30


@pytest.mark.usefixtures("_adds_for_minus")
def test_failures_may_be_collected_instead():
    campaign = Campaign()
    campaign.run(30, 1, keep_going=True)
    assert sum(campaign.tally.values()) == 30
    assert campaign.failures
    assert all(kind.startswith("WrongAnswer") for kind in campaign.failures)


def test_refusals_are_counted_by_code(monkeypatch):
    def refusing(func, options):
        raise UnsupportedAtomic.because(op="T.example")

    monkeypatch.setattr(pipeline, "lower", refusing)
    campaign = Campaign()
    calls = []
    campaign.run(5, 1, each=lambda: calls.append(1))
    assert dict(campaign.tally) == {"TT1003": 5}
    assert len(calls) == 5
    assert campaign.summary() == "5 programs, largest error 0.0e+00\n     5  TT1003"


def test_another_error_of_the_compiler_is_a_failure(monkeypatch):
    def failing(func, options):
        raise KeyError("no such pass")

    monkeypatch.setattr(pipeline, "lower", failing)
    campaign = Campaign()
    campaign.run(5, 1)
    assert list(campaign.failures) == ["KeyError: 'no such pass'"]


def test_the_command_shows_what_came_of_the_programs(capsys):
    assert command.main(["--count", "10", "--seed", "4"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("seed 4\n10 programs")
    assert COMPILED in out


def test_the_command_shows_what_came_of_the_programs_until_it_is_interrupted(capsys, monkeypatch):
    def impatient(program, arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "on_mock", impatient)
    assert command.main(["--count", "10", "--seed", "4"]) == 0
    assert capsys.readouterr().out == ("seed 4\ninterrupted\n0 programs, largest error 0.0e+00\n")


def test_a_bound_that_says_little_is_counted_as_such():
    campaign = Campaign()
    campaign.count(check.Outcome(checked=0.4))
    campaign.count(check.Outcome(checked=0.9, largest=0.25))
    assert dict(campaign.tally) == {VAGUE: 1, COMPILED: 1}
    assert campaign.largest == 0.25
