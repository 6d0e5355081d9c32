"""The tt-metal headers a kernel is checked against, taken from the ttnn wheel.

The wheel is the one public artifact that carries the exact headers the JIT compiles with. It is
downloaded with pip and not installed (it needs Python 3.12 and Tenstorrent's driver), its header
trees are unpacked once into a cache folder, and nothing of it is ever part of this repository.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "0.81.1"
SHA256 = "cc6df66162c8b5f5a5eb7347fe687b6095bf57bd64f9ba1be3d9b7f42e01d64f"
PLATFORM = "manylinux_2_34_x86_64"

TREES = tuple(
    f"ttnn/tt_metal/{tree}/"
    for tree in (
        "api",
        "hostdevcommon",
        "hw/ckernels/blackhole",
        "hw/ckernels/wormhole_b0",
        "hw/firmware/src/tt-1xx",
        "hw/inc",
        "tt-llk/common",
        "tt-llk/tools/include",
        "tt-llk/tt_llk_blackhole",
        "tt-llk/tt_llk_wormhole_b0",
    )
)

KERNEL_TREES = ("ttnn/ttnn/cpp/ttnn/",)


class WheelError(Exception):
    """The headers are not in the cache and cannot be brought there."""


def cache_dir() -> Path:
    """Where everything of this package that survives a run lives."""
    chosen = os.environ.get("TILELANG_TT_CACHE_DIR")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".cache/tilelang_tt"


def headers() -> Path:
    """The unpacked `ttnn` package, downloaded when it is not in the cache yet.

    Safe in any number of processes: one downloads while the others wait, and the folder gets its
    final name only when it is complete.
    """
    return _unpacked(f"ttnn-{VERSION}", TREES)


def kernels() -> Path:
    """The `ttnn` package with the sources of its operations' kernels; see `headers`."""
    return _unpacked(f"ttnn-kernels-{VERSION}", KERNEL_TREES)


def _unpacked(name: str, trees: tuple[str, ...]) -> Path:
    home = cache_dir() / "headers"
    root = home / name
    if not root.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home / f"{name}.lock"):
            if not root.is_dir():
                _fill(root, trees)
    return root / "ttnn"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock, which the system drops if the process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fill(root: Path, trees: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="incomplete-", dir=root.parent) as folder:
        unpacked = Path(folder, "unpacked")
        _unpack(_download(Path(folder)), unpacked, trees)
        unpacked.rename(root)


def _download(folder: Path) -> Path:
    """The wheel in `folder`, checked against the hash of the one these checks were written for."""
    command = [sys.executable, "-m", "pip", "download", f"ttnn=={VERSION}", "--dest", str(folder)]
    command += ["--quiet", "--no-deps", "--only-binary=:all:", "--platform", PLATFORM]
    command += ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"]
    run = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if run.returncode != 0 or len(wheels) != 1:
        raise WheelError(
            f"pip cannot download ttnn=={VERSION}, whose headers kernels are checked against.\n"
            f"  command: {' '.join(command)}\n  pip says: {run.stderr.strip() or 'nothing'}\n"
            "  Without a network, put the wheel in a folder and name that in PIP_FIND_LINKS,\n"
            f"  or copy headers/ttnn-{VERSION} of another machine's cache into {folder.parent}."
        )
    digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if digest != SHA256:
        raise WheelError(f"{wheels[0].name} has the SHA-256 {digest}, expected {SHA256}")
    return wheels[0]


def _unpack(wheel: Path, target: Path, trees: tuple[str, ...]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(trees)]
        missing = [tree for tree in trees if not any(name.startswith(tree) for name in names)]
        if missing:
            raise WheelError(f"{wheel.name} has no {', '.join(missing)}")
        archive.extractall(target, names)
