"""Keep every kernel that a test run generates, so that all are checked against the real headers.

`install` wraps the one function that builds artifacts, in the test process alone. Comments are left
out of the records: they name source lines, and kernels that differ in them alone are checked once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from testing.conformance.kernel import KernelSource
from tilelang_tt import formats
from tilelang_tt.codegen import artifact as artifacts
from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.runtime.mock_run import compile_time_args


def install(folder: Path) -> None:
    """Record to `folder` from now on, until the process ends."""
    build = artifacts.build

    @functools.wraps(build)
    def recording(*args: object, **kwargs: object) -> Artifact:
        built = build(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        for kernel in kernel_sources(built):
            kernel.save(folder)
        return built

    artifacts.build = recording


def kernel_sources(artifact: Artifact) -> Iterator[KernelSource]:
    """The kernels of an artifact as the checker takes them."""
    plan = artifact.plan
    for kernel in plan.kernels:
        names = {arg.name for arg in kernel.compile_time_args if arg.kind == "cb"}
        used = [cb for cb in plan.circular_buffers if cb.name in names]
        yield KernelSource(
            role=kernel.role,  # pyright: ignore[reportArgumentType]
            name=f"{plan.name}/{kernel.file}",
            source=_without_comments(artifact.sources[kernel.file]),
            compile_time_args=compile_time_args(kernel, plan),
            cb_formats={cb.index: formats.BY_DTYPE[cb.dtype].code for cb in used},
            cb_tile_bytes={cb.index: cb.page_bytes for cb in used},
            fidelity=plan.fidelity,
            fp32_dest_acc=plan.fp32_dest_acc,
        )


def _without_comments(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("//"))
