"""Save an artifact as a folder that runs anywhere: kernel sources, the plan, and host programs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.codegen.host_cpp import print_host as print_cpp_host
from tilelang_tt.codegen.host_python import print_host as print_python_host
from tilelang_tt.diagnostics import BadArtifact
from tilelang_tt.plan import Plan

_PLAN = "plan.json"


def save(artifact: Artifact, folder: str | Path) -> list[Path]:
    """Write the artifact's files to `folder`, which is made; returns their paths.

    `host.py` launches the kernels with numpy and ttnn alone.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        **artifact.sources,
        _PLAN: artifact.plan.to_json() + "\n",
        "host.py": print_python_host(artifact.plan),
        "host.cpp": print_cpp_host(artifact.plan),
        "tiles.py": resources.files("tilelang_tt").joinpath("tiles.py").read_text(),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in files]


def load(folder: str | Path) -> Artifact:
    """Read what `save` wrote.

    Raises:
        BadArtifact: the folder holds no artifact of this version.
    """
    folder = Path(folder)
    try:
        plan = Plan.from_json((folder / _PLAN).read_text())
        sources = {kernel.file: (folder / kernel.file).read_text() for kernel in plan.kernels}
    except (OSError, ValueError) as error:
        raise BadArtifact.because(path=folder, why=error) from error
    return Artifact(plan, sources)
