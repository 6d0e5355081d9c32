"""What a host function runs: programs one after the other, one for each T.Kernel.

Almost always it is one program; then its files stand by themselves. The files of several are in
folders 1, 2, ..., each whole by itself, and `steps.json` says what the host adds to them.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import Self

from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.plan import Scalar, Steps, Tensor

STEPS = "steps.json"
_FILE = re.compile(r"^#if 0  // ==== (\S+) ====\n(.*?)^#endif$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Workload:
    """A compiled function.

    `steps` run in order, each when the one before is done. `workspaces` names the parameters of the
    steps that are not the user's: tensors that the host allocates for one call.
    """

    name: str
    steps: tuple[Artifact, ...]
    workspaces: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether its one program is all there is to it."""
        return len(self.steps) == 1 and not self.workspaces

    @property
    def params(self) -> tuple[Tensor | Scalar, ...]:
        """The user's parameters, tensors as the first step has them."""
        every = self.steps[0].plan.params
        return tuple(param for param in every if param.name not in self.workspaces)

    @property
    def allocated(self) -> tuple[Tensor, ...]:
        """The workspaces, as the first step has them."""
        every = self.steps[0].plan.tensors
        return tuple(tensor for tensor in every if tensor.name in self.workspaces)

    @property
    def written(self) -> tuple[str, ...]:
        """The user's tensors that any step writes, by name."""
        names = {
            tensor.name for step in self.steps for tensor in step.plan.tensors if tensor.is_written
        }
        return tuple(param.name for param in self.params if param.name in names)

    @property
    def by_folder(self) -> dict[str, Artifact]:
        """The steps by the folder that holds their files."""
        return {str(number): step for number, step in enumerate(self.steps, 1)}

    @property
    def index(self) -> Steps:
        """What `steps.json` says."""
        return Steps(self.name, tuple(self.by_folder), self.workspaces)

    def files(self) -> dict[str, str]:
        """All files by path."""
        if self.is_plain:
            return self.steps[0].files()
        files = {
            f"{folder}/{name}": text
            for folder, step in self.by_folder.items()
            for name, text in step.files().items()
        }
        return {**files, STEPS: self.index.to_json() + "\n"}

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Self:
        """The inverse of `files`; ValueError where they are no workload of this version."""
        if STEPS not in files:
            return cls.plain(Artifact.from_files(files))
        index = Steps.from_json(files[STEPS])
        return cls.of(index, [Artifact.from_files(_inside(step, files)) for step in index.steps])

    @classmethod
    def plain(cls, step: Artifact) -> Self:
        """The workload of one program and nothing else."""
        return cls(step.plan.name, (step,))

    @classmethod
    def of(cls, index: Steps, steps: Sequence[Artifact]) -> Self:
        """The workload of an index and the artifacts it names."""
        return cls(index.name, tuple(steps), index.workspaces)

    def pack(self) -> str:
        """The workload as ASCII text, to travel inside a host function."""
        return base64.b64encode(zlib.compress(json.dumps(self.files()).encode())).decode()

    def listing(self) -> str:
        """All files as one C source that compiles to nothing; what `get_kernel_source` shows."""
        return "".join(
            f"#if 0  // ==== {name} ====\n{text}#endif\n\n" for name, text in self.files().items()
        )

    @classmethod
    def from_listing(cls, text: str) -> Self:
        """The inverse of `listing`; ValueError where the text is none."""
        return cls.from_files(dict(_FILE.findall(text)))


@functools.lru_cache(maxsize=256)
def unpack(blob: str) -> Workload:
    """The inverse of `Workload.pack`."""
    return Workload.from_files(json.loads(zlib.decompress(base64.b64decode(blob))))


def _inside(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    prefix = f"{folder}/"
    return {
        name.removeprefix(prefix): text for name, text in files.items() if name.startswith(prefix)
    }
