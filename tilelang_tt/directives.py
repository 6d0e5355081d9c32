"""What an expert can ask for inside a T.prim_func about one buffer or one loop.

    from tilelang_tt import directives as tt

    A_shared = T.alloc_shared((block_M, block_K), "bfloat16")
    tt.depth(A_shared, 3)
    for k in T.Pipelined(T.ceildiv(K, block_K)):
        tt.split(k, 4)
        ...

A directive is a statement that leaves a mark in the program and computes nothing. What it asks for
is done, or refused with the reason (TT4006): it never is ignored. Options of the target that say
the same of the whole program yield to it, but for `depths`, which overrules `depth`.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.diagnostics import BadDirective
from tilelang_tt.ir import attrs, ops


def depth(buffer: tirx.Buffer, blocks: int) -> tirx.Call:
    """The circular buffer of `buffer` holds `blocks` blocks at a time."""
    return _of_buffer(attrs.DEPTH, buffer, _positive(attrs.DEPTH, blocks))


def multicast(buffer: tirx.Buffer, on: bool = True) -> tirx.Call:
    """What is loaded into `buffer` is read by one core for all that need it, or, where `on` is
    False, by each core for itself."""
    return _of_buffer(attrs.MULTICAST, buffer, _choice(attrs.MULTICAST, on))


def fuse(buffer: tirx.Buffer) -> tirx.Call:
    """The element-wise value in `buffer` is computed where it is used, in each place anew, and not
    stored."""
    return _of_buffer(attrs.FUSE, buffer, 1)


def separate(buffer: tirx.Buffer) -> tirx.Call:
    """The value in `buffer` is stored, and not computed where it is used."""
    return _of_buffer(attrs.SEPARATE, buffer, 1)


def split(loop: tirx.Var, parts: int | bool = True) -> tirx.Call:
    """The iterations of a loop of a block are shared by `parts` cores; by as many as there are for
    each block where it is True, by none where it is False.

    Stands inside of the loop, of which `loop` is the variable.
    """
    if isinstance(parts, bool):
        return _of_loop(attrs.SPLIT, loop, attrs.ANY_PARTS if parts else 1)
    return _of_loop(attrs.SPLIT, loop, _positive(attrs.SPLIT, parts))


def cut(axis: tirx.Var, factor: int) -> tirx.Call:
    """Each block is made `factor` blocks along an axis of the grid, of which `axis` is the
    variable; 1 leaves them as they are."""
    return _of_loop(attrs.CUT, axis, _positive(attrs.CUT, factor))


def _of_buffer(kind: str, buffer: tirx.Buffer, value: int) -> tirx.Call:
    if not isinstance(buffer, tirx.Buffer):
        raise BadDirective.because(directive=kind, got=buffer, expected="a whole buffer")
    return _mark(kind, buffer.data, value)


def _of_loop(kind: str, var: tirx.Var, value: int) -> tirx.Call:
    if not isinstance(var, tirx.Var):
        raise BadDirective.because(directive=kind, got=var, expected="the variable of a loop")
    return _mark(kind, var, value)


def _mark(kind: str, of: tirx.Var, value: int) -> tirx.Call:
    return ops.DIRECTIVE.call(tirx.StringImm(kind), of, tirx.const(value, "int32"))


def _positive(kind: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise BadDirective.because(directive=kind, got=value, expected="a positive Python integer")
    return value


def _choice(kind: str, value: object) -> int:
    if not isinstance(value, bool):
        raise BadDirective.because(directive=kind, got=value, expected="True or False")
    return int(value)
