"""What the tile operations do: one function each, on whole regions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tvm import tirx

from testing.reference import bounded, dtypes
from testing.reference.bounded import Array, Bounded
from testing.reference.errors import UncertainControl, UnknownConstruct
from testing.reference.expressions import Scope, convert, evaluate, index, integer
from testing.reference.storage import Storage
from tilelang_tt.ir.tileops import Region

TERMS_PER_STEP = 32
"""A tile's worth of terms is summed before an accumulator is rounded."""


@dataclass(frozen=True)
class Part:
    """A region of a buffer as numbers: where it starts and how far it extends."""

    storage: Storage
    mins: tuple[int, ...]
    extents: tuple[int, ...]

    @classmethod
    def of(cls, expr: tirx.PrimExpr, scope: Scope) -> Part:
        """The region that `expr` says: a `tl.region`, or the head of a whole buffer."""
        region = Region.decode(expr)
        return cls(
            scope.storage(region.buffer),
            tuple(integer(low, scope) for low in region.mins),
            tuple(integer(extent, scope) for extent in region.extents),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents that are not 1."""
        return tuple(extent for extent in self.extents if extent != 1)

    def indices(self) -> list[Array]:
        """The indices of all elements, in the shape of `shape`."""
        rank, axis, result = len(self.shape), 0, []
        for low, extent in zip(self.mins, self.extents, strict=True):
            lanes = np.arange(low, low + extent)
            if extent == 1:
                result.append(lanes.reshape(()))
                continue
            result.append(lanes.reshape([-1 if other == axis else 1 for other in range(rank)]))
            axis += 1
        return result

    def load(self) -> Bounded:
        """The elements, in the shape of `shape`; those outside of the buffer are its safe value."""
        found = self.storage.load(self.indices(), None, may_leave=True)
        value = np.broadcast_to(found.value, self.shape)
        return Bounded(value, found.error, found.dtype)

    def store(self, new: Bounded) -> None:
        """Write the elements, rounded; those outside of the buffer are dropped."""
        rounded = convert(new, self.storage.dtype)
        self.storage.store(self.indices(), rounded, None, may_leave=True)

    def last(self, rank: int) -> Part:
        """The same region, whose leading dimensions are 1, in its last `rank` dimensions.

        Raises:
            UnknownConstruct: a leading dimension is not 1.
        """
        if any(extent != 1 for extent in self.extents[:-rank]):
            raise UnknownConstruct(f"a region of {self.extents} where {rank} dimensions are due")
        return self

    def matrix(self) -> Bounded:
        """The elements with the last two dimensions kept, whatever they are."""
        found = self.last(2).load()
        shape = self.extents[-2:]
        error = np.broadcast_to(found.error, self.shape).reshape(shape)
        is_exact = found.error is bounded.EXACT
        return Bounded(
            found.value.reshape(shape), bounded.EXACT if is_exact else error, found.dtype
        )


Arguments = tuple[tirx.PrimExpr, ...]


def copy(args: Arguments, scope: Scope) -> None:
    """`dst = src`, converted; by the order of the dimensions that are not 1."""
    src, dst = Part.of(args[0], scope), Part.of(args[1], scope)
    if src.shape != dst.shape:
        raise UnknownConstruct(f"a copy of {src.extents} to {dst.extents}")
    dst.store(src.load())


def fill(args: Arguments, scope: Scope) -> None:
    dst = Part.of(args[0], scope)
    dst.store(convert(evaluate(args[1], scope), dst.storage.dtype))


def transpose(args: Arguments, scope: Scope) -> None:
    """`dst[j, i] = src[i, j]` of the last two dimensions."""
    src, dst = Part.of(args[0], scope), Part.of(args[1], scope)
    found = src.matrix()
    _store_matrix(dst, _transposed(found))


def gemm(args: Arguments, scope: Scope) -> None:
    """`c = (0 if clear else c) + op(a) @ op(b)`.

    The accumulator is rounded once for each 32 terms, and twice when the block is added to it.
    """
    a, b, c, transpose_a, transpose_b, _m, _n, _k, _policy, clear, *_rest = args
    left, right = Part.of(a, scope).matrix(), Part.of(b, scope).matrix()
    dst = Part.of(c, scope)
    left = _transposed(left) if transpose_a.value else left
    right = _transposed(right) if transpose_b.value else right
    clears = evaluate(clear, scope)
    if not clears.is_exact:
        raise UncertainControl("clear_accum may differ on the device")
    if not dtypes.is_float(dst.storage.dtype):
        made = _whole_product(left, right, dst.storage.dtype)
    else:
        steps = -(-left.value.shape[-1] // TERMS_PER_STEP) + 2
        made = bounded.product(left, right, accumulator=_accumulator(dst, scope), roundings=steps)
    if not clears.value.all():
        made = _added(dst.matrix(), made)
    _store_matrix(dst, made)


def _whole_product(left: Bounded, right: Bounded, dtype: str) -> Bounded:
    if not (left.is_exact and right.is_exact):
        raise UncertainControl("an operand of an integer product may differ on the device")
    held = dtypes.held(dtype)
    return bounded.exact(left.value.astype(held) @ right.value.astype(held), dtype)


def _added(old: Bounded, new: Bounded) -> Bounded:
    """The accumulator is rounded when it is read and when the sum is written."""
    total = new + old
    if not dtypes.is_float(old.dtype):
        return total
    error = total.error + dtypes.unit(new.dtype) * old.magnitude
    return Bounded(total.value, error, old.dtype)


def reduce(args: Arguments, scope: Scope) -> None:
    """`dst = combine(src over dim)`, or with the old `dst` where it is not cleared.

    A conversion between integers and floats comes first.
    """
    src, dst = Part.of(args[0], scope), Part.of(args[1], scope)
    kind, dim, clear = str(args[2].value), integer(args[3], scope), bool(args[4].value)
    whole = _whole(src)
    if dtypes.is_float(src.storage.dtype) != dtypes.is_float(dst.storage.dtype):
        whole = convert(whole, dst.storage.dtype)
    if kind.startswith("abs"):
        whole = bounded.absolute(whole)
    row = _REDUCTIONS.get(kind.removeprefix("abs"))
    if row is None:
        raise UnknownConstruct(f"a reduction by {kind}")
    over, combine = row
    result = over(as_reduced(whole, scope), dim, _accumulator(dst, scope))
    result = convert(result, dst.storage.dtype)
    result = Bounded(
        result.value.reshape(dst.shape),
        result.error if result.error.ndim == 0 else result.error.reshape(dst.shape),
        result.dtype,
    )
    dst.store(result if clear else combine(dst.load(), result))


def as_reduced(value: Bounded, scope: Scope) -> Bounded:
    """The value as a reduction sees it: the vector unit reduces a float32 in full, where the
    registers are wide enough; else the matrix unit cuts it."""
    return value if scope.registers == "float32" else value.cut()


def _accumulator(dst: Part, scope: Scope) -> str:
    """The dtype in which a sum grows that ends in `dst`."""
    dtype = dst.storage.dtype
    return dtypes.coarser(dtype, scope.registers) if dtypes.is_float(dtype) else dtype


def _whole(part: Part) -> Bounded:
    """The elements of a region with all its dimensions, and the errors of all."""
    found = part.load()
    error = np.broadcast_to(found.error, part.shape).reshape(part.extents)
    return Bounded(found.value.reshape(part.extents), error, found.dtype)


def _sum(src: Bounded, dim: int, dtype: str) -> Bounded:
    """A sum is rounded once for each 32 terms, in the dtype of the result."""
    value = src.value.sum(axis=dim, dtype=src.value.dtype)
    if not dtypes.is_float(src.dtype):
        return Bounded(value, src.error.sum(axis=dim), src.dtype)
    terms = src.value.shape[dim]
    magnitude = src.magnitude.sum(axis=dim)
    steps = -(-terms // TERMS_PER_STEP) + 2
    relative = terms * 2.0**-24 + (0.0 if dtype == "float32" else steps * dtypes.unit(dtype))
    return Bounded(value, src.error.sum(axis=dim) + relative * magnitude, src.dtype)


def _extreme(choose: Callable[..., Array]) -> Callable[[Bounded, int, str], Bounded]:
    def over(src: Bounded, dim: int, dtype: str) -> Bounded:
        return Bounded(choose(src.value, axis=dim), src.error.max(axis=dim), src.dtype)

    return over


_REDUCTIONS: dict[str, tuple[Callable[..., Bounded], Callable[..., Bounded]]] = {
    "sum": (_sum, operator.add),
    "max": (_extreme(np.max), bounded.maximum),
    "min": (_extreme(np.min), bounded.minimum),
}
"""How a dimension is reduced, and how the result is combined with an older one."""


def cumsum(args: Arguments, scope: Scope) -> None:
    """Running sums along a dimension; each is as inexact as a sum of all its terms."""
    src, dst, dim, reverse = _scan(args, scope)
    turned = _reversed(src, dim, reverse)
    value = np.cumsum(turned.value, axis=dim, dtype=src.value.dtype)
    error = np.cumsum(turned.error, axis=dim)
    if dtypes.is_float(src.dtype):
        unit = dtypes.unit(_accumulator(dst, scope)) * src.value.shape[dim]
        error = np.cumsum(turned.cut().error, axis=dim) + unit * np.cumsum(
            turned.magnitude, axis=dim
        )
    _store_whole(dst, _reversed(Bounded(value, error, src.dtype), dim, reverse))


def cummax(args: Arguments, scope: Scope) -> None:
    """Running maxima along a dimension."""
    src, dst, dim, reverse = _scan(args, scope)
    turned = _reversed(src, dim, reverse)
    value = np.maximum.accumulate(turned.value, axis=dim)
    error = np.maximum.accumulate(turned.cut().error, axis=dim)
    _store_whole(dst, _reversed(Bounded(value, error, src.dtype), dim, reverse))


def _scan(args: Arguments, scope: Scope) -> tuple[Bounded, Part, int, bool]:
    src, dst = Part.of(args[0], scope), Part.of(args[1], scope)
    return _whole(src), dst, integer(args[2], scope), bool(args[3].value)


def _reversed(a: Bounded, dim: int, reverse: bool) -> Bounded:
    return Bounded(np.flip(a.value, dim), np.flip(a.error, dim), a.dtype) if reverse else a


def _store_whole(dst: Part, a: Bounded) -> None:
    dst.store(Bounded(a.value.reshape(dst.shape), a.error.reshape(dst.shape), a.dtype))


def _store_matrix(dst: Part, a: Bounded) -> None:
    error = a.error if a.error.ndim == 0 else np.broadcast_to(a.error, a.value.shape)
    if dst.last(2).extents[-2:] != a.value.shape:
        raise UnknownConstruct(f"a result of {a.value.shape} in a region of {dst.extents}")
    value = a.value.reshape(dst.shape)
    dst.store(Bounded(value, error if error.ndim == 0 else error.reshape(dst.shape), a.dtype))


def _transposed(a: Bounded) -> Bounded:
    return Bounded(a.value.T, a.error if a.error.ndim == 0 else a.error.T, a.dtype)


_ATOMICS: dict[str, np.ufunc] = {"add": np.add, "max": np.maximum, "min": np.minimum}


def atomic_part(name: str) -> Callable[[Arguments, Scope], None]:
    """`T.atomic_add(dst_region, value)` and its kin: the value comes first."""

    def apply(args: Arguments, scope: Scope) -> None:
        dst = Part.of(args[1], scope)
        is_region = isinstance(args[0], tirx.Call) and args[0].op.name == "tl.region"
        value = Part.of(args[0], scope).load() if is_region else evaluate(args[0], scope)
        value = convert(value, dst.storage.dtype)
        dst.storage.combine(dst.indices(), value, None, _ATOMICS[name])

    return apply


def atomic_element(name: str) -> Callable[[Arguments, Scope], None]:
    """`T.atomic_add(dst[i], value)` and its kin, for all lanes."""

    def apply(args: Arguments, scope: Scope) -> None:
        load = args[0].args[0]
        storage = scope.storage(load.buffer)
        value = convert(evaluate(args[1], scope), storage.dtype)
        lanes = all_lanes(value, scope)
        indices = [index(i, scope) for i in load.indices]
        storage.combine(indices, lanes, scope.condition, _ATOMICS[name])

    return apply


def all_lanes(value: Bounded, scope: Scope) -> Bounded:
    """`value` once for each lane, since each lane adds it."""
    shape = np.broadcast_shapes(value.value.shape, scope.lane_shape)
    return Bounded(
        np.broadcast_to(value.value, shape), np.broadcast_to(value.error, shape), value.dtype
    )


def nothing(args: Arguments, scope: Scope) -> None:
    """A hint, or the end of a reducer's epoch: its elements are already combined."""


OPERATIONS: dict[str, Callable[[Arguments, Scope], None]] = {
    "tl.tileop.copy": copy,
    "tl.tileop.fill": fill,
    "tl.tileop.transpose": transpose,
    "tl.tileop.gemm": gemm,
    "tl.tileop.reduce": reduce,
    "tl.tileop.cumsum": cumsum,
    "tl.tileop.cummax": cummax,
    "tl.tileop.finalize_reducer": nothing,
    "tl.no_set_max_nreg": nothing,
    "tl.set_max_nreg": nothing,
    "tirx.tvm_storage_sync": nothing,
    "tirx.assume": nothing,
    **{f"tl.tileop.atomic{name}": atomic_part(name) for name in _ATOMICS},
    **{f"tl.atomic_{name}_elem_op": atomic_element(name) for name in _ATOMICS},
}
