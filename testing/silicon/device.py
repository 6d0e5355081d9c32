"""The card or simulator that the programs run on, and what it cannot run."""

from __future__ import annotations

import glob
import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path

from testing.silicon.program import Program
from tilelang_tt import device, pipeline
from tilelang_tt.codegen import artifact
from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.ir import attrs
from tilelang_tt.runtime import ttnn_run

SIMULATOR = "TT_METAL_SIMULATOR"
ARCH = "TILELANG_TT_SILICON_ARCH"
NO_UNPACK_TO_DEST = "TILELANG_TT_SILICON_NO_UNPACK_TO_DEST"
NO_WIDE_BROADCAST = "TILELANG_TT_SILICON_NO_WIDE_BROADCAST"
_CARDS = "/dev/tenstorrent/*"


@dataclass(frozen=True)
class Silicon:
    """A card or a simulator."""

    arch: str

    def lacks(self, program: Program) -> str:
        """Why `program` cannot run here; empty where it can."""
        if NO_UNPACK_TO_DEST in os.environ and unpacks_to_dest(compiled(program, self.arch)):
            return f"{NO_UNPACK_TO_DEST} is set, and they move 32-bit tiles straight to DST"
        if NO_WIDE_BROADCAST in os.environ and broadcasts_in_dest(compiled(program, self.arch)):
            return f"{NO_WIDE_BROADCAST} is set, and they spread 32-bit rows or columns in DST"
        return ""


def find() -> Silicon | str:
    """What there is to run on, or what is missing."""
    simulator = os.environ.get(SIMULATOR)
    if simulator is not None:
        return Silicon(os.environ.get(ARCH) or _arch_of(Path(simulator)))
    if not glob.glob(_CARDS):
        return "no card or simulator"
    if ttnn_run.PYTHON not in os.environ and importlib.util.find_spec("ttnn") is None:
        return f"a card but no ttnn here, and {ttnn_run.PYTHON} is not set"
    arch = os.environ.get(ARCH)
    return f"a card, but {ARCH} is not set" if arch is None else Silicon(arch)


def _arch_of(simulator: Path) -> str:
    """The architecture that the simulator's description, a file beside it, names."""
    description = simulator.with_name("soc_descriptor.yaml")
    match = re.search(r"^arch_name:\s*(\w+)", description.read_text(), re.MULTILINE)
    arch = match[1].lower() if match else ""
    assert arch in device.ARCHS, f"{description} names no known architecture; set {ARCH}"
    return arch


def compiled(program: Program, arch: str = "wormhole_b0") -> Artifact:
    """What the compiler makes of `program`, for a run on ttnn."""
    options = program.options(arch, "ttnn")
    func = program.build()
    return artifact.build(pipeline.lower(func, options), str(func.attrs["global_symbol"]), options)


def unpacks_to_dest(built: Artifact) -> bool:
    """Whether its compute kernel moves 32-bit tiles from a circular buffer straight to DST."""
    return any(
        cb.unpack_to_dest and cb.consumer == attrs.COMPUTE for cb in built.plan.circular_buffers
    )


def broadcasts_in_dest(built: Artifact) -> bool:
    """Whether its compute kernel spreads a 32-bit row or column over a tile in DST."""
    spread = set(re.findall(r"\bunary_bcast<[^>]*>\(cb_(\w+),", built.sources["compute.cpp"]))
    return any(cb.unpack_to_dest and cb.name in spread for cb in built.plan.circular_buffers)
