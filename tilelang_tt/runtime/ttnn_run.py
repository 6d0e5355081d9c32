"""Run a bound plan on a card or a simulator, through Tenstorrent's own runtime.

The generated host program (`codegen/host_python.py`) does the work; it needs nothing but numpy and
ttnn. It runs in this process where ttnn is installed, else in the Python that
`TILELANG_TT_TTNN_PYTHON` names.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tilelang_tt import formats
from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.diagnostics import NoTtnn, NoTtnnFormat, TtnnFailed
from tilelang_tt.plan import Scalar, Tensor
from tilelang_tt.runtime.binding import Binding
from tilelang_tt.runtime.saved import save

PYTHON = "TILELANG_TT_TTNN_PYTHON"
TIMEOUT = "TILELANG_TT_TTNN_TIMEOUT"
_DEFAULT_TIMEOUT = 600
_SIMULATOR = "TT_METAL_SIMULATOR"
_CARDS = "/dev/tenstorrent/*"


def is_chosen(execution: str) -> bool:
    """Whether a kernel with this `execution` option runs through ttnn."""
    if execution == "auto":
        return (bool(glob.glob(_CARDS)) or _SIMULATOR in os.environ) and _python() is not None
    return execution == "ttnn"


def _python() -> str | None:
    """A Python that has ttnn."""
    if (chosen := os.environ.get(PYTHON)) is not None:
        return chosen
    return sys.executable if importlib.util.find_spec("ttnn") is not None else None


def run(artifact: Artifact, binding: Binding) -> None:
    """Run the kernels; tensors are read from and written to the memory that `binding` views.

    Raises:
        NoTtnn: no Python with ttnn is known.
        NoTtnnFormat: a circular buffer has a format that ttnn's Python API lacks.
        TtnnFailed: the host program failed; its output is in the message.
    """
    for cb in artifact.plan.circular_buffers:
        if not formats.BY_DTYPE[cb.dtype].ttnn:
            raise NoTtnnFormat.because(buffer=cb.name, dtype=cb.dtype)
    python = _python()
    if python is None:
        raise NoTtnn.because(why=f"it is not installed here, and {PYTHON} is not set")
    with tempfile.TemporaryDirectory(prefix="tilelang_tt_") as folder:
        _run_in(Path(folder), python, artifact, binding)


def _run_in(folder: Path, python: str, artifact: Artifact, binding: Binding) -> None:
    save(artifact, folder)
    inputs = _inputs(artifact, binding)
    np.savez(folder / "inputs.npz", **inputs)  # pyright: ignore[reportArgumentType]
    command = [
        python,
        str(folder / "host.py"),
        str(folder / "inputs.npz"),
        str(folder / "outputs.npz"),
    ]
    status, output = _run_command(command, folder)
    if status:
        raise TtnnFailed.because(status=status, output=output[-4000:])
    with np.load(folder / "outputs.npz") as outputs:
        for name in outputs.files:
            binding.tensors[name][...] = outputs[name]


def _run_command(command: list[str], folder: Path) -> tuple[object, str]:
    """Exit status and output; a device that hangs ends as a failure, not as a hang."""
    limit = float(os.environ.get(TIMEOUT, _DEFAULT_TIMEOUT))
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return "none", f"no end after {limit:g} seconds ({TIMEOUT} sets the limit)"
    return done.returncode, done.stdout + done.stderr


def _inputs(artifact: Artifact, binding: Binding) -> dict[str, np.ndarray]:
    inputs: dict[str, np.ndarray] = {}
    for param in artifact.plan.params:
        match param:
            case Tensor(name=name):
                inputs[name] = binding.tensors[name]
            case Scalar(name=name):
                inputs[name] = np.array(binding.scalars[name], np.uint32)
    return inputs
