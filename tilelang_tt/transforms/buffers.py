"""New on-chip buffers, shared by the passes that need one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, count

from tvm import tirx


def fresh_buffer(
    wanted: str,
    like: tirx.Buffer,
    others: Iterable[tirx.Buffer],
    shape: Sequence[tirx.PrimExpr | int] | None = None,
    dtype: str = "",
) -> tirx.Buffer:
    """A shared buffer of `like`'s dtype and shape, where none are given.

    It is called `wanted`, or `wanted_1` and so on where one of `others` has that name: the plan
    knows circular buffers by name.
    """
    taken = {buffer.name for buffer in others}
    names = chain([wanted], (f"{wanted}_{i}" for i in count(1)))
    name = next(name for name in names if name not in taken)
    scope = like.scope() if like.scope() != "global" else "shared.dyn"
    return tirx.decl_buffer(
        like.shape if shape is None else shape, dtype or like.dtype, name, scope=scope
    )
