"""Tensors and on-chip buffers: values with their errors, read and written by arrays of indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from testing.reference import bounded, dtypes
from testing.reference.bounded import Array, Bounded
from testing.reference.errors import OutsideBuffer, Race, UnknownConstruct

Indices = Sequence[Array]
"""One array of integers for each dimension; together they broadcast to the shape of a result."""


@dataclass(frozen=True, eq=False)
class Storage:
    """The elements of a buffer.

    A tensor may be read and written past its end: such reads give `outside`, such writes are
    dropped. An on-chip buffer may not.
    """

    name: str
    dtype: str
    value: Array
    error: Array
    is_tensor: bool
    outside: float = 0.0

    @classmethod
    def unwritten(cls, name: str, dtype: str, shape: tuple[int, ...], is_tensor: bool) -> Storage:
        empty = bounded.unknown(shape, dtype)
        return cls(name, dtype, empty.value, empty.error, is_tensor)

    @classmethod
    def holding(cls, name: str, dtype: str, array: Array, outside: float) -> Storage:
        """A tensor with the elements of `array`, which is not changed."""
        value = array.astype(dtypes.held(dtype), copy=True)
        return cls(name, dtype, value, np.zeros(value.shape), True, outside)

    @property
    def contents(self) -> Bounded:
        return Bounded(self.value, self.error, self.dtype)

    def viewed(self, shape: tuple[int, ...], dtype: str) -> Storage:
        """The same elements in another shape.

        Raises:
            UnknownConstruct: they are of another dtype or number.
        """
        if dtype != self.dtype or math.prod(shape) != self.value.size:
            raise UnknownConstruct(f"{self.name!r} of {self.dtype} seen as {shape} of {dtype}")
        value, error = self.value.reshape(shape), self.error.reshape(shape)
        assert np.shares_memory(value, self.value) or not value.size
        return replace(self, value=value, error=error)

    def load(self, indices: Indices, active: Array | None, *, may_leave: bool = False) -> Bounded:
        """The elements at `indices`.

        Args:
            active: where the elements are used; None is everywhere.
            may_leave: whether an on-chip buffer may be left as well, as by a copy.

        Raises:
            OutsideBuffer: an element that is used lies outside of an on-chip buffer.
        """
        inside, clipped = self._clip(indices, active, may_leave)
        value, error = self.value[clipped], self.error[clipped]
        if inside is not None:
            value = np.where(inside, value, np.asarray(self.outside, value.dtype))
            error = np.where(inside, error, 0.0)
        return Bounded(value, error if error.any() else bounded.EXACT, self.dtype)

    def store(
        self,
        indices: Indices,
        new: Bounded,
        condition: Bounded | None,
        *,
        may_leave: bool = False,
    ) -> None:
        """Write `new`, which is in this dtype, where `condition` holds; None is everywhere.

        Raises:
            OutsideBuffer: an element that is written lies outside of an on-chip buffer.
            Race: different values are written to one element.
        """
        active = None if condition is None else condition.value | (condition.error > 0)
        if condition is not None and not condition.is_exact:
            old = self.load(indices, active, may_leave=may_leave)
            new = bounded.select(condition, new, old)
        target = self._selected(indices, active, may_leave, new)
        if target is None:
            return
        places, value, error = target
        self.value[places] = value
        self.error[places] = error
        if not np.array_equal(self.value[places], value, equal_nan=dtypes.is_float(self.dtype)):
            raise Race(f"different values are written to one element of {self.name!r}")
        np.maximum.at(self.error, places, error)

    def combine(
        self,
        indices: Indices,
        new: Bounded,
        condition: Bounded | None,
        operation: np.ufunc,
    ) -> None:
        """Combine `new` into the elements one by one, in any order: `add`, `maximum`, `minimum`.

        A sum is rounded to this dtype at each step.
        """
        active = None if condition is None else condition.value | (condition.error > 0)
        target = self._selected(indices, active, False, new)
        if target is None:
            return
        places, value, error = target
        if condition is not None and not condition.is_exact:
            raise Race(f"whether something is added to {self.name!r} is uncertain")
        if operation is not np.add:
            operation.at(self.value, places, value)
            np.maximum.at(self.error, places, error)
            return
        if dtypes.is_float(self.dtype):
            reach = np.abs(self.value) + self.error
            np.add.at(reach, places, np.abs(value) + error)
            error = error + dtypes.unit(self.dtype) * reach[places]
        np.add.at(self.value, places, value)
        np.add.at(self.error, places, error)
        if dtypes.is_float(self.dtype):
            rounded = Bounded(self.value[places], self.error[places], self.dtype).stored(self.dtype)
            self.value[places], self.error[places] = rounded.value, rounded.error

    def _selected(
        self, indices: Indices, active: Array | None, may_leave: bool, new: Bounded
    ) -> tuple[tuple[Array, ...], Array, Array] | None:
        """The places to write, the values and their errors; None where there is nothing to do."""
        inside, clipped = self._clip(indices, active, may_leave)
        shape = np.broadcast_shapes(
            *(index.shape for index in clipped),
            new.value.shape,
            () if active is None else active.shape,
        )
        places = [np.broadcast_to(index, shape) for index in clipped]
        value, error = np.broadcast_to(new.value, shape), np.broadcast_to(new.error, shape)
        chosen = _all_of([active, inside])
        if chosen is not None:
            chosen = np.broadcast_to(chosen, shape)
            if not chosen.any():
                return None
            return tuple(place[chosen] for place in places), value[chosen], error[chosen]
        return tuple(places), value, error

    def _clip(
        self, indices: Indices, active: Array | None, may_leave: bool
    ) -> tuple[Array | None, tuple[Array, ...]]:
        """Where the indices are inside, None for everywhere, and the nearest indices inside."""
        outside = [
            (index < 0) | (index >= extent)
            for index, extent in zip(indices, self.value.shape, strict=True)
        ]
        if not any(axis.any() for axis in outside):
            return None, tuple(indices)
        leaves = outside[0]
        for axis in outside[1:]:
            leaves = leaves | axis
        if (
            not (self.is_tensor or may_leave)
            and (leaves if active is None else leaves & active).any()
        ):
            raise OutsideBuffer(f"{self.name!r} of shape {self.value.shape} is left by an index")
        clipped = tuple(
            np.clip(index, 0, max(extent - 1, 0))
            for index, extent in zip(indices, self.value.shape, strict=True)
        )
        return ~leaves, clipped


def _all_of(masks: Sequence[Array | None]) -> Array | None:
    """The conjunction of masks; None is always."""
    result = None
    for mask in masks:
        if mask is not None:
            result = mask if result is None else result & mask
    return result
