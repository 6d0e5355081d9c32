"""Small programs on the mock, and the rows that compare their cycles with measured ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tilelang_tt import device, formats, mock
from tilelang_tt.mock.program import Core, Fidelity, Role

ARCHS = {"WH": "wormhole_b0", "BH": "blackhole"}
BF16 = formats.BY_NAME["Float16_b"]
TILE = BF16.tile_bytes


@dataclass(frozen=True)
class Row:
    """One prediction. `fitted`: a constant of the table of costs was set by this measurement."""

    name: str
    model: float
    measured: float
    unit: str
    source: str
    fitted: bool = False

    @property
    def error(self) -> float:
        return self.model / self.measured - 1


Rows = Iterator[Row]


def chip(arch: str, grid: tuple[int, int] | None = None) -> device.Device:
    """The device "WH" or "BH", possibly with another grid than today's firmware shows."""
    loaded = device.load(ARCHS[arch])
    return loaded if grid is None else replace(loaded, grid=grid)


@dataclass(frozen=True)
class Job:
    """A program of up to three kernels. `pages`: tiles of each circular buffer, by index."""

    chip: device.Device
    pages: Mapping[int, int]
    cores: Sequence[Core] = ((0, 0),)
    reader: str = ""
    compute: str = ""
    writer: str = ""
    fidelity: Fidelity = "HiFi4"
    semaphores: tuple[int, ...] = ()
    page_bytes: int = TILE

    def run(
        self,
        words: Mapping[str, Sequence[int]],
        tensors: Sequence[int] = (),
        compile_time: Mapping[str, Sequence[int]] | None = None,
        per_core: Mapping[Core, Sequence[int]] | None = None,
    ) -> mock.Report:
        """One run. `words`: arguments by role; those of `per_core` follow. `tensors`: their tiles;
        the addresses are common arguments of all kernels."""
        addresses = mock.allocate(self.chip, [(self.page_bytes, tiles) for tiles in tensors])
        data = [np.zeros(tiles * self.page_bytes, np.uint8) for tiles in tensors]
        sources: dict[Role, str] = {
            "reader": self.reader,
            "writer": self.writer,
            "compute": self.compute,
        }
        kernels = tuple(
            mock.Kernel(
                role,
                f"{role}.cpp",
                source,
                {
                    core: (*words.get(role, ()), *(per_core or {}).get(core, ()))
                    for core in self.cores
                },
                compile_time_args=tuple((compile_time or {}).get(role, ())),
                common_args=addresses,
            )
            for role, source in sources.items()
            if source
        )
        program = mock.Program(
            kernels,
            tuple(
                mock.CircularBuffer(index, f"cb{index}", BF16, self.page_bytes, pages)
                for index, pages in self.pages.items()
            ),
            self.chip,
            self.fidelity,
            semaphores=self.semaphores,
        )
        buffers = [
            mock.Buffer(f"t{i}", array, self.page_bytes, address)
            for i, (array, address) in enumerate(zip(data, addresses, strict=True))
        ]
        # Kernels that measure transfers or only feed a loop send what is there.
        return program.build().run(buffers, allow={"l1_uninitialised"})
