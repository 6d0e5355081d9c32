"""The launch plan: what the host needs to know to run the kernels. Plain data, versioned, with a
JSON form.

Nothing here imports TVM: a saved plan is read where the compiler is not installed. An extent is an
integer or, where it depends on a dynamic shape, an expression over the names of the dynamic
dimensions, as text: integers, names, + - * // %, min and max. The JSON schema is
`tilelang_tt/data/plan.schema.json`.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import Self

from tilelang_tt.partition import Partition

VERSION = 4

Extent = int | str


@dataclass(frozen=True)
class Tensor:
    """A tensor parameter.

    On the device it is interleaved over DRAM in 32x32 tiles. `tiled` are the axes that a tile has
    as its rows and as its columns, the other axes before them in their order; None stands for an
    axis of extent 1 that the tensor does not have.
    """

    name: str
    dtype: str
    shape: tuple[Extent, ...]
    tiled: tuple[int | None, int | None]
    is_written: bool

    @property
    def named_axes(self) -> dict[str, int]:
        """The dynamic extents that are an extent by themselves, and the first axis of each."""
        axes: dict[str, int] = {}
        for axis, extent in enumerate(self.shape):
            if isinstance(extent, str) and extent.isidentifier():
                axes.setdefault(extent, axis)
        return axes


@dataclass(frozen=True)
class Scalar:
    """A scalar parameter, int32 or float32."""

    name: str
    dtype: str


@dataclass(frozen=True)
class CircularBuffer:
    """A circular buffer of every core: `depth` blocks of `block_pages` pages of `page_bytes`
    bytes.

    `least_depth` is the least one that cannot deadlock.
    """

    index: int
    name: str
    dtype: str
    page_bytes: int
    block_pages: int
    depth: int
    least_depth: int
    unpack_to_dest: bool
    producer: str
    consumer: str
    order: str
    reason: str

    @property
    def pages(self) -> int:
        return self.block_pages * self.depth


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel.

    Among compile-time arguments, `kind` is "cb" (the index of a circular buffer), "accessor" (the
    words of a tensor's accessor) or "semaphore" (its number); among common run-time arguments,
    "address" (of a tensor), "dim" (a dynamic extent) or "scalar"; among those of each core, "core"
    (what the `Partition` gives it) or "group" (the words of a `Group`).
    """

    kind: str
    name: str


@dataclass(frozen=True)
class Kernel:
    """One of the three kernels."""

    role: str
    file: str
    compile_time_args: tuple[Argument, ...]
    common_args: tuple[Argument, ...]
    core_args: tuple[Argument, ...]

    @property
    def noc(self) -> int:
        """The NoC that the kernel's processor uses."""
        return 1 if self.role == "writer" else 0


@dataclass(frozen=True)
class DstUse:
    """What happens between one acquire of the destination registers and its release.

    `tiles` tiles of the circular buffer `result` are computed at a time, each in `slots` registers
    of its own. `live` is the largest number of values of one tile that are needed at once: no
    allocation takes fewer slots. `source` is the line of the program, empty where it is not known.
    """

    source: str
    result: str
    tiles: int
    live: int
    slots: int


@dataclass(frozen=True)
class Statement:
    """A statement that an engine runs, and when.

    `domain` is an isl set, as text: the iterations of `loops`, outermost first, that it runs in,
    counted from 0. `place` says where it stands: among what is outside of all loops, inside the
    first, and so on, one number more than there are loops. `result` is what it writes, `source` the
    line of the program. It makes a new block of the circular buffers it `reserves`, hands over that
    of those it `publishes`, and takes one of those it `reads`; an accumulation reserves and
    publishes in different statements. `cycles` estimate an instance, apart from the `send_cycles`
    in which a core sends a block on to others.
    """

    name: str
    engine: str
    source: str
    result: str
    loops: tuple[str, ...]
    place: tuple[int, ...]
    domain: str
    reserves: tuple[str, ...]
    publishes: tuple[str, ...]
    reads: tuple[str, ...]
    cycles: float
    send_cycles: float

    @property
    def instance(self) -> str:
        """An instance, in isl's notation."""
        return f"{self.name}[{', '.join(self.loops)}]"

    def order(self, levels: int) -> str:
        """The time of each instance, an isl map as text: the order of the program, in programs of
        at most `levels` nested loops."""
        times: list[object] = [self.place[0]]
        for loop, place in zip(self.loops, self.place[1:], strict=True):
            times += [loop, place]
        times += [0] * (2 * levels + 1 - len(times))
        return f"{{ {self.instance} -> [{', '.join(map(str, times))}] }}"


@dataclass(frozen=True)
class Unknown:
    """A parameter of domains that stands for a number which is no affine expression: `text`, which
    may change from iteration to iteration of `loops`."""

    name: str
    text: str
    loops: tuple[str, ...]


