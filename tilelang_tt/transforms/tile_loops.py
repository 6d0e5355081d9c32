"""Loops over tiles, shared by the lowering passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tvm import tirx


def nest_of(extents: Sequence[int], body: Callable[[list[tirx.PrimExpr]], tirx.Stmt]) -> tirx.Stmt:
    """Loops of these extents around `body`, which gets their variables.

    A loop of one iteration is left out.
    """
    names = ["b"] * (len(extents) - 2) + ["r", "c"][-len(extents) :]
    loops = [(tirx.Var(name, "int32"), extent) for name, extent in zip(names, extents, strict=True)]
    stmt = body([tirx.const(0, "int32") if extent == 1 else var for var, extent in loops])
    for var, extent in reversed(loops):
        if extent != 1:
            stmt = loop(var, extent, stmt)
    return stmt


def loop(var: tirx.Var, extent: int, body: tirx.Stmt) -> tirx.For:
    """A serial loop from 0."""
    return tirx.For(
        var, tirx.const(0, "int32"), tirx.const(extent, "int32"), tirx.ForKind.SERIAL, body
    )


def for_tiles(count: int, body: Callable[[tirx.PrimExpr], tirx.Stmt]) -> tirx.Stmt:
    """Run `body` for each of `count` tiles, which it gets the number of."""
    tile = tirx.Var("t", "int32")
    return body(tirx.const(0, "int32")) if count == 1 else loop(tile, count, body(tile))


def in_chunks(count: int, size: int, section: Callable[[tirx.PrimExpr], tirx.Stmt]) -> tirx.Stmt:
    """Run `section` for the first of every `size` tiles of `count`."""
    if count == size:
        return section(tirx.const(0, "int32"))
    chunk = tirx.Var("chunk", "int32")
    return loop(chunk, count // size, section(chunk * size))


def largest_divisor(number: int, limit: int) -> int:
    """The largest divisor of `number` that is at most `limit`."""
    return next(size for size in range(min(number, limit), 0, -1) if number % size == 0)
