"""Save what was compiled as a folder that runs anywhere: kernel sources, plans, host programs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tilelang_tt.codegen.artifact import PLAN, Artifact
from tilelang_tt.codegen.host_cpp import print_host as print_cpp_host
from tilelang_tt.codegen.host_python import print_host as print_python_host
from tilelang_tt.codegen.host_steps import print_host as print_steps_host
from tilelang_tt.codegen.workload import STEPS, Workload
from tilelang_tt.diagnostics import BadArtifact
from tilelang_tt.plan import Plan, Steps


def save_all(workload: Workload, folder: str | Path) -> list[Path]:
    """Write the workload's files to `folder`, which is made; returns their paths.

    One program is as `save` writes it. Several are in folders 1, 2, ..., and `host.py` beside them
    runs all.
    """
    folder = Path(folder)
    if workload.is_plain:
        return save(workload.steps[0], folder)
    written = [
        path for name, step in workload.by_folder.items() for path in save(step, folder / name)
    ]
    return written + _write(
        folder,
        {
            STEPS: workload.index.to_json() + "\n",
            "host.py": print_steps_host(workload),
            "tiles.py": _module("tiles"),
            "partition.py": _module("partition"),
        },
    )


def save(artifact: Artifact, folder: str | Path) -> list[Path]:
    """Write the artifact's files to `folder`, which is made; returns their paths.

    `host.py` launches the kernels with numpy and ttnn alone.
    """
    return _write(
        Path(folder),
        {
            **artifact.files(),
            "host.py": print_python_host(artifact.plan),
            "host.cpp": print_cpp_host(artifact.plan),
            "tiles.py": _module("tiles"),
            "partition.py": _module("partition"),
        },
    )


def _module(name: str) -> str:
    """A module of this package that needs no other."""
    return resources.files("tilelang_tt").joinpath(f"{name}.py").read_text()


def _write(folder: Path, files: dict[str, str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in files]


def load_all(folder: str | Path) -> Workload:
    """Read what `save_all` wrote.

    Raises:
        BadArtifact: the folder holds nothing of this version.
    """
    folder = Path(folder)
    if not (folder / STEPS).exists():
        return Workload.plain(load(folder))
    try:
        index = Steps.from_json((folder / STEPS).read_text())
    except (OSError, ValueError) as error:
        raise BadArtifact.because(path=folder, why=error) from error
    return Workload.of(index, [load(folder / step) for step in index.steps])


def load(folder: str | Path) -> Artifact:
    """Read what `save` wrote.

    Raises:
        BadArtifact: the folder holds no artifact of this version.
    """
    folder = Path(folder)
    try:
        plan = Plan.from_json((folder / PLAN).read_text())
        sources = {kernel.file: (folder / kernel.file).read_text() for kernel in plan.kernels}
    except (OSError, ValueError) as error:
        raise BadArtifact.because(path=folder, why=error) from error
    return Artifact(plan, sources)
