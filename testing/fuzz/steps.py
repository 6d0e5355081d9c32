"""What a random program may do next: one function a step, each makes a value or changes one."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from testing.fuzz.attention import attention
from testing.fuzz.builder import INTEGERS, TILE, Builder, Loop, Value
from testing.fuzz.expressions import expression

Step = Callable[[Builder], None]


def load(b: Builder) -> None:
    """A part of a new tensor; converted in one case of four."""
    axes = b.pick("MN", "MN", "N", *(["M", "M"] if "column" in b.features else []))
    load_axes(b, axes)


def load_axes(b: Builder, axes: str) -> None:
    dtype = b.dtype()
    value = b.target(axes, b.dtype() if b.once_in(4) else dtype)
    b.says(f"T.copy({b.part(axes, dtype)}, {value.name})")
    b.hold(value)


def load_integers(b: Builder) -> None:
    dtype = b.pick(*INTEGERS)
    value = b.empty("MN", dtype)
    b.says(f"T.copy({b.part('MN', dtype)}, {value.name})")
    b.hold(value)


def compute(b: Builder) -> None:
    """An element-wise nest over a tile, a row or a column."""
    axes = b.draw(st.sampled_from(b.values)).axes if b.once_in(4) else "MN"
    integers = [value.dtype for value in b.visible(axes) if value.dtype in INTEGERS]
    target = b.target(axes, b.pick(*integers) if integers and b.flag() else b.dtype())
    _assign(b, target)


def _assign(b: Builder, target: Value) -> None:
    b.elements(target.axes, f"{target.at()} = {_expression(b, target.axes, target.dtype)}")
    b.hold(target)


def _expression(b: Builder, axes: str, dtype: str) -> str:
    """What may be stored in `dtype`; everything in it is computed in one dtype."""
    visible = b.visible(axes)
    compute_in = dtype if dtype in INTEGERS or not b.once_in(3) else "float32"
    leaves = [_converted(value, compute_in) for value in visible if _fits(value, compute_in)]
    if compute_in == "float32" and b.once_in(6):
        leaves.append(b.scalar("float32", 0.5, -1.25, 3.0).name)
    if compute_in == "float32":
        leaves += b.variables
    return expression(
        b.draw,
        leaves or [f'T.Cast("{compute_in}", {visible[0].at()})'],
        depth=b.number(1, 4),
        integer=compute_in in INTEGERS,
        more="functions" in b.features,
        masks=_masks(b, axes) if "mask" in b.features else (),
    )


def _fits(value: Value, dtype: str) -> bool:
    """Integers of 32 bits mix with floats only through a cast from or to float32."""
    return value.dtype != "int32" or dtype in (*INTEGERS, "float32")


def _converted(value: Value, dtype: str) -> str:
    return value.at() if value.dtype == dtype else f'T.Cast("{dtype}", {value.at()})'


def _masks(b: Builder, axes: str) -> list[str]:
    rows, columns = f"by * {b.block[0]} + i", f"bx * {b.block[1]} + j"
    masks = {
        "MN": [f"{rows} >= {columns}", f"{columns} - {rows} < 40", f"{rows} < {b.size[0] - 5}"],
        "M": [f"{rows} < {b.size[0] - 5}"],
        "N": [f"{columns} >= 7", f"{columns} < {b.size[1] - 9}"],
    }
    masks["MN"] += masks["N"]
    return masks[axes]


def fill(b: Builder) -> None:
    value = b.target("MN", b.dtype())
    b.says(f"T.fill({value.name}, {b.pick('0', '1.5', '-2.0')})")
    b.hold(value)


def move(b: Builder) -> None:
    """A copy on the chip, perhaps to another dtype."""
    source = b.draw(st.sampled_from(b.values))
    value = b.target(source.axes, source.dtype if source.dtype in INTEGERS else b.dtype())
    if value != source:
        b.says(f"T.copy({source.name}, {value.name})")
        b.hold(value)


def product(b: Builder) -> None:
    """A loop over blocks of K that adds to a new accumulator, or to a tile that the block holds."""
    rows, columns = b.block
    dtype = b.pick("bfloat16", "bfloat16", "float16", "float32")
    depth, steps = TILE * b.number(1, 2), b.number(1, 3)
    ta, tb = b.flag(), b.flag()
    inner = depth * steps - (b.number(1, 20) if "ragged" in b.features else 0)
    left = b.tensor((inner, b.size[0]) if ta else (b.size[0], inner), dtype)
    right = b.tensor((b.size[1], inner) if tb else (inner, b.size[1]), dtype)
    left_s = b.buffer((depth, rows) if ta else (rows, depth), dtype, "shared")
    right_s = b.buffer((columns, depth) if tb else (depth, columns), dtype, "shared")
    result = b.target("MN", b.pick("float32", "float32", dtype), "fragment")
    k, left_from, right_from = f"k * {depth}", b.origin("M"), b.origin("N")
    clear = "in the product" if b.once_in(4) else _start(b, result)
    flags = f"transpose_A={ta}, transpose_B={tb}"
    flags += ", clear_accum=(k == 0)" if clear == "in the product" else ""
    serial = f"T.serial({steps})"
    loop = b.pick(serial, *(f"T.Pipelined({steps}, num_stages={stages})" for stages in (0, 1, 2)))
    with b.inside(f"for k in {loop}:"):
        b.says(
            f"T.copy({left.name}[{f'{k}, {left_from}' if ta else f'{left_from}, {k}'}], "
            f"{left_s.name})",
            f"T.copy({right.name}[{f'{right_from}, {k}' if tb else f'{k}, {right_from}'}], "
            f"{right_s.name})",
        )
        if b.once_in(5):
            _change(b, left_s.name, left_s.shape)
        b.says(f"T.gemm({left_s.name}, {right_s.name}, {result.name}, {flags})")
    b.hold(result)


def _start(b: Builder, result: Value) -> str:
    """What an accumulator holds before: nothing, an expression, or what it held."""
    if result in b.values and b.flag():
        return "as it was"
    if b.once_in(3):
        _assign(b, result)
        return "an expression"
    b.says(f"T.clear({result.name})")
    return "nothing"


def _change(b: Builder, name: str, shape: tuple[int, ...]) -> None:
    with b.inside(f"for p, q in T.Parallel({shape[0]}, {shape[1]}):"):
        b.says(f"{name}[p, q] = {expression(b.draw, [f'{name}[p, q]'], depth=2)}")


def chain(b: Builder) -> None:
    """A tile that the block holds is the left operand of a product."""
    source = b.a_tile()
    dtype = source.dtype if source.dtype != "float32" else "bfloat16"
    left = b.empty("MN", dtype, "shared")
    tensor = b.tensor((b.block[1], b.block[1]), dtype)
    right = b.buffer(tensor.shape, dtype, "shared")
    result = b.target("MN", "float32", "fragment")
    b.says(f"T.copy({source.name}, {left.name})", f"T.copy({tensor.name}, {right.name})")
    _start(b, result)
    flags = f"transpose_B={b.flag()}"
    b.says(f"T.gemm({left.name}, {right.name}, {result.name}, {flags})")
    b.hold(result)


def reduction(b: Builder) -> None:
    source = b.draw(st.sampled_from(b.held("MN")))
    dim = b.number(0, 1)
    kind = b.pick("sum", "max", "min", "abssum", "absmax")
    value = b.target("NM"[dim], source.dtype, "fragment")
    goes_on = value in b.values and kind != "abssum" and b.flag()
    flags = f"dim={dim}" + (", clear=False" if goes_on else "")
    b.says(f"T.reduce_{kind}({source.name}, {value.name}, {flags})")
    b.hold(value)


def reduction_by_hand(b: Builder) -> None:
    """A reduction as loops over elements, either loop outside."""
    source = b.a_tile()
    axes = b.pick("M", "N")
    value = b.target(axes, source.dtype, "fragment")
    combine = b.pick("{0} + {1}", "T.max({0}, {1})", "T.min({0}, {1})", "{0} + {1} * {1}")
    if value not in b.values or b.flag():
        b.says(f"T.fill({value.name}, {b.pick('0', '-1.0')})")
    kept, reduced = ("i", "j") if axes == "M" else ("j", "i")
    extents = dict(zip("ij", b.block, strict=True))
    headers = [
        f"for {kept} in {b.pick('T.Parallel', 'T.serial')}({extents[kept]}):",
        f"for {reduced} in T.serial({extents[reduced]}):",
    ]
    outer, inner = headers if b.flag() else headers[::-1]
    with b.inside(outer), b.inside(inner):
        b.says(f"{value.at()} = {combine.format(value.at(), source.at())}")
    b.hold(value)


def variable(b: Builder) -> None:
    """A scalar variable that later expressions may read, or a new value of one."""
    if b.variables and b.flag():
        name = b.pick(*b.variables)
        b.says(f"{name} = {name} {b.pick('* 0.5', '+ 1.0', '- 2.0')}")
    elif not b.loops:
        name = f"v{len(b.variables)}"
        b.says(f'{name} = T.alloc_var("float32", init={b.pick("0.5", "-1.5")})')
        b.variables.append(name)


def atomic(b: Builder) -> None:
    """All blocks, or those of a row or a column of the grid, add to one tile."""
    source = b.a_tile()
    shape, start = list(b.block), ["0", "0"]
    for axis, block in enumerate(("by", "bx")):
        if b.flag():
            shape[axis], start[axis] = b.size[axis], f"{block} * {b.block[axis]}"
    sums = b.tensor(tuple(shape), source.dtype, "R").name
    if b.flag():
        b.says(f"T.atomic_add({sums}[{start[0]}, {start[1]}], {source.name})")
    else:
        place = f"{sums}[{start[0]} + i, {start[1]} + j]"
        b.elements("MN", f"T.atomic_add({place}, {source.at()})")


def scan(b: Builder) -> None:
    kind = b.pick("cumsum", "cumsum", "cummax")
    b.says(f"T.{kind}({b.a_tile().name}, dim={b.number(0, 1)}, reverse={b.flag()})")


def transpose(b: Builder) -> None:
    if b.block[0] == b.block[1]:
        source = b.a_tile()
        value = b.empty("MN", source.dtype)
        b.says(f"T.transpose({source.name}, {value.name})")
        b.hold(value)


def partial(b: Builder) -> None:
    """A part of a tile is copied over a part of another."""
    source = b.a_tile()
    value = b.target("MN", source.dtype)
    rows, columns = b.block
    low, high = (0, TILE) if rows == TILE or b.flag() else (TILE, rows)
    if value == source:
        return
    if value not in b.values:
        b.says(f"T.clear({value.name})")
    part = f"[{low}:{high}, 0:{columns}]"
    b.says(f"T.copy({source.name}{part}, {value.name}{part})")
    b.hold(value)


def on_tensors(b: Builder) -> None:
    """An element-wise nest that reads and writes tensors themselves."""
    if "ragged" in b.features or b.loops:
        return
    dtype = b.dtype()
    first, second = b.tensor(b.size, dtype), b.tensor(b.size, dtype)
    dest = b.tensor(b.size, b.dtype() if b.flag() else dtype, "C")
    place = f"by * {b.block[0]} + i, bx * {b.block[1]} + j"
    leaves = [f"{first.name}[{place}]", f"{second.name}[{place}]"]
    text = expression(b.draw, leaves, depth=b.number(1, 3))
    b.elements("MN", f"{dest.name}[{place}] = {text}")


def loop(b: Builder) -> None:
    """Steps again and again; what they change is carried from one iteration to the next."""
    extent, most = _extent(b)
    var = f"k{len(b.loops)}"
    kind = b.pick("T.serial", "T.Pipelined") if "bounds" not in b.features else "T.serial"
    known = list(b.values)
    with b.inside(f"for {var} in {kind}({extent}):", Loop(var, most)):
        _some_steps(b)
        if b.once_in(3):
            store(b, b.a_tile())
    if extent != str(most) or not b.once_in(3):
        b.values = known  # what was first written inside stays inside


def _extent(b: Builder) -> tuple[str, int]:
    """How often a loop runs, and how often at the most."""
    steps = b.number(1, 3)
    if "bounds" not in b.features:
        return str(steps), steps
    kind = b.pick("rows", "columns", "scalar")
    if kind == "scalar":
        return b.scalar("int32", 0, 1, 3).name, 3
    return ("by + 1", b.grid[1]) if kind == "rows" else ("bx + 1", b.grid[0])


def branch(b: Builder) -> None:
    """Some blocks or iterations do one thing, others another."""
    conditions = ["bx == 0", "by > 0", "bx + by == 1", "bx % 2 == 0"]
    conditions += [f"{around.var} > 0" for around in b.loops]
    known = list(b.values)
    with b.inside(f"if {b.pick(*conditions)}:"):
        _some_steps(b)
    b.values = list(known)
    if b.flag():
        with b.inside("else:"):
            _some_steps(b)
        b.values = known


def _some_steps(b: Builder) -> None:
    """Steps inside a loop or branch, of which one at least changes what was there before."""
    choices = [load, compute, compute, compute, move, product]
    choices += [BY_FEATURE[name] for name in sorted(b.features & BY_FEATURE.keys())]
    if len(b.loops) > 1:
        choices = [step for step in choices if step not in (loop, branch)]
    before = b.floats()
    for _ in range(b.number(0, 2)):
        b.draw(st.sampled_from(choices))(b)
    target = b.draw(st.sampled_from(before))
    _assign(b, target)


def store(b: Builder, value: Value) -> None:
    """The block's part of an output, perhaps through another buffer and dtype."""
    dtype = b.dtype() if value.dtype not in INTEGERS and b.once_in(3) else value.dtype
    source = value
    if b.once_in(4):
        source = b.empty(value.axes, dtype, "shared")
        b.says(f"T.copy({value.name}, {source.name})")
    b.says(f"T.copy({source.name}, {b.output(value.axes, dtype)})")


PLAIN: tuple[Step, ...] = (compute, compute, compute, compute, load, fill, move, product)
BY_FEATURE: dict[str, Step] = {
    "reduction": reduction,
    "loop": loop,
    "branch": branch,
    "chain": chain,
    "integer": load_integers,
    "reduction by hand": reduction_by_hand,
    "attention": attention,
    "variable": variable,
    "atomic": atomic,
    "scan": scan,
    "transpose": transpose,
    "partial": partial,
    "tensor access": on_tensors,
}
"""The step that a feature adds; other features change what steps do."""

FEATURES = (
    *BY_FEATURE,
    "reduction",
    "loop",
    "attention",
    "layout",
    "ragged",
    "column",
    "mask",
    "functions",
    "bounds",
    "dynamic",
    "serial",
)
"""What may be drawn, the most interesting ones twice."""
