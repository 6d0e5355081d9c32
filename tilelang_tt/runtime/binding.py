"""Bind a plan to the arguments of one launch: dynamic extents, shares of the cores, argument
words."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tilelang_tt import plan as plans
from tilelang_tt.diagnostics import ArgumentMismatch
from tilelang_tt.plan import Argument, Kernel, Plan, Scalar, Tensor

Core = tuple[int, int]

_ELEMENT: dict[str, type[np.unsignedinteger]] = {
    "float32": np.uint32,
    "float16": np.uint16,
    "bfloat16": np.uint16,
    "int32": np.uint32,
}


@dataclass(frozen=True)
class Binding:
    """A launch.

    `tensors` are unsigned-integer views of the user's memory, by name; `scalars` are argument
    words.
    """

    plan: Plan
    tensors: Mapping[str, npt.NDArray[np.unsignedinteger]]
    scalars: Mapping[str, int]
    dims: Mapping[str, int]
    shares: Mapping[Core, tuple[int, int]]

    @property
    def block_count(self) -> int:
        """How many blocks there are to run."""
        return sum(count for _, count in self.shares.values())

    def common_args(self, kernel: Kernel, addresses: Mapping[str, int]) -> tuple[int, ...]:
        """The words that all cores get."""
        return tuple(self._word(argument, addresses) for argument in kernel.common_args)

    def _word(self, argument: Argument, addresses: Mapping[str, int]) -> int:
        words = {"address": addresses, "dim": self.dims, "scalar": self.scalars}
        return words[argument.kind][argument.name]


def element_type(dtype: str) -> type[np.unsignedinteger]:
    """The unsigned integer as wide as an element of `dtype`."""
    return _ELEMENT[dtype]


def bind(plan: Plan, arguments: Sequence[npt.NDArray[np.unsignedinteger] | int | float]) -> Binding:
    """The launch of `plan` with these arguments, one for each parameter.

    Raises:
        ArgumentMismatch: tensors disagree about a dynamic extent, a shape is not the declared
            one, or a tensor that blocks work on is empty.
    """
    tensors: dict[str, npt.NDArray[np.unsignedinteger]] = {}
    scalars: dict[str, int] = {}
    dims: dict[str, int] = {}
    for param, value in zip(plan.params, arguments, strict=True):
        if isinstance(param, Tensor):
            assert isinstance(value, np.ndarray), param
            tensors[param.name] = value
            for name, axis in param.named_axes.items():
                if dims.setdefault(name, value.shape[axis]) != value.shape[axis]:
                    what = f"{name}={value.shape[axis]}"
                    raise _mismatch(plan, param, what, f"{name}={dims[name]}")
        else:
            assert not isinstance(value, np.ndarray), param
            scalars[param.name] = _word(value, param.dtype)
    known = {**dims, **_integers(plan, arguments)}
    for param in plan.tensors:
        declared = tuple(plans.evaluate(extent, known) for extent in param.shape)
        if tensors[param.name].shape != declared:
            raise _mismatch(plan, param, f"{tensors[param.name].shape}", f"{declared}")
    count = math.prod(plans.evaluate(extent, known) for extent in plan.blocks)
    empty = [param for param in plan.tensors if not tensors[param.name].size]
    if count and empty:
        raise _mismatch(plan, empty[0], "no elements", "at least one")
    return Binding(plan, tensors, scalars, dims, plans.split_blocks(count, plan.grid))


def _integers(plan: Plan, arguments: Sequence[object]) -> dict[str, int]:
    pairs = zip(plan.params, arguments, strict=True)
    return {
        param.name: int(value)
        for param, value in pairs
        if param.dtype == "int32" and isinstance(value, int)
    }


def _word(value: float, dtype: str) -> int:
    if dtype == "float32":
        return struct.unpack("<I", struct.pack("<f", value))[0]
    return int(value) & 0xFFFFFFFF


def checked(
    plan: Plan, arguments: Sequence[npt.NDArray[np.generic] | int | float]
) -> list[npt.NDArray[np.unsignedinteger] | int | float]:
    """`arguments` as `bind` takes them, where no compiled host function has checked them.

    Raises:
        ArgumentMismatch: number, kind, width or shape are not those of the parameters.
    """
    if len(arguments) != len(plan.params):
        raise ArgumentMismatch.because(
            kernel=plan.name, what=f"{len(arguments)} arguments", expected=f"{len(plan.params)}"
        )
    pairs = zip(plan.params, arguments, strict=True)
    return [_checked(plan, param, value) for param, value in pairs]


def _checked(
    plan: Plan, param: Tensor | Scalar, value: npt.NDArray[np.generic] | int | float
) -> npt.NDArray[np.unsignedinteger] | int | float:
    if isinstance(param, Scalar):
        if isinstance(value, np.ndarray):
            raise _mismatch(plan, param, "an array", f"a {param.dtype} scalar")
        return value
    element = element_type(param.dtype)
    if not isinstance(value, np.ndarray) or value.itemsize != np.dtype(element).itemsize:
        width = 8 * np.dtype(element).itemsize
        raise _mismatch(plan, param, repr(type(value)), f"an array of {width}-bit elements")
    known = [extent for extent in param.shape if isinstance(extent, int)]
    sizes = [
        size
        for size, extent in zip(value.shape, param.shape, strict=False)
        if isinstance(extent, int)
    ]
    if value.ndim != len(param.shape) or known != sizes or not value.flags.c_contiguous:
        raise _mismatch(plan, param, f"{value.shape}", f"a contiguous array of {param.shape}")
    return value.view(element)


def _mismatch(plan: Plan, param: Tensor | Scalar, what: str, expected: str) -> ArgumentMismatch:
    return ArgumentMismatch.because(
        kernel=plan.name, what=f"{what} for {param.name!r}", expected=expected
    )
