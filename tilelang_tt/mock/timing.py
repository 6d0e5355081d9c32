"""The table of costs that the mock's clock charges, by name, from `data/timing_<arch>.toml`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Rates divide, places are coordinates: only the rest is a time.
_RATES = (
    "unpack.bytes",
    "unpack.joint_bytes",
    "unpack.matmul_bytes",
    "noc.read_bytes",
    "noc.write_bytes",
    "noc.link_bytes",
    "noc.multicast_bytes",
    "dram.bytes",
    "dram.stream_bytes",
)
_FIXED = ("noc.packet_bytes", "noc.width", "noc.height", "dram.efficiency", "pack.accumulate")
_PLACES = ("noc.columns", "noc.rows", "noc.dram_ports")


@dataclass(frozen=True)
class Timing:
    """Costs by dotted name: `math.copy` is cycles per tile, `noc.columns.2` one of a list."""

    values: Mapping[str, float]

    def changed(self, **values: float) -> Timing:
        """A table with other values; the names are given with `__` for the dot."""
        named = {name.replace("__", "."): value for name, value in values.items()}
        assert named.keys() <= self.values.keys(), sorted(named.keys() - self.values.keys())
        return Timing(MappingProxyType({**self.values, **named}))

    def slowed(self, factor: float) -> Timing:
        """A chip on which everything takes `factor` times as long."""
        return Timing(
            MappingProxyType({n: _slowed(n, value, factor) for n, value in self.values.items()})
        )


@functools.cache
def load(arch: str) -> Timing:
    """The costs of the device named `arch`."""
    path = resources.files("tilelang_tt.data").joinpath(f"timing_{arch}.toml")
    return Timing(MappingProxyType(dict(_flat("", tomllib.loads(path.read_text())))))


def _flat(prefix: str, value: object) -> Iterator[tuple[str, float]]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _flat(f"{prefix}.{name}" if prefix else str(name), inner)
        case list():
            for index, inner in enumerate(value):
                yield from _flat(f"{prefix}.{index}", inner)
        case int() | float():
            yield prefix, float(value)
        case _:
            raise TypeError(f"{prefix} is {value!r}")


def _slowed(name: str, value: float, factor: float) -> float:
    if name in _FIXED or name.startswith(_PLACES):
        return value
    return value / factor if name in _RATES else value * factor
