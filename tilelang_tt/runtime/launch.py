"""The function that a compiled host program calls.

From raw pointers to a run on the mock or on a device.
"""

from __future__ import annotations

import contextvars
import ctypes
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.codegen.workload import Workload, unpack
from tilelang_tt.mock import Report
from tilelang_tt.plan import Scalar, Tensor
from tilelang_tt.runtime import binding, mock_run, ttnn_run
from tilelang_tt.runtime.binding import Binding, Value


@dataclass
class _Recording:
    """Where the reports of launches go, by the name of the plan, and whether they hold
    intervals."""

    reports: dict[str, Report]
    trace: bool


_recording: contextvars.ContextVar[_Recording | None] = contextvars.ContextVar(
    "recording", default=None
)


@contextmanager
def recorded(trace: bool = False) -> Iterator[dict[str, Report]]:
    """Collect what the mock reports of every plan's last launch inside the `with`, by the plan's
    name; `trace` adds intervals."""
    recording = _Recording({}, trace)
    token = _recording.set(recording)
    try:
        yield recording.reports
    finally:
        _recording.reset(token)


def launch(blob: str, *raw: object) -> None:
    """Run the workload `blob` on arguments as TVM passes them.

    A pointer and its extents for a tensor, or a scalar.
    """
    workload = unpack(str(blob))
    run_all(workload, _arguments(workload, raw))


def run_all(workload: Workload, arguments: Sequence[Value]) -> None:
    """Run every step in order; none runs where the arguments do not fit all."""
    launches = binding.bind_all(workload, arguments)
    for step, bound in zip(workload.steps, launches, strict=True):
        run(step, bound)


def run(artifact: Artifact, bound: Binding) -> None:
    """Run on what the plan's `execution` says; "auto" means a device or simulator where one is."""
    if not bound.block_count:
        return
    if ttnn_run.is_chosen(artifact.plan.execution):
        ttnn_run.run(artifact, bound)
        return
    recording = _recording.get()
    report = mock_run.run(artifact, bound, recording is not None and recording.trace)
    if recording is not None:
        recording.reports[artifact.plan.name] = report


def _arguments(workload: Workload, raw: Sequence[object]) -> list[Value]:
    rest = iter(raw)
    return [_argument(param, rest) for param in workload.params]


def _argument(param: Tensor | Scalar, rest: Iterator[object]) -> Value:
    value = next(rest)
    if isinstance(param, Scalar):
        assert isinstance(value, int | float), param
        return value
    shape = tuple(int(str(next(rest))) for _ in param.shape)
    assert isinstance(value, ctypes.c_void_p | None), param  # None is the address of nothing
    return _view(value, shape, binding.element_type(param.dtype))


def _view(
    pointer: ctypes.c_void_p | None, shape: tuple[int, ...], element: type[np.unsignedinteger]
) -> npt.NDArray[np.unsignedinteger]:
    """The memory at `pointer` as an array; no copy."""
    count = math.prod(shape)
    if count == 0:
        return np.empty(shape, element)
    assert pointer is not None
    assert pointer.value is not None
    memory = (ctypes.c_char * (count * np.dtype(element).itemsize)).from_address(pointer.value)
    return np.frombuffer(memoryview(memory), element, count).reshape(shape)
