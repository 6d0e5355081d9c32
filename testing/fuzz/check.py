"""One program through the reference interpreter and the mock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from testing import reference
from testing.fuzz.program import Program
from tilelang_tt import pipeline
from tilelang_tt.codegen import artifact
from tilelang_tt.diagnostics import CompileError
from tilelang_tt.options import Options
from tilelang_tt.plan import Plan
from tilelang_tt.runtime import binding, mock_run

VAGUE = 0.5
"""A bound larger than this share of the largest value, or than this where all are 0, says little
about an element."""


class WrongAnswer(AssertionError):
    """The mock's result is further from the reference's than the formats allow."""


@dataclass(frozen=True)
class Outcome:
    """What came of a program.

    Attributes:
        refused: the code of the compiler's refusal; empty where it compiled.
        checked: the share of the results' elements that the bounds say something about.
        largest: the largest error, relative to the largest value of its tensor.
    """

    refused: str = ""
    checked: float = 1.0
    largest: float = 0.0


@dataclass(frozen=True)
class Execution:
    """How a program ran: which tensors it wrote, and the dtype of the destination registers."""

    written: tuple[str, ...]
    registers: str


def on_mock(program: Program, arguments: Sequence[np.ndarray | float]) -> Execution:
    """Compile the program and run it on the mock; arrays are written in place.

    Raises:
        CompileError: the compiler refuses it.
        Exception: whatever goes wrong in the compiler or the mock.
    """
    options = Options(arch=program.arch, grid=program.cores, execution="mock")
    built = artifact.build(pipeline.lower(program.function(), options), "main", options)
    bound = binding.bind(built.plan, binding.checked(built.plan, arguments))
    mock_run.run(built, bound)
    written = tuple(tensor.name for tensor in built.plan.tensors if tensor.is_written)
    return Execution(written, _registers(built.plan))


def check(program: Program) -> Outcome:
    """Compile, run and compare.

    Raises:
        WrongAnswer: a result differs.
        Exception: whatever else goes wrong, in the compiler, the mock or the reference.
    """
    arguments = program.arguments()
    try:
        execution = on_mock(program, arguments)
    except CompileError as error:
        return Outcome(refused=error.code)
    expected = reference.run(program.function(), program.arguments(), registers=execution.registers)
    arrays = {
        tensor.name: array
        for tensor, array in zip(program.tensors, arguments, strict=False)
        if isinstance(array, np.ndarray)
    }
    outcomes = [_compared(name, arrays[name], expected[name]) for name in execution.written]
    return Outcome(
        checked=min(outcome.checked for outcome in outcomes),
        largest=max(outcome.largest for outcome in outcomes),
    )


def _registers(plan: Plan) -> str:
    """The dtype of the destination registers; 16-bit ones hold one of the two 16-bit formats."""
    if plan.fp32_dest_acc:
        return "float32"
    dtypes = {buffer.dtype for buffer in plan.circular_buffers}
    return "float16" if "float16" in dtypes else "bfloat16"


def _compared(name: str, actual: np.ndarray, expected: reference.Bounded) -> Outcome:
    agreement = reference.compare(actual, expected)
    if agreement.wrong:
        raise WrongAnswer(f"{name}: {agreement.text}")
    values = expected.value[np.isfinite(expected.value)]
    scale = float(np.abs(values).max(initial=0.0)) or 1.0
    is_checked = np.broadcast_to(expected.error <= VAGUE * scale, expected.value.shape)
    return Outcome(checked=float(is_checked.mean()), largest=agreement.largest)
