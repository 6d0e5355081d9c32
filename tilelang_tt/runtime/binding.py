"""Bind a plan to the arguments of one launch: dynamic extents, shares of the cores, argument
words."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tilelang_tt import plan as plans
from tilelang_tt.codegen.workload import Workload
from tilelang_tt.diagnostics import ArgumentMismatch
from tilelang_tt.partition import Assignment, Core, assign
from tilelang_tt.plan import Argument, Kernel, Plan, Scalar, Tensor

Value = npt.NDArray[np.unsignedinteger] | int | float

_ELEMENT: dict[str, type[np.unsignedinteger]] = {
    "float32": np.uint32,
    "float16": np.uint16,
    "bfloat16": np.uint16,
    "int32": np.uint32,
    "int8": np.uint8,
    "uint8": np.uint8,
    "bool": np.uint8,
}


class Signature(Protocol):
    """What has a name and parameters: a plan, or a whole workload."""

    @property
    def name(self) -> str: ...

    @property
    def params(self) -> tuple[Tensor | Scalar, ...]: ...


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
    block_count: int
    assignment: Assignment

    def common_args(self, kernel: Kernel, addresses: Mapping[str, int]) -> tuple[int, ...]:
        """The words that all cores get."""
        return tuple(self._word(argument, addresses) for argument in kernel.common_args)

    def core_args(
        self, kernel: Kernel, place: Callable[[Core], Core]
    ) -> Mapping[Core, Sequence[int]]:
        """The words of each core; `place` gives the coordinates of a core on the NoC."""
        arguments = [(argument.kind, argument.name) for argument in kernel.core_args]
        return self.assignment.words(arguments, kernel.noc, place)

    def _word(self, argument: Argument, addresses: Mapping[str, int]) -> int:
        words = {"address": addresses, "dim": self.dims, "scalar": self.scalars}
        return words[argument.kind][argument.name]


def element_type(dtype: str) -> type[np.unsignedinteger]:
    """The unsigned integer as wide as an element of `dtype`."""
    return _ELEMENT[dtype]


def bind(plan: Plan, arguments: Sequence[Value]) -> Binding:
    """The launch of `plan` with these arguments, one for each parameter.

    Raises:
        ArgumentMismatch: tensors disagree about a dynamic extent, a shape is not the declared
            one, or a tensor that blocks work on is empty.
    """
    tensors: dict[str, npt.NDArray[np.unsignedinteger]] = {}
    scalars: dict[str, int] = {}
    for param, value in zip(plan.params, arguments, strict=True):
        if isinstance(value, np.ndarray):
            tensors[param.name] = value
        else:
            scalars[param.name] = _word(value, param.dtype)
    dims = _dims(plan, arguments)
    known = {**dims, **_integers(plan, arguments)}
    for param in plan.tensors:
        declared = tuple(plans.evaluate(extent, known) for extent in param.shape)
        if tensors[param.name].shape != declared:
            raise _mismatch(plan, param, f"{tensors[param.name].shape}", f"{declared}")
    blocks = [plans.evaluate(extent, known) for extent in plan.blocks]
    count = math.prod(blocks)
    empty = [param for param in plan.accessed if not tensors[param.name].size]
    if count and empty:
        raise _mismatch(plan, empty[0], "no elements", "at least one")
    assignment = assign(plan.partition, blocks, plan.grid)
    return Binding(plan, tensors, scalars, dims, count, assignment)


def bind_all(workload: Workload, arguments: Sequence[Value]) -> list[Binding]:
    """The launches of a workload with these arguments, one for each parameter of the user's.

    Workspaces are allocated here. Their bits are all ones, which no float's value is, so that what
    is read before it is written shows.

    Raises:
        ArgumentMismatch: as `bind`.
    """
    names = [param.name for param in workload.params]
    values = dict(zip(names, arguments, strict=True))
    known = {**_dims(workload, arguments), **_integers(workload, arguments)}
    for tensor in workload.allocated:
        shape = tuple(plans.evaluate(extent, known) for extent in tensor.shape)
        element = element_type(tensor.dtype)
        values[tensor.name] = np.full(shape, np.iinfo(element).max, element)
    return [
        bind(step.plan, [values[param.name] for param in step.plan.params])
        for step in workload.steps
    ]


def _dims(signature: Signature, arguments: Sequence[Value]) -> dict[str, int]:
    """The dynamic extents, on which all tensors must agree."""
    dims: dict[str, int] = {}
    for param, value in zip(signature.params, arguments, strict=True):
        if isinstance(param, Scalar):
            assert not isinstance(value, np.ndarray), param
            continue
        assert isinstance(value, np.ndarray), param
        for name, axis in param.named_axes.items():
            if dims.setdefault(name, value.shape[axis]) != value.shape[axis]:
                what = f"{name}={value.shape[axis]}"
                raise _mismatch(signature, param, what, f"{name}={dims[name]}")
    return dims


def _integers(signature: Signature, arguments: Sequence[object]) -> dict[str, int]:
    pairs = zip(signature.params, arguments, strict=True)
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
    signature: Signature, arguments: Sequence[npt.NDArray[np.generic] | int | float]
) -> list[Value]:
    """`arguments` as `bind` takes them, where no compiled host function has checked them.

    Raises:
        ArgumentMismatch: number, kind, width or shape are not those of the parameters.
    """
    if len(arguments) != len(signature.params):
        what, expected = f"{len(arguments)} arguments", f"{len(signature.params)}"
        raise ArgumentMismatch.because(kernel=signature.name, what=what, expected=expected)
    pairs = zip(signature.params, arguments, strict=True)
    return [_checked(signature, param, value) for param, value in pairs]


def _checked(
    signature: Signature, param: Tensor | Scalar, value: npt.NDArray[np.generic] | int | float
) -> Value:
    if isinstance(param, Scalar):
        if isinstance(value, np.ndarray):
            raise _mismatch(signature, param, "an array", f"a {param.dtype} scalar")
        return value
    element = element_type(param.dtype)
    if not isinstance(value, np.ndarray) or value.itemsize != np.dtype(element).itemsize:
        width = 8 * np.dtype(element).itemsize
        raise _mismatch(signature, param, repr(type(value)), f"an array of {width}-bit elements")
    known = [extent for extent in param.shape if isinstance(extent, int)]
    sizes = [
        size
        for size, extent in zip(value.shape, param.shape, strict=False)
        if isinstance(extent, int)
    ]
    if value.ndim != len(param.shape) or known != sizes or not value.flags.c_contiguous:
        raise _mismatch(signature, param, f"{value.shape}", f"a contiguous array of {param.shape}")
    return value.view(element)


def _mismatch(
    signature: Signature, param: Tensor | Scalar, what: str, expected: str
) -> ArgumentMismatch:
    return ArgumentMismatch.because(
        kernel=signature.name, what=f"{what} for {param.name!r}", expected=expected
    )
