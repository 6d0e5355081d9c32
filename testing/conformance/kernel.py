"""A generated kernel with what the host would say when it creates it, and its form on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

Role = Literal["reader", "writer", "compute"]
FIDELITIES = {"LoFi": 0, "HiFi2": 2, "HiFi3": 3, "HiFi4": 4}


@dataclass(frozen=True)
class KernelSource:
    """One kernel. `cb_formats` gives the DataFormat code of each circular buffer in use, and
    `cb_tile_bytes` the size of its tiles; what follows them is for compute only.
    """

    role: Role
    name: str
    source: str
    compile_time_args: tuple[int, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    cb_formats: Mapping[int, int] = field(default_factory=dict)
    cb_tile_bytes: Mapping[int, int] = field(default_factory=dict)
    fidelity: str = "HiFi4"
    math_approx: bool = False
    fp32_dest_acc: bool = False
    dst_full_sync: bool = False

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise ValueError(f"{self.name}: role {self.role!r} is none of {get_args(Role)}")
        if self.fidelity not in FIDELITIES:
            raise ValueError(
                f"{self.name}: fidelity {self.fidelity!r} is none of {tuple(FIDELITIES)}"
            )
        if self.cb_formats.keys() != self.cb_tile_bytes.keys():
            raise ValueError(
                f"{self.name}: cb_formats and cb_tile_bytes name different circular buffers"
            )

    def to_json(self) -> str:
        """The record of this kernel, the same text for equal kernels."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> KernelSource:
        """The kernel of a record; unknown and missing fields are errors of the constructor."""
        record: dict[str, Any] = json.loads(text)
        for name in ("cb_formats", "cb_tile_bytes"):  # JSON has no integer keys
            if name in record:
                record[name] = {int(index): value for index, value in record[name].items()}
        if "compile_time_args" in record:
            record["compile_time_args"] = tuple(record["compile_time_args"])
        return cls(**record)

    @property
    def digest(self) -> str:
        """What the verdict on this kernel depends on: everything but its name."""
        return hashlib.sha256(dataclasses.replace(self, name="").to_json().encode()).hexdigest()

    def save(self, folder: Path) -> Path:
        """Write the record into `folder`, where a kernel of the same content is kept only once."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.role}-{self.digest[:20]}.json"
        write_whole(path, self.to_json())
        return path


def load_records(folder: Path) -> list[KernelSource]:
    """Every distinct kernel among the records of `folder`, in the order of their file names."""
    kernels = (KernelSource.from_json(path.read_text()) for path in sorted(folder.glob("*.json")))
    return list({kernel.digest: kernel for kernel in kernels}.values())


def write_whole(path: Path, text: str) -> None:
    """Write `path` so that another process sees the old text or the new one, never a part."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)
