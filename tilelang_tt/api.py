"""What a user can ask of a kernel that TileLang compiled for the target "tenstorrent"."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tilelang.jit.kernel import JITKernel

from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.codegen.workload import Workload
from tilelang_tt.diagnostics import BadArtifact, NotProfiled, SeveralPrograms
from tilelang_tt.mock import Report, sequence
from tilelang_tt.recurrences import drawing
from tilelang_tt.recurrences.joint import Objective
from tilelang_tt.runtime import binding, launch
from tilelang_tt.runtime import saved as _saved
from tilelang_tt.summary import summary


def workload(kernel: JITKernel) -> Workload:
    """All programs of a compiled kernel, one for each T.Kernel, whether fresh or from TileLang's
    cache.

    Raises:
        BadArtifact: the kernel was not compiled for this target.
    """
    try:
        return Workload.from_listing(kernel.get_kernel_source())
    except ValueError as error:
        raise BadArtifact.because(path="the kernel", why=error) from error


def artifact(kernel: JITKernel) -> Artifact:
    """The plan and the sources of a compiled kernel that has one T.Kernel.

    Raises:
        BadArtifact: the kernel was not compiled for this target.
        SeveralPrograms: the kernel has several T.Kernel; `workload` gives them all.
    """
    steps = workload(kernel).steps
    if len(steps) != 1:
        raise SeveralPrograms.because(count=len(steps))
    return steps[0]


def save(kernel: JITKernel, folder: str | Path) -> list[Path]:
    """Write the three kernel sources, the plan and two host programs to `folder`; returns paths.

    `host.py` in that folder launches the kernels with numpy and ttnn alone. Where a kernel has
    several T.Kernel, each has a folder of its own in it, and the `host.py` beside them runs all.
    """
    return _saved.save_all(workload(kernel), folder)


def report(kernel: JITKernel) -> str:
    """A short text: cores, blocks, destination registers, circular buffers and their L1; for
    several T.Kernel, one after the other."""
    return "\n\n".join(summary(step.plan) for step in workload(kernel).steps)


def dataflow(kernel: JITKernel) -> str:
    """The flow of data as a graph in Graphviz's language.

    It has the statements with their domains and engines, the circular buffers with their depths,
    and which instance reads what which other one made.

    Raises:
        BadArtifact: the kernel was not compiled for this target.
    """
    return drawing.dot([step.plan for step in workload(kernel).steps])


def schedule_plot(kernel: JITKernel, path: str | Path) -> None:
    """Write a picture of what each engine runs when, and how many blocks each circular buffer
    holds, in the first iterations of each loop and by the compiler's estimates.

    Args:
        kernel: compiled for this target.
        path: of a format that matplotlib writes, by its suffix.

    Raises:
        NoMatplotlib: matplotlib is not installed (the extra `plot`).
        BadArtifact: the kernel was not compiled for this target.
    """
    drawing.plot([step.plan for step in workload(kernel).steps], path)


def wavefronts(kernel: JITKernel, objective: Objective = "latency") -> str:
    """One schedule for all statements of a kernel, as a text: the affine time of each, what has the
    same time and may run at once, and how many blocks of each circular buffer that takes.

    Args:
        kernel: compiled for this target.
        objective: "latency": everything as early as it can be; "locality": what depends on each
            other close together.

    Raises:
        ValueError: an unknown objective.
        BadArtifact: the kernel was not compiled for this target.
    """
    return drawing.waves([step.plan for step in workload(kernel).steps], objective)


def profile(kernel: JITKernel, *arguments: object, trace: bool = False) -> Report:
    """Run a kernel once on the mock, with the arguments it takes, and report its times.

    Args:
        kernel: compiled for this target.
        arguments: as in a call of the kernel.
        trace: keep what each engine did when, for `Report.trace`.

    Returns:
        The report of the launch. Where a kernel launches several programs, that of them all, with
        each by itself in `Report.steps`.

    Raises:
        NotProfiled: the kernel does not run on the mock.
        BadArtifact: the kernel was not compiled for this target.
    """
    workload(kernel)
    with launch.recorded(trace) as reports:
        kernel(*arguments)
    if not reports:
        raise NotProfiled.because()
    return sequence(reports) if len(reports) > 1 else next(iter(reports.values()))


def run_saved(folder: str | Path, arguments: Sequence[np.ndarray | int | float]) -> None:
    """Launch what `save` wrote, on the mock or on a device as its options say.

    Args:
        folder: the artifact.
        arguments: one for each parameter, outputs included. Tensors are contiguous numpy arrays of
            the parameter's element width; bfloat16 as the uint16 that holds its bits.

    Raises:
        BadArtifact: the folder holds no artifact of this version, or the arguments do not fit it.
    """
    loaded = _saved.load_all(folder)
    launch.run_all(loaded, binding.checked(loaded, arguments))
