"""Attention with the softmax taken online, in many spellings."""

from __future__ import annotations

from dataclasses import dataclass

from testing.fuzz.builder import TILE, Builder, Value
from testing.fuzz.program import Buffer

LOG2_E = 1.44269504


@dataclass(frozen=True)
class Shapes:
    """Rows of queries of a block, keys of a step, steps, head dimension; all keys together, fewer
    where the last step is ragged."""

    rows: int
    keys: int
    steps: int
    depth: int
    sequence: int


def attention(b: Builder) -> None:
    """`softmax(Q K^T) V` for the block's rows of Q, masked perhaps; its result is an output."""
    keys, steps = TILE * b.number(1, 2), b.number(1, 3)
    missing = b.number(1, keys - 1) if "ragged" in b.features else 0
    shapes = Shapes(b.block[0], keys, steps, TILE * b.number(1, 2), keys * steps - missing)
    dtype = b.pick("bfloat16", "float16", "float32")
    q, k, v, p = (
        b.buffer(shape, dtype, "shared")
        for shape in (
            (shapes.rows, shapes.depth),
            (shapes.keys, shapes.depth),
            (shapes.keys, shapes.depth),
            (shapes.rows, shapes.keys),
        )
    )
    scores = b.buffer((shapes.rows, shapes.keys), "float32", "fragment")
    result = b.buffer((shapes.rows, shapes.depth), "float32", "fragment")
    new_max, old_max, scale, new_sum, total = (
        b.buffer((shapes.rows,), "float32", "fragment") for _ in range(5)
    )
    queries = b.tensor((b.size[0], shapes.depth), dtype)
    sources = [b.tensor((shapes.sequence, shapes.depth), dtype) for _ in range(2)]
    b.says(
        f"T.copy({queries.name}[{b.origin('M')}, 0], {q.name})",
        f"T.clear({result.name})",
        f"T.clear({total.name})",
        f'T.fill({new_max.name}, -T.infinity("float32"))',
    )
    power = _power(b)
    with b.inside(f"for k in {b.pick('T.serial', 'T.Pipelined')}({shapes.steps}):"):
        b.says(f"T.copy({sources[0].name}[k * {shapes.keys}, 0], {k.name})")
        _scores(b, shapes, q, k, scores)
        b.says(f"T.copy({new_max.name}, {old_max.name})")
        _maximum(b, shapes, scores, new_max, old_max)
        shifted = power.format(f"{scores.name}[i, j] - {new_max.name}[i]")
        change = power.format(f"{old_max.name}[i] - {new_max.name}[i]")
        _rows(b, shapes, f"{scale.name}[i] = {change}")
        _tile(b, shapes, shapes.keys, f"{scores.name}[i, j] = {shifted}")
        b.says(f"T.reduce_sum({scores.name}, {new_sum.name}, dim=1)")
        added = f"{total.name}[i] * {scale.name}[i] + {new_sum.name}[i]"
        _rows(b, shapes, f"{total.name}[i] = {added}")
        b.says(f"T.copy({scores.name}, {p.name})")
        rescaled = f"{result.name}[i, j] * {scale.name}[i]"
        _tile(b, shapes, shapes.depth, f"{result.name}[i, j] = {rescaled}")
        b.says(
            f"T.copy({sources[1].name}[k * {shapes.keys}, 0], {v.name})",
            f"T.gemm({p.name}, {v.name}, {result.name})",
        )
    _tile(b, shapes, shapes.depth, f"{result.name}[i, j] = {result.name}[i, j] / {total.name}[i]")
    _store(b, shapes, result)
    b.hold(Value(total, "M"))


def _power(b: Builder) -> str:
    """The exponential, with the scale of the scores."""
    scale = b.pick("0.125", "0.5")
    return b.pick(f"T.exp(({{}}) * {scale})", f"T.exp2(({{}}) * {float(scale) * LOG2_E})")


def _scores(b: Builder, shapes: Shapes, q: Buffer, k: Buffer, scores: Buffer) -> None:
    """`Q K^T`, minus infinity where a mask says so; the mask comes first or last."""
    row, column = f"by * {b.block[0]} + i", f"k * {shapes.keys} + j"
    allowed = []
    if b.flag():
        allowed.append(f"{row} >= {column}")
    if shapes.sequence < shapes.keys * shapes.steps:
        allowed.append(f"{column} < {shapes.sequence}")
    product = f"T.gemm({q.name}, {k.name}, {scores.name}, transpose_B=True"
    if not allowed:
        b.says(f"T.clear({scores.name})", f"{product})")
        return
    condition = allowed[0] if len(allowed) == 1 else f"T.And({allowed[0]}, {allowed[1]})"
    masked = f'{scores.name}[i, j] = T.if_then_else({condition}, {{}}, -T.infinity("float32"))'
    if b.flag():
        _tile(b, shapes, shapes.keys, masked.format("0.0"))
        b.says(f"{product})")
    else:
        b.says(f"{product}, clear_accum=True)")
        _tile(b, shapes, shapes.keys, masked.format(f"{scores.name}[i, j]"))


def _maximum(b: Builder, shapes: Shapes, scores: Buffer, new: Buffer, old: Buffer) -> None:
    if b.flag():
        b.says(f"T.reduce_max({scores.name}, {new.name}, dim=1, clear=False)")
        return
    b.says(f"T.reduce_max({scores.name}, {new.name}, dim=1)")
    _rows(b, shapes, f"{new.name}[i] = T.max({new.name}[i], {old.name}[i])")


def _rows(b: Builder, shapes: Shapes, text: str) -> None:
    with b.inside(f"for i in T.Parallel({shapes.rows}):"):
        b.says(text)


def _tile(b: Builder, shapes: Shapes, columns: int, text: str) -> None:
    with b.inside(f"for i, j in T.Parallel({shapes.rows}, {columns}):"):
        b.says(text)


def _store(b: Builder, shapes: Shapes, result: Buffer) -> None:
    dtype, (across, _) = b.dtype(), b.grid
    shape, place = (b.size[0], shapes.depth), f"{b.origin('M')}, 0"
    if across > 1:
        shape, place = (across, *shape), f"bx, {place}"
    b.says(f"T.copy({result.name}, {b.tensor(shape, dtype, 'C').name}[{place}])")
