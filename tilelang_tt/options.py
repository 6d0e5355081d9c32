"""The options of the `tenstorrent` target, checked."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tilelang_tt import device
from tilelang_tt.diagnostics import BadOption, GridTooLarge, UnknownOption

FIDELITIES = ("LoFi", "HiFi2", "HiFi3", "HiFi4")
EXECUTIONS = ("auto", "mock", "ttnn")
ACCUMULATIONS = ("dst", "l1")
_ARCH_ALIASES = {"wormhole": "wormhole_b0"}


@dataclass(frozen=True)
class Options:
    """What a user may choose.

    `grid` is (columns, rows) of cores, the whole chip where it is None. `fp32_acc` chooses 32-bit
    destination registers; None means: where the program needs them. `multicast` lets one core read
    for several, `split` lets several cores work on one block, `cut` gives blocks another size;
    None means: where it pays. `subblock` is (rows, columns) of tiles of a product that are made
    together, the best where it is None. `accumulate` is where products add up over a loop: "dst",
    the destination registers, or "l1"; None means: in the registers where they hold the sum.
    `depths` are depths of circular buffers in blocks, by the names that the report has, for those
    that the compiler shall not choose; a dictionary in a target. `execution` is where a kernel
    runs: "mock" on this machine, "ttnn" on a card or simulator through Tenstorrent's runtime,
    "auto" on a card where one is.
    """

    arch: str = "wormhole_b0"
    grid: tuple[int, int] | None = None
    fidelity: str = "HiFi4"
    fp32_acc: bool | None = None
    multicast: bool | None = None
    split: bool | None = None
    cut: bool | None = None
    subblock: tuple[int, int] | None = None
    accumulate: str | None = None
    depths: tuple[tuple[str, int], ...] = ()
    execution: str = "auto"

    def __post_init__(self) -> None:
        _require("arch", self.arch, device.ARCHS)
        _require("fidelity", self.fidelity, FIDELITIES)
        _require("execution", self.execution, EXECUTIONS)
        _require_choice("fp32_acc", self.fp32_acc)
        _require_choice("multicast", self.multicast)
        _require_choice("split", self.split)
        _require_choice("cut", self.cut)
        if self.accumulate is not None:
            _require("accumulate", self.accumulate, ACCUMULATIONS)
        _check_pair("grid", self.grid, "(columns, rows)")
        _check_pair("subblock", self.subblock, "(rows, columns)")
        _check_grid(self.grid, self.arch)
        _check_depths(self.depths)

    @property
    def device(self) -> device.Device:
        return device.load(self.arch)

    @property
    def phases(self) -> int:
        """Passes of the matrix unit over its operands."""
        return FIDELITIES.index(self.fidelity) + 1

    @property
    def cores(self) -> tuple[int, int]:
        """Columns and rows of the cores a program runs on."""
        return self.grid or self.device.grid


def parse(values: dict[str, object]) -> Options:
    """Options from a target dictionary without its `kind`.

    Lists stand for tuples, "8x8" for a grid and "2x4" for a subblock.
    """
    known = [field.name for field in dataclasses.fields(Options)]
    for name in values:
        if name not in known:
            raise UnknownOption.because(name=name, known=", ".join(known))
    chosen = dict(values)
    if isinstance(arch := chosen.get("arch"), str):
        chosen["arch"] = _ARCH_ALIASES.get(arch, arch)
    for name in ("grid", "subblock"):
        if name in chosen:
            chosen[name] = _pair(chosen[name])
    if "depths" in chosen:
        chosen["depths"] = _depths(chosen["depths"])
    return Options(**chosen)  # pyright: ignore[reportArgumentType]  checked by __post_init__


def _pair(value: object) -> object:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+)x(\d+)", value)):
        return int(match[1]), int(match[2])
    return tuple(value) if isinstance(value, list) else value


def _depths(value: object) -> object:
    pairs = value.items() if isinstance(value, dict) else value
    if not isinstance(pairs, Iterable):
        return value
    known = [tuple(pair) if isinstance(pair, list) else pair for pair in pairs]
    return tuple(sorted(known, key=str))


def _require(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadOption.because(name=name, value=value, expected="one of " + ", ".join(allowed))


def _require_choice(name: str, value: object) -> None:
    if value is not None and not isinstance(value, bool):
        raise BadOption.because(name=name, value=value, expected="True, False or None")


def _check_pair(name: str, pair: object, meaning: str) -> None:
    is_right = pair is None or (
        isinstance(pair, tuple) and len(pair) == 2 and all(type(n) is int and n > 0 for n in pair)
    )
    if not is_right:
        expected = f"{meaning}, both positive integers"
        raise BadOption.because(name=name, value=pair, expected=expected)


def _check_grid(grid: tuple[int, int] | None, arch: str) -> None:
    if grid is None:
        return
    limit = device.load(arch).grid
    if grid[0] > limit[0] or grid[1] > limit[1]:
        raise GridTooLarge.because(
            grid=f"{grid[0]}x{grid[1]}", arch=arch, limit=f"{limit[0]}x{limit[1]}"
        )


def _check_depths(depths: object) -> None:
    is_right = isinstance(depths, tuple) and all(
        isinstance(pair, tuple)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and type(pair[1]) is int
        and pair[1] > 0
        for pair in depths
    )
    if not is_right:
        raise BadOption.because(
            name="depths", value=depths, expected="names of circular buffers and positive integers"
        )
