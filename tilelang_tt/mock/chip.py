"""Tensors and programs of one chip, for people who write kernels by hand.

chip = Chip("wormhole_b0")
a = chip.tensor(array, "bfloat16")
c = chip.empty(array.shape, "bfloat16")
program = chip.program()
program.circular_buffer(0, "bfloat16", pages=2)
program.kernel("reader", source, args={(0, 0): [a.address, a.pages]}, ...)
report = program.run()
result = c.numpy()
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from tilelang_tt import device, formats
from tilelang_tt.mock import layouts, metal2, tensors
from tilelang_tt.mock.errors import ProgramError
from tilelang_tt.mock.program import (
    Buffer,
    CircularBuffer,
    Contents,
    Fidelity,
    Kernel,
    Program,
    Role,
    align_up,
)
from tilelang_tt.mock.report import Report
from tilelang_tt.mock.tensors import DRAM, Core, Layout


def format_of(name: str | formats.Format) -> formats.Format:
    """The format of a dtype such as "bfloat16", or the format itself."""
    if isinstance(name, formats.Format):
        return name
    found = formats.BY_DTYPE.get(name)
    if found is None:
        raise ProgramError("format", f"no format {name!r}; there are {sorted(formats.BY_DTYPE)}")
    return found


@dataclass(frozen=True)
class Tensor:
    """A tensor of a chip: `shape` of elements, in tiles, or in rows where `tiled` is false."""

    buffer: Buffer
    shape: tuple[int, ...]
    format: formats.Format
    tiled: bool
    accessor_args: tuple[int, ...]

    @property
    def address(self) -> int:
        return self.buffer.address

    @property
    def pages(self) -> int:
        return self.buffer.pages

    @property
    def page_bytes(self) -> int:
        return self.buffer.page_bytes

    def numpy(self) -> npt.NDArray[np.generic]:
        """A copy of what the tensor holds now; bfloat16 as float32."""
        convert = layouts.untilize if self.tiled else layouts.unrows
        return convert(self.buffer.data.view(np.uint8), self.format, self.shape).copy()


class Chip:
    """One chip and the tensors in its memories."""

    def __init__(self, arch: str = "wormhole_b0") -> None:
        if arch not in device.ARCHS:
            raise ProgramError("arch", f"no chip {arch!r}; there are {device.ARCHS}")
        self.device = device.load(arch)
        self.tensors: list[Tensor] = []
        self._dram = self.device.dram_first_address
        self._l1 = self.device.l1_bytes

    def tensor(
        self,
        array: object,
        format: str | formats.Format,
        *,
        layout: Layout = DRAM,
        tiled: bool = True,
        padding: float = 0,
        page_bytes: int | None = None,
        contents: Contents = "given",
    ) -> Tensor:
        """A tensor with the values of a numpy array or a torch tensor.

        A page is a tile, or, with `tiled=False`, a row, or `page_bytes` of it. The last two axes of
        a tiled tensor are filled up with `padding` to whole tiles. `contents` is that of `Buffer`.
        """
        wanted = format_of(format)
        source = _array(array)
        size = wanted.tile_bytes if tiled else source.shape[-1] * wanted.element_bytes
        if tiled:
            data = layouts.tilize(source, wanted, padding)
        else:
            data = layouts.rows(source, wanted)
            size = page_bytes if page_bytes is not None else size
        pages = data.size // size
        name = f"tensor{len(self.tensors)}"
        buffer = Buffer(name, data, size, self._allocate(layout, size, pages), contents, layout)
        accessor_args = buffer.accessor_args(self.device)
        made = Tensor(buffer, tuple(source.shape), wanted, tiled, accessor_args)
        self.tensors.append(made)
        return made

    def empty(
        self,
        shape: Sequence[int],
        format: str | formats.Format,
        *,
        layout: Layout = DRAM,
        tiled: bool = True,
        page_bytes: int | None = None,
    ) -> Tensor:
        """A tensor all of whose bytes the kernels have to write; see `tensor`."""
        return self.tensor(
            np.zeros(tuple(shape), np.float32),
            format,
            layout=layout,
            tiled=tiled,
            page_bytes=page_bytes,
            contents="result",
        )

    def program(
        self,
        *,
        fidelity: Fidelity = "HiFi4",
        fp32_dest_acc: bool = False,
        dst_full_sync: bool = False,
    ) -> ProgramBuilder:
        """An empty program that computes in this way."""
        return ProgramBuilder(self, Modes(fidelity, fp32_dest_acc, dst_full_sync))

    def _allocate(self, layout: Layout, page_bytes: int, pages: int) -> int:
        if layout == DRAM:
            address = self._dram
            used = -(-pages // self.device.dram_banks)
            self._dram += used * align_up(page_bytes, self.device.dram_read_alignment)
            if self._dram > self.device.dram_bank_bytes:
                raise ProgramError("dram_overflow", "the tensors need more than a DRAM bank")
            return address
        self._l1 -= tensors.l1_bytes(self.device, layout, page_bytes, pages)
        self._l1 -= self._l1 % self.device.dram_read_alignment
        if self._l1 < self.device.cb_base:
            raise ProgramError("l1_overflow", "the tensors need more than the L1 of a core")
        return self._l1


def _array(array: object) -> npt.NDArray[np.generic]:
    """A numpy array of a numpy array or of a torch tensor; bfloat16 becomes float32."""
    detach = getattr(array, "detach", None)
    if detach is None:
        return np.asarray(array)
    tensor = detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


@dataclass(frozen=True)
class Modes:
    """How the compute kernels of a program are compiled; see `Program`."""

    fidelity: Fidelity = "HiFi4"
    fp32_dest_acc: bool = False
    dst_full_sync: bool = False


class ProgramBuilder:
    """A program that is described call by call, then run."""

    def __init__(self, chip: Chip, modes: Modes) -> None:
        self.chip = chip
        self.modes = modes
        self._kernels: list[Kernel] = []
        self._circular_buffers: list[CircularBuffer] = []
        self._semaphores: list[int] = []

    def circular_buffer(
        self,
        index: int,
        format: str | formats.Format,
        pages: int,
        *,
        page_bytes: int | None = None,
        cores: Sequence[Core] | None = None,
        tensor: Tensor | None = None,
        shares: int | None = None,
        unpack_to_dest_fp32: bool = False,
    ) -> None:
        """A circular buffer of tiles, or of pages of `page_bytes`; see `CircularBuffer`.

        With `tensor` its pages are those the tensor has on the core.
        """
        wanted = format_of(format)
        self._circular_buffers.append(
            CircularBuffer(
                index,
                f"cb{index}",
                wanted,
                wanted.tile_bytes if page_bytes is None else page_bytes,
                pages,
                unpack_to_dest_fp32,
                None if cores is None else tuple(cores),
                None if tensor is None else tensor.buffer.name,
                shares,
            )
        )

    def semaphore(self, initial: int = 0) -> int:
        """A semaphore of every core; gives its number."""
        self._semaphores.append(initial)
        return len(self._semaphores) - 1

    def kernel(
        self,
        role: Role,
        source: str | Path,
        args: Mapping[Core, Sequence[int]],
        *,
        name: str | None = None,
        compile_time_args: Sequence[int] = (),
        common_args: Sequence[int] = (),
        defines: Mapping[str, str] | None = None,
        named: Mapping[str, int] | None = None,
        names: metal2.Names | None = None,
        include_dirs: Sequence[str | Path] = (),
    ) -> None:
        """A kernel from source text, or from a file where `source` is a `Path`.

        The keys of `args` are the cores that run it. `named` are named compile-time arguments,
        `names` the declarations of Metal 2.0.
        """
        folders = [str(folder) for folder in include_dirs]
        if isinstance(source, Path):
            folders.insert(0, str(source.parent))
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        label = name or self._label(source.name if isinstance(source, Path) else f"{role}.cpp")
        if names is None:
            made = Kernel(
                role, label, text, args, tuple(compile_time_args), common_args=tuple(common_args)
            )
        else:
            made = metal2.kernel(
                self.chip.device,
                role,
                label,
                text,
                args,
                names,
                compile_time_args=compile_time_args,
                common_varargs=common_args,
            )
        self._kernels.append(
            dataclasses.replace(
                made,
                defines=tuple((defines or {}).items()),
                named_compile_time_args=tuple((named or {}).items()),
                include_dirs=tuple(folders),
            )
        )

    def build(self) -> Program:
        """The description, checked against the chip."""
        return Program(
            tuple(self._kernels),
            tuple(self._circular_buffers),
            self.chip.device,
            fidelity=self.modes.fidelity,
            fp32_dest_acc=self.modes.fp32_dest_acc,
            dst_full_sync=self.modes.dst_full_sync,
            semaphores=tuple(self._semaphores),
        )

    def run(
        self,
        *,
        record: bool = False,
        mode: Literal["strict", "report"] = "strict",
        allow: Collection[str] = (),
    ) -> Report:
        """Compiles what the cache does not hold and runs to the end, or raises a `MockError`.

        See `Executable.run` for the options.
        """
        buffers = [tensor.buffer for tensor in self.chip.tensors]
        return self.build().build().run(buffers, record=record, mode=mode, allow=allow)

    def _label(self, wanted: str) -> str:
        """A name no other kernel of the program has."""
        taken = {kernel.name for kernel in self._kernels}
        stem, dot, ending = wanted.rpartition(".")
        numbered = (f"{stem}_{number}{dot}{ending}" for number in range(2, len(taken) + 3))
        return next(name for name in (wanted, *numbered) if name not in taken)