@dataclass(frozen=True)
class Schedule:
    """The statements of all engines, in the order of the program."""

    statements: tuple[Statement, ...]
    unknowns: tuple[Unknown, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The schedule that `dataclasses.asdict` took apart; sequences of any kind."""
        return cls(
            tuple(Statement(**_as_tuples(each)) for each in data["statements"]),
            tuple(Unknown(**_as_tuples(each)) for each in data["unknowns"]),
        )


@dataclass(frozen=True)
class Plan:
    """A compiled program.

    `grid` is (columns, rows) of cores; `blocks` are the extents of the grid of blocks, which
    `partition` shares out. `semaphores` are names; a semaphore's number is its place. `spilled` are
    the names of values that are kept in L1 because an expression needs more destination registers
    than there are.
    """

    name: str
    arch: str
    grid: tuple[int, int]
    fidelity: str
    fp32_dest_acc: bool
    execution: str
    params: tuple[Tensor | Scalar, ...]
    circular_buffers: tuple[CircularBuffer, ...]
    kernels: tuple[Kernel, ...]
    blocks: tuple[Extent, ...]
    partition: Partition
    semaphores: tuple[str, ...]
    dst: tuple[DstUse, ...]
    spilled: tuple[str, ...]
    schedule: Schedule
    version: int = VERSION

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(param for param in self.params if isinstance(param, Tensor))

    @property
    def accessed(self) -> tuple[Tensor, ...]:
        """The tensors that the kernels read or write."""
        names = {
            argument.name
            for kernel in self.kernels
            for argument in kernel.compile_time_args
            if argument.kind == "accessor"
        }
        return tuple(tensor for tensor in self.tensors if tensor.name in names)

    def tensor(self, name: str) -> Tensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def circular_buffer(self, name: str) -> CircularBuffer:
        return next(cb for cb in self.circular_buffers if cb.name == name)

    def numbers(self, kernel: Kernel) -> list[int]:
        """The compile-time arguments of a kernel before its accessors: circular buffers, then
        semaphores."""
        own = {"cb": self._cb_index, "semaphore": self.semaphores.index}
        return [
            own[argument.kind](argument.name)
            for argument in kernel.compile_time_args
            if argument.kind in own
        ]

    def _cb_index(self, name: str) -> int:
        return self.circular_buffer(name).index

    def to_json(self) -> str:
        """The plan as JSON text, the same for equal plans."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The plan that `to_json` wrote; ValueError where it is another version's or no plan."""
        data = _versioned(text, "plan")
        try:
            return cls(**_decode(data))
        except (KeyError, TypeError) as error:
            raise ValueError(f"malformed plan: {error}") from error


@dataclass(frozen=True)
class Steps:
    """Programs that the host runs one after the other: the folders of their artifacts, in order.

    `workspaces` are the names of the tensors among their parameters that the host allocates. Its
    JSON schema is `tilelang_tt/data/steps.schema.json`.
    """

    name: str
    steps: tuple[str, ...]
    workspaces: tuple[str, ...]
    version: int = VERSION

    def to_json(self) -> str:
        """The steps as JSON text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; ValueError where it is another version's or malformed."""
        data = _versioned(text, "steps")
        try:
            return cls(str(data["name"]), tuple(data["steps"]), tuple(data["workspaces"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"malformed steps: {error}") from error


def _versioned(text: str, what: str) -> dict:
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ValueError(f"no {what} of version {VERSION}")
    return data


def _decode(data: dict) -> dict:
    kernels = [
        Kernel(
            **{
                **kernel,
                "compile_time_args": tuple(Argument(**arg) for arg in kernel["compile_time_args"]),
                "common_args": tuple(Argument(**arg) for arg in kernel["common_args"]),
                "core_args": tuple(Argument(**arg) for arg in kernel["core_args"]),
            }
        )
        for kernel in data["kernels"]
    ]
    return {
        **data,
        "grid": tuple(data["grid"]),
        "params": tuple(_decode_param(param) for param in data["params"]),
        "circular_buffers": tuple(CircularBuffer(**cb) for cb in data["circular_buffers"]),
        "kernels": tuple(kernels),
        "blocks": tuple(data["blocks"]),
        "partition": Partition(
            data["partition"]["kind"],
            tuple(data["partition"]["columns"]),
            tuple(data["partition"]["rows"]),
            data["partition"]["parts"],
        ),
        "semaphores": tuple(data["semaphores"]),
        "dst": tuple(DstUse(**use) for use in data["dst"]),
        "spilled": tuple(data["spilled"]),
        "schedule": Schedule.from_data(data["schedule"]),
    }


def _as_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a dataclass, lists as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }


def _decode_param(param: dict) -> Tensor | Scalar:
    return (
        Tensor(**{**param, "shape": tuple(param["shape"]), "tiled": tuple(param["tiled"])})
        if "shape" in param
        else Scalar(**param)
    )


_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., int]] = {"min": min, "max": max}


def evaluate(extent: Extent, dims: Mapping[str, int]) -> int:
    """The value of an extent, given the dynamic dimensions."""
    return (
        extent if isinstance(extent, int) else _evaluate(ast.parse(extent, mode="eval").body, dims)
    )


def _evaluate(node: ast.expr, dims: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return dims[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_evaluate(left, dims), _evaluate(right, dims))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, dims)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(_evaluate(arg, dims) for arg in args))
    raise ValueError(f"{ast.unparse(node)} is not allowed in an extent")
