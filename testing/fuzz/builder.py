"""A random program in the making: names, places, and what the block holds so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hypothesis import strategies as st

from testing.fuzz.expressions import Draw
from testing.fuzz.program import Buffer, Line, Nest, Program, Scalar, Statement, Symbol, Tensor

TILE = 32
FLOATS = ("bfloat16", "float16", "float32")
INTEGERS = ("int32", "int8")


@dataclass(frozen=True)
class Value:
    """What a block holds in a buffer: `axes` are the block's dimensions that it has."""

    buffer: Buffer
    axes: str

    @property
    def name(self) -> str:
        return self.buffer.name

    @property
    def dtype(self) -> str:
        return self.buffer.dtype

    def at(self) -> str:
        """Its element in a nest over rows `i` and columns `j`."""
        return f"{self.name}[{INDICES[self.axes]}]"


INDICES = {"MN": "i, j", "M": "i", "N": "j"}


@dataclass(frozen=True)
class Loop:
    """A loop around steps; `most` is how often it runs at the most."""

    var: str
    most: int


@dataclass
class Builder:
    """See the module's text.

    Attributes:
        features: what the program may use beyond the plain steps.
        block: rows and columns of a block.
        grid: blocks in a row and in a column.
        size: rows and columns of all blocks together; less where the last block is ragged.
        values: what may be read here.
        loops: the loops around the next step.
        variables: scalar variables that have a value.
    """

    draw: Draw
    features: frozenset[str]
    block: tuple[int, int]
    grid: tuple[int, int]
    size: tuple[int, int]
    tensors: list[Tensor] = field(default_factory=list)
    scalars: list[Scalar] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    body: list[Statement] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)

    def program(self) -> Program:
        return Program(
            tensors=tuple(self.tensors),
            scalars=tuple(self.scalars),
            buffers=tuple(self.buffers),
            body=tuple(self.body),
            grid=self._named_grid(),
            arch=self.pick("wormhole_b0", "blackhole"),
            cores=(self.number(1, 2), self.number(1, 2)),
            seed=self.number(0, 1000),
        )

    def _named_grid(self) -> tuple[int, ...]:
        """The grid in terms of the dynamic extents."""
        return tuple(
            Symbol(f"T.ceildiv({size}, {extent})", blocks) if isinstance(size, Symbol) else blocks
            for size, extent, blocks in zip(
                self.size[::-1], self.block[::-1], self.grid, strict=True
            )
        )

    # Choices. -------------------------------------------------------------------------------------

    def pick(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def flag(self) -> bool:
        return self.draw(st.booleans())

    def once_in(self, times: int) -> bool:
        return self.number(1, times) == times

    def dtype(self) -> str:
        return self.pick(*FLOATS)

    # Names. ---------------------------------------------------------------------------------------

    def tensor(self, shape: tuple[int, ...], dtype: str, prefix: str = "A") -> Tensor:
        made = Tensor(f"{prefix}{len(self.tensors)}", shape, dtype)
        self.tensors.append(made)
        return made

    def buffer(self, shape: tuple[int, ...], dtype: str, scope: str = "") -> Buffer:
        scope = scope or self.pick("shared", "fragment")
        made = Buffer(f"b{len(self.buffers)}", shape, dtype, scope)
        self.buffers.append(made)
        return made

    def scalar(self, dtype: str, *values: float) -> Scalar:
        made = Scalar(f"s{len(self.scalars)}", dtype, self.draw(st.sampled_from(values)))
        self.scalars.append(made)
        return made

    # Values. --------------------------------------------------------------------------------------

    def extents(self, axes: str) -> tuple[int, ...]:
        return tuple(self.block["MN".index(axis)] for axis in axes)

    def empty(self, axes: str, dtype: str, scope: str = "") -> Value:
        """A new buffer that holds nothing yet; `hold` it when it does."""
        return Value(self.buffer(self.extents(axes), dtype, scope), axes)

    def hold(self, value: Value) -> None:
        if value not in self.values:
            self.values.append(value)

    def target(self, axes: str, dtype: str, scope: str = "") -> Value:
        """A value to write: in one case of three one that the block holds already."""
        same = [value for value in self.held(axes) if value.dtype == dtype]
        same = [value for value in same if not scope or value.buffer.scope == scope]
        if same and self.once_in(3):
            return self.draw(st.sampled_from(same))
        return self.empty(axes, dtype, scope)

    def held(self, axes: str) -> list[Value]:
        return [value for value in self.values if value.axes == axes]

    def floats(self) -> list[Value]:
        """The tiles of floats; never none, since every program begins by loading one."""
        return [value for value in self.held("MN") if value.dtype in FLOATS]

    def a_tile(self) -> Value:
        return self.draw(st.sampled_from(self.floats()))

    def visible(self, axes: str) -> list[Value]:
        """What an element-wise nest over these axes may read."""
        return [value for value in self.values if set(value.axes) <= set(axes)]

    # Places. --------------------------------------------------------------------------------------

    def origin(self, axes: str) -> str:
        """The indices at which the block's part of a tensor starts."""
        starts = {"M": f"by * {self.block[0]}", "N": f"bx * {self.block[1]}"}
        return ", ".join(starts[axis] for axis in axes)

    def sizes(self, axes: str) -> tuple[int, ...]:
        """The extents of a tensor that all blocks share."""
        return tuple(self.size["MN".index(axis)] for axis in axes)

    def part(self, axes: str, dtype: str) -> str:
        """A new input and the block's part of it; another part in each iteration of the innermost
        loop."""
        if axes == "MN" and "layout" in self.features and self.flag():
            return self._slice(self.tensor(self._with_heads(), dtype).name)
        if not self.loops or self.once_in(4):
            return f"{self.tensor(self.sizes(axes), dtype).name}[{self.origin(axes)}]"
        loop = self.loops[-1]
        if axes == "MN" and self.flag():
            columns = self.block[1]
            tensor = self.tensor((self.size[0], columns * loop.most), dtype)
            return f"{tensor.name}[{self.origin('M')}, {loop.var} * {columns}]"
        tensor = self.tensor((loop.most, *self.sizes(axes)), dtype)
        return f"{tensor.name}[{loop.var}, {self.origin(axes)}]"

    def _with_heads(self) -> tuple[int, int, int]:
        """The extents of a tensor whose rows and columns are not its last two dimensions."""
        return (self.size[0], 2, self.size[1])

    def _slice(self, name: str) -> str:
        """The block's part of such a tensor."""
        rows, columns = self.block
        return (
            f"{name}[by * {rows}:(by + 1) * {rows}, {self.number(0, 1)}, "
            f"bx * {columns}:(bx + 1) * {columns}]"
        )

    def output(self, axes: str, dtype: str) -> str:
        """A new output and the part of it that belongs to this block and these iterations."""
        leading = [(loop.var, loop.most) for loop in self.loops]
        leading += [("by", self.grid[1])] if axes == "N" and self.grid[1] > 1 else []
        leading += [("bx", self.grid[0])] if axes == "M" and self.grid[0] > 1 else []
        if axes == "MN" and not leading and "layout" in self.features and self.flag():
            return self._slice(self.tensor(self._with_heads(), dtype, "C").name)
        shape = (*(extent for _, extent in leading), *self.sizes(axes))
        place = ", ".join([*(name for name, _ in leading), self.origin(axes)])
        return f"{self.tensor(shape, dtype, 'C').name}[{place}]"

    # Statements. ----------------------------------------------------------------------------------

    def says(self, *lines: str) -> None:
        self.body += [Line(line) for line in lines]

    @contextmanager
    def inside(self, header: str, loop: Loop | None = None) -> Iterator[None]:
        """The statements said inside stand under `header`."""
        outer, self.body = self.body, []
        self.loops += [loop] if loop else []
        yield
        outer.append(Nest(header, tuple(self.body) or (Line("pass"),)))
        self.body = outer
        if loop:
            self.loops.pop()

    def elements(self, axes: str, text: str) -> None:
        """`text` for all elements of these axes."""
        extents, names = self.extents(axes), INDICES[axes]
        if "serial" not in self.features or self.flag():
            with self.inside(f"for {names} in T.Parallel({', '.join(map(str, extents))}):"):
                self.says(text)
            return
        inner: Statement = Line(text)
        for name, extent in reversed(list(zip(names.split(", "), extents, strict=True))):
            inner = Nest(f"for {name} in T.serial({extent}):", (inner,))
        self.body.append(inner)
