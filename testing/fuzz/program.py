"""A tile program as data, its TileLang source, and the arguments it is called with."""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis.vendor.pretty import RepresentationPrinter
from tvm import tirx

from testing.reference import dtypes

FULL = 64
"""Seeds differ by one for each tensor of a program, which has fewer than this."""


class Symbol(int):
    """A number that a program knows by a name or an expression, such as a dynamic extent."""

    text: str

    def __new__(cls, text: str, value: int) -> Symbol:
        made = super().__new__(cls, value)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Tensor:
    """A parameter in DRAM. Its numbers are uniform in [-2, 2], integers in [-8, 8]."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Scalar:
    """A parameter that is one number."""

    name: str
    dtype: str
    value: float


@dataclass(frozen=True)
class Buffer:
    """An on-chip buffer; `scope` is "shared" or "fragment"."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scope: str


@dataclass(frozen=True)
class Line:
    """A statement of one line."""

    text: str

    def lines(self) -> Iterator[str]:
        yield self.text


@dataclass(frozen=True)
class Nest:
    """A loop or branch around statements."""

    header: str
    body: tuple[Statement, ...]

    def lines(self) -> Iterator[str]:
        yield self.header
        for statement in self.body:
            yield from (f"    {line}" for line in statement.lines())


Statement = Line | Nest


@dataclass(frozen=True, repr=False)
class Program:
    """A function with one block program, and what it is compiled for.

    Attributes:
        grid: extents of the grid, x first; where they are symbols, so are extents of tensors.
        cores: columns and rows of the cores it runs on.
        seed: of the numbers in its tensors.
    """

    tensors: tuple[Tensor, ...]
    scalars: tuple[Scalar, ...]
    buffers: tuple[Buffer, ...]
    body: tuple[Statement, ...]
    grid: tuple[int, ...]
    arch: str
    cores: tuple[int, int]
    seed: int

    def source(self) -> str:
        """The program as a user writes it, a module that defines `main`."""
        params = [f"{t.name}: T.Tensor({_shape(t.shape)}, {t.dtype!r})" for t in self.tensors]
        params += [f"{s.name}: T.{s.dtype}" for s in self.scalars]
        names = ["bx", "by", "bz"][: len(self.grid)]
        target = names[0] if len(names) == 1 else f"({', '.join(names)})"
        lines = [f"with T.Kernel({', '.join(map(str, self.grid))}) as {target}:"]
        for buffer in self.buffers:
            call = f"T.alloc_{buffer.scope}({_shape(buffer.shape)}, {buffer.dtype!r})"
            lines.append(f"    {buffer.name} = {call}")
        lines += [f"    {line}" for statement in self.body for line in statement.lines()]
        signature = ",\n    ".join(params)
        body = textwrap.indent("\n".join(lines), "    ")
        symbols = [f'{name} = T.dynamic("{name}")\n' for name in self._dynamic()]
        return (
            f"import tilelang.language as T\n\n{''.join(symbols)}\n"
            f"@T.prim_func\ndef main(\n    {signature},\n):\n{body}\n"
        )

    def _dynamic(self) -> list[str]:
        """The names of the dynamic extents."""
        extents = [extent for tensor in self.tensors for extent in tensor.shape]
        return sorted({str(extent) for extent in extents if isinstance(extent, Symbol)})

    def function(self) -> tirx.PrimFunc:
        """The program as TileLang traces it; TileLang reads a function's source from its file."""
        with tempfile.TemporaryDirectory(prefix="tile_program_") as folder:
            path = Path(folder) / "program.py"
            path.write_text(self.source())
            spec = importlib.util.spec_from_file_location("tile_program", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        return module.main

    def arguments(self) -> list[np.ndarray | float]:
        """One for each parameter, the same on every call; tensors that are written hold numbers
        too."""
        arrays = [
            _numbers(tensor, self.seed * FULL + at)
            for tensor, at in zip(self.tensors, itertools.count(), strict=False)
        ]
        values = [s.value if s.dtype == "float32" else int(s.value) for s in self.scalars]
        return [*arrays, *values]

    def __repr__(self) -> str:
        options = f"# arch={self.arch} cores={self.cores[0]}x{self.cores[1]} seed={self.seed}"
        return f"{options}\n{self.source()}"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """How hypothesis shows a program."""
        printer.text(repr(self))


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _numbers(tensor: Tensor, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if dtypes.is_float(tensor.dtype):
        values = generator.uniform(-2, 2, tensor.shape)
    else:
        values = generator.integers(-8, 9, tensor.shape)
    return values.astype(dtypes.numpy_dtype(tensor.dtype))
