"""How random tile programs are made.

A program has a grid of blocks. Each block holds values: tiles as large as the block, rows as wide,
columns as high. A step makes a value or changes one: a load, an element-wise nest, a matrix
product, a reduction, a loop that carries a value. At the end some values are stored.

What a program may use beyond the plain steps is drawn first, as a set of features: a program
that a compiler refuses for one feature then still shows what it does to the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from testing.fuzz.expressions import Draw, expression
from testing.fuzz.program import Buffer, Line, Nest, Program, Scalar, Statement, Tensor

TILE = 32
FLOATS = ("bfloat16", "float16", "float32")
FEATURES = (
    "ragged",
    "column",
    "reduction",
    "mask",
    "state",
    "functions",
    "branch",
    "chain",
    "integer",
    "scan",
    "transpose",
    "partial",
    "serial",
    "tensor access",
)


@dataclass(frozen=True)
class Value:
    """What a block holds in a buffer: `axes` are the block's dimensions that it has."""

    buffer: Buffer
    axes: str

    def at(self, rows: str = "i", columns: str = "j") -> str:
        names = {"MN": f"{rows}, {columns}", "M": rows, "N": columns}
        return f"{self.buffer.name}[{names[self.axes]}]"


@dataclass
class Builder:
    """A program in the making."""

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

    def new_value(self, axes: str, dtype: str, scope: str = "") -> Value:
        made = Value(self.buffer(self.extents(axes), dtype, scope), axes)
        return made

    def extents(self, axes: str) -> tuple[int, ...]:
        return tuple(self.block["MN".index(axis)] for axis in axes)

    # Choices. -------------------------------------------------------------------------------------

    def pick(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def flag(self) -> bool:
        return self.draw(st.booleans())

    def dtype(self) -> str:
        return self.pick(*FLOATS)

    def held(self, axes: str = "", dtype: str = "") -> list[Value]:
        """The values of these axes; all where none are named."""
        return [
            value
            for value in self.values
            if (not axes or value.axes == axes) and (not dtype or value.buffer.dtype == dtype)
        ]

    def a_value(self, axes: str) -> Value:
        """One that the block holds; loaded where there is none."""
        found = self.held(axes)
        if not found:
            load(self, axes)
            found = self.held(axes)
        return self.draw(st.sampled_from(found))

    def says(self, *lines: str) -> None:
        self.body += [Line(line) for line in lines]

    def origin(self, axes: str) -> str:
        """The indices at which the block's part of a tensor starts."""
        starts = {"M": f"by * {self.block[0]}", "N": f"bx * {self.block[1]}"}
        return ", ".join(starts[axis] for axis in axes)

    def nest(self, axes: str, text: str) -> Nest:
        """`text` for all elements of these axes."""
        extents = self.extents(axes)
        names = {"MN": ("i", "j"), "M": ("i",), "N": ("j",)}[axes]
        if "serial" in self.features and self.flag():
            inner: Statement = Line(text)
            for name, extent in reversed(list(zip(names, extents, strict=True))):
                inner = Nest(f"for {name} in T.serial({extent}):", (inner,))
            assert isinstance(inner, Nest)
            return inner
        header = f"for {', '.join(names)} in T.Parallel({', '.join(map(str, extents))}):"
        return Nest(header, (Line(text),))


# Steps. -------------------------------------------------------------------------------------------


def load(b: Builder, axes: str = "") -> None:
    """A part of a new tensor."""
    axes = axes or b.pick(*(["MN", "MN", "N"] + (["M"] if "column" in b.features else [])))
    dtype = b.dtype()
    tensor = b.tensor(tuple(b.size["MN".index(axis)] for axis in axes), dtype)
    value = b.new_value(axes, dtype if b.number(0, 3) else b.dtype())
    b.says(f"T.copy({tensor.name}[{b.origin(axes)}], {value.buffer.name})")
    b.values.append(value)


def load_integers(b: Builder) -> None:
    tensor = b.tensor(b.size, "int32")
    value = b.new_value("MN", "int32")
    b.says(f"T.copy({tensor.name}[{b.origin('MN')}], {value.buffer.name})")
    b.values.append(value)


def compute(b: Builder) -> None:
    """An element-wise nest over a tile, a row or a column."""
    base = b.a_value("MN")
    if b.number(0, 4) == 0:
        base = b.draw(st.sampled_from(b.values))
    _element_wise(b, base.axes)


def _element_wise(b: Builder, axes: str, target: Value | None = None) -> None:
    visible = [value for value in b.values if set(value.axes) <= set(axes)]
    if target is None:
        target = _target(b, axes, visible)
    text = _assignment(b, axes, target, visible)
    b.body.append(b.nest(axes, text))
    if target not in b.values:
        b.values.append(target)


def _target(b: Builder, axes: str, visible: list[Value]) -> Value:
    """In place in one case of three."""
    same = [value for value in visible if value.axes == axes]
    if same and b.number(0, 2) == 0:
        return b.draw(st.sampled_from(same))
    integers = any(value.buffer.dtype == "int32" for value in visible)
    return b.new_value(axes, "int32" if integers and b.flag() else b.dtype())


def _assignment(b: Builder, axes: str, target: Value, visible: list[Value]) -> str:
    """The text of one store; everything in it is computed in one dtype."""
    dtype = target.buffer.dtype
    compute_in = dtype if dtype == "int32" or b.number(0, 2) else "float32"
    leaves = [_converted(value, compute_in) for value in visible if _fits(value, compute_in)]
    if compute_in == "float32" and b.number(0, 5) == 0:
        leaves.append(_scalar(b))
    if not leaves:
        leaves = [f'T.Cast("{compute_in}", {visible[0].at()})']
    value = expression(
        b.draw,
        leaves,
        depth=b.number(1, 4),
        integer=compute_in == "int32",
        more="functions" in b.features,
        masks=_masks(b, axes) if "mask" in b.features else (),
    )
    return f"{target.at()} = {value}"


def _fits(value: Value, dtype: str) -> bool:
    """Integers mix with floats only through a cast from or to float32."""
    return (value.buffer.dtype == "int32") <= (dtype in ("int32", "float32"))


def _converted(value: Value, dtype: str) -> str:
    return value.at() if value.buffer.dtype == dtype else f'T.Cast("{dtype}", {value.at()})'


def _masks(b: Builder, axes: str) -> list[str]:
    rows, columns = f"by * {b.block[0]} + i", f"bx * {b.block[1]} + j"
    masks = {
        "MN": [f"{rows} >= {columns}", f"{columns} - {rows} < 40", f"{rows} < {b.size[0] - 5}"],
        "M": [f"{rows} < {b.size[0] - 5}"],
        "N": [f"{columns} >= 7", f"{columns} < {b.size[1] - 9}"],
    }
    return masks[axes]


def _scalar(b: Builder) -> str:
    made = Scalar(f"s{len(b.scalars)}", "float32", b.draw(st.sampled_from((0.5, -1.25, 3.0))))
    b.scalars.append(made)
    return made.name


def fill(b: Builder) -> None:
    value = b.new_value("MN", b.dtype())
    b.says(f"T.fill({value.buffer.name}, {b.pick('0', '1.5', '-2.0')})")
    b.values.append(value)


def move(b: Builder) -> None:
    """A copy on the chip, perhaps to another dtype."""
    source = b.draw(st.sampled_from(b.held() or [b.a_value("MN")]))
    dtype = "int32" if source.buffer.dtype == "int32" else b.dtype()
    value = b.new_value(source.axes, dtype)
    b.says(f"T.copy({source.buffer.name}, {value.buffer.name})")
    b.values.append(value)


def product(b: Builder) -> None:
    """A loop over blocks of K, or one product without a loop."""
    rows, columns = b.block
    dtype = b.pick("bfloat16", "bfloat16", "float16", "float32")
    depth, steps = TILE * b.number(1, 2), b.number(1, 3)
    ta, tb = b.flag(), b.flag()
    inner = depth * steps - (b.number(1, 20) if "ragged" in b.features else 0)
    left = b.tensor((inner, b.size[0]) if ta else (b.size[0], inner), dtype)
    right = b.tensor((b.size[1], inner) if tb else (inner, b.size[1]), dtype)
    left_s = b.buffer((depth, rows) if ta else (rows, depth), dtype, "shared")
    right_s = b.buffer((columns, depth) if tb else (depth, columns), dtype, "shared")
    result = b.new_value("MN", b.pick("float32", "float32", dtype), "fragment")
    k = f"k * {depth}"
    left_at = f"{k}, {b.origin('M')}" if ta else f"{b.origin('M')}, {k}"
    right_at = f"{b.origin('N')}, {k}" if tb else f"{k}, {b.origin('N')}"
    clear = b.pick("before", "first step", "start")
    lines: list[Statement] = [
        Line(f"T.copy({left.name}[{left_at}], {left_s.name})"),
        Line(f"T.copy({right.name}[{right_at}], {right_s.name})"),
    ]
    if b.number(0, 4) == 0:
        changed = left_s.name + "[p, q]"
        header = f"for p, q in T.Parallel({left_s.shape[0]}, {left_s.shape[1]}):"
        text = expression(b.draw, [changed], depth=2)
        lines.append(Nest(header, (Line(f"{changed} = {text}"),)))
    flags = f"transpose_A={ta}, transpose_B={tb}"
    if clear == "first step":
        flags += ", clear_accum=(k == 0)"
    lines.append(Line(f"T.gemm({left_s.name}, {right_s.name}, {result.buffer.name}, {flags})"))
    if clear == "before":
        b.says(f"T.clear({result.buffer.name})")
    elif clear == "start":
        _element_wise(b, "MN", result) if b.held("MN") else b.says(f"T.clear({result.buffer.name})")
    loop = b.pick(
        *(f"T.Pipelined({steps}, num_stages={s})" for s in (0, 1, 2)), f"T.serial({steps})"
    )
    b.body.append(Nest(f"for k in {loop}:", tuple(lines)))
    if result not in b.values:
        b.values.append(result)


def reduction(b: Builder) -> None:
    source = b.a_value("MN")
    if source.buffer.dtype == "int32":
        return
    dim = b.number(0, 1)
    axes = "NM"[dim]
    kind = b.pick("sum", "max", "min", "abssum", "absmax")
    older = [value for value in b.held(axes) if value.buffer.dtype == source.buffer.dtype]
    if older and kind != "abssum" and b.flag():
        value, clear = b.draw(st.sampled_from(older)), False
    else:
        value, clear = b.new_value(axes, source.buffer.dtype, "fragment"), True
        b.values.append(value)
    flags = f"dim={dim}" if clear else f"dim={dim}, clear=False"
    b.says(f"T.reduce_{kind}({source.buffer.name}, {value.buffer.name}, {flags})")


def state(b: Builder) -> None:
    """A loop that reads one part of a tensor after the other and carries a tile or a column."""
    steps, dtype = b.number(2, 3), b.dtype()
    tensor = b.tensor((b.size[0], b.block[1] * steps), dtype)
    part = b.new_value("MN", dtype)
    lines: list[Statement] = [
        Line(f"T.copy({tensor.name}[{b.origin('M')}, k * {b.block[1]}], {part.buffer.name})")
    ]
    if "reduction" in b.features and b.flag():
        carried, kind = b.new_value("M", "float32", "fragment"), b.pick("sum", "max")
        first = "0" if kind == "sum" else '-T.infinity("float32")'
        wide = b.new_value("MN", "float32", "fragment")
        lines += [
            Line(f"T.copy({part.buffer.name}, {wide.buffer.name})"),
            Line(f"T.reduce_{kind}({wide.buffer.name}, {carried.buffer.name}, dim=1, clear=False)"),
        ]
    else:
        carried = b.new_value("MN", b.dtype(), "fragment")
        first = "0"
        new = f'T.Cast("{carried.buffer.dtype}", {part.at()})'
        form = b.pick("{0} + {1}", "T.max({0}, {1})", "{0} * 0.5 + {1}", "{0} - {1} * {1}")
        lines.append(b.nest("MN", f"{carried.at()} = {form.format(carried.at(), new)}"))
    b.says(f"T.fill({carried.buffer.name}, {first})")
    b.body.append(Nest(f"for k in T.serial({steps}):", tuple(lines)))
    b.values.append(carried)


def walk(b: Builder) -> None:
    """A loop without state: each step loads, computes and stores."""
    steps, dtype = b.number(1, 3), b.dtype()
    shape = (b.size[0], b.block[1] * steps)
    source, dest = b.tensor(shape, dtype), b.tensor(shape, b.dtype(), "C")
    old, new = b.new_value("MN", dtype), b.new_value("MN", dest.dtype)
    place = f"{b.origin('M')}, k * {b.block[1]}"
    text = expression(b.draw, [_converted(old, dest.dtype)], depth=b.number(1, 3))
    b.body.append(
        Nest(
            f"for k in {b.pick('T.serial', 'T.Pipelined')}({steps}):",
            (
                Line(f"T.copy({source.name}[{place}], {old.buffer.name})"),
                b.nest("MN", f"{new.at()} = {text}"),
                Line(f"T.copy({new.buffer.name}, {dest.name}[{place}])"),
            ),
        )
    )


def chain(b: Builder) -> None:
    """A tile that the block holds is the left operand of a product."""
    source = b.a_value("MN")
    dtype = source.buffer.dtype if source.buffer.dtype in ("bfloat16", "float16") else "bfloat16"
    if source.buffer.dtype == "int32":
        return
    left = b.new_value("MN", dtype, "shared")
    tensor = b.tensor((b.block[1], b.block[1]), dtype)
    right = b.buffer(tensor.shape, dtype, "shared")
    result = b.new_value("MN", "float32", "fragment")
    b.says(
        f"T.copy({source.buffer.name}, {left.buffer.name})",
        f"T.copy({tensor.name}, {right.name})",
        f"T.clear({result.buffer.name})",
        f"T.gemm({left.buffer.name}, {right.name}, {result.buffer.name})",
    )
    b.values.append(result)


def branch(b: Builder) -> None:
    """Some blocks change a tile, others leave it or change it otherwise."""
    target = b.a_value("MN")
    visible = [value for value in b.values if set(value.axes) <= set("MN")]
    condition = b.pick("bx == 0", "by > 0", "bx + by == 1", "bx % 2 == 0")
    first = b.nest("MN", _assignment(b, "MN", target, visible))
    b.body.append(Nest(f"if {condition}:", (first,)))
    if b.flag():
        b.body.append(Nest("else:", (b.nest("MN", _assignment(b, "MN", target, visible)),)))


def scan(b: Builder) -> None:
    source = b.a_value("MN")
    if source.buffer.dtype != "int32":
        flags = f"dim={b.number(0, 1)}, reverse={b.flag()}"
        b.says(f"T.cumsum({source.buffer.name}, {flags})")


def transpose(b: Builder) -> None:
    source = b.a_value("MN")
    if b.block[0] == b.block[1]:
        value = b.new_value("MN", source.buffer.dtype)
        b.says(f"T.transpose({source.buffer.name}, {value.buffer.name})")
        b.values.append(value)


def partial(b: Builder) -> None:
    """A part of a tile is copied over a part of another."""
    source = b.a_value("MN")
    value = b.new_value("MN", source.buffer.dtype)
    rows, columns = b.block
    low, high = (0, TILE) if b.flag() or rows == TILE else (TILE, rows)
    b.says(
        f"T.clear({value.buffer.name})",
        f"T.copy({source.buffer.name}[{low}:{high}, 0:{columns}], "
        f"{value.buffer.name}[{low}:{high}, 0:{columns}])",
    )
    b.values.append(value)


def on_tensors(b: Builder) -> None:
    """An element-wise nest that reads and writes tensors themselves."""
    if "ragged" in b.features:
        return
    dtype = b.dtype()
    first, second = b.tensor(b.size, dtype), b.tensor(b.size, dtype)
    dest = b.tensor(b.size, b.pick(dtype, b.dtype()), "C")
    place = f"by * {b.block[0]} + i, bx * {b.block[1]} + j"
    leaves = [f"{first.name}[{place}]", f"{second.name}[{place}]"]
    text = expression(b.draw, leaves, depth=b.number(1, 3))
    b.body.append(b.nest("MN", f"{dest.name}[{place}] = {text}"))


PLAIN: tuple[Callable[[Builder], None], ...] = (
    compute,
    compute,
    compute,
    compute,
    load,
    fill,
    move,
    product,
    walk,
)
BY_FEATURE: dict[str, Callable[[Builder], None]] = {
    "reduction": reduction,
    "state": state,
    "branch": branch,
    "chain": chain,
    "integer": load_integers,
    "scan": scan,
    "transpose": transpose,
    "partial": partial,
    "tensor access": on_tensors,
}


def store(b: Builder, value: Value) -> None:
    """The block's part of an output."""
    dtype = value.buffer.dtype
    if dtype != "int32" and b.number(0, 2) == 0:
        dtype = b.dtype()
    source = value
    if b.number(0, 3) == 0:
        source = b.new_value(value.axes, dtype, "shared")
        b.says(f"T.copy({value.buffer.name}, {source.buffer.name})")
    if value.axes == "MN":
        tensor, place = b.tensor(b.size, dtype, "C"), b.origin("MN")
    else:
        other, extent = ("by", b.grid[1]) if value.axes == "N" else ("bx", b.grid[0])
        length = b.size["MN".index(value.axes)]
        shape = (length,) if extent == 1 else (extent, length)
        tensor = b.tensor(shape, dtype, "C")
        place = b.origin(value.axes) if extent == 1 else f"{other}, {b.origin(value.axes)}"
    b.says(f"T.copy({source.buffer.name}, {tensor.name}[{place}])")


@st.composite
def programs(draw: Draw) -> Program:
    """A random program."""
    count = draw(st.sampled_from((0, 1, 1, 2, 2, 3, 4)))
    features = frozenset(draw(st.sampled_from(FEATURES)) for _ in range(count))
    block = (TILE * draw(st.integers(1, 3)), TILE * draw(st.integers(1, 3)))
    grid = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    ragged = "ragged" in features
    size = tuple(
        extent * blocks - (draw(st.integers(0, extent - 1)) if ragged else 0)
        for extent, blocks in zip(block, reversed(grid), strict=True)
    )
    b = Builder(draw, features, block, grid, size)
    steps = [draw(st.sampled_from(PLAIN)) for _ in range(draw(st.integers(0, 5)))]
    for name in sorted(features & BY_FEATURE.keys()):
        steps.insert(draw(st.integers(0, len(steps))), BY_FEATURE[name])
    load(b, "MN")
    for step in steps:
        step(b)
    results = [value for value in b.values if value.axes == "MN" or draw(st.booleans())]
    for value in results[-draw(st.integers(1, 2)) :]:
        store(b, value)
    return Program(
        tensors=tuple(b.tensors),
        scalars=tuple(b.scalars),
        buffers=tuple(b.buffers),
        body=tuple(b.body),
        grid=grid,
        arch=draw(st.sampled_from(("wormhole_b0", "blackhole"))),
        cores=(draw(st.integers(1, 2)), draw(st.integers(1, 2))),
        seed=draw(st.integers(0, 1000)),
    )
