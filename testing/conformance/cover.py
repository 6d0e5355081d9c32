"""Few kernels that say whatever many say.

    kernels = covering(load_records(folder))

Thousands of generated kernels differ in numbers and names alone. Of each role are kept: for every
function called, the kernel with the fewest headers that calls it, since there a header that is left
out shows; and kernels that between them hold every line, numbers, names and arithmetic apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from conformance.kernel import KernelSource, Role

_COMMENT = re.compile(r"\s*//.*|/\*.*?\*/")
_NUMBER = re.compile(r"(?<![\w.])\d[\w.]*")
_CALL = re.compile(r"\w+(?=[<(]|::)")  # a comparison has a space before its sign
_NAME = re.compile(r"[A-Za-z_]\w*(?!\w*(?:[<(]|::))")
_INTEGER = r"\b(?:x\d+|0|n)\b"
_ARITHMETIC = re.compile(
    rf"{_INTEGER}(?: (?:[-+*/%]|<<|>>) {_INTEGER})+"
    rf"|(?:floor_div|floor_mod|std::min<x\d+>|std::max<x\d+>)\({_INTEGER}, {_INTEGER}\)"
    rf"|(?<![\w>])\(n\)"
)


def covering(kernels: Sequence[KernelSource]) -> list[KernelSource]:
    """The kernels that are kept, in their order."""
    kept = {
        kernel.digest
        for role in get_args(Role)
        for kernel in _covering([kernel for kernel in kernels if kernel.role == role])
    }
    return [kernel for kernel in kernels if kernel.digest in kept]


def _covering(kernels: Sequence[KernelSource]) -> list[KernelSource]:
    calls = {at: _calls(kernel) for at, kernel in enumerate(kernels)}
    lines = {at: _lines(kernel) for at, kernel in enumerate(kernels)}
    kept = _first_with_each(calls, sorted(calls, key=lambda at: _headers(kernels[at])))
    missing = set().union(*lines.values()).difference(*(lines[at] for at in kept))
    while missing:
        most = max(lines, key=lambda at: len(lines[at] & missing))
        missing -= lines[most]
        kept.append(most)
    return [kernels[at] for at in sorted(kept)]


def _first_with_each(features: Mapping[int, set[str]], order: Iterable[int]) -> list[int]:
    """Those of `order` that have a feature which none before them has."""
    seen: set[str] = set()
    kept: list[int] = []
    for at in order:
        if features[at] - seen:
            seen |= features[at]
            kept.append(at)
    return kept


def _headers(kernel: KernelSource) -> int:
    return kernel.source.count("#include")


def _calls(kernel: KernelSource) -> set[str]:
    return {name for line in _code(kernel) for name in _CALL.findall(line)}


def _lines(kernel: KernelSource) -> set[str]:
    return {_form(line) for line in _code(kernel)}


def _code(kernel: KernelSource) -> Iterable[str]:
    lines = (_COMMENT.sub("", line).strip() for line in kernel.source.splitlines())
    return (line for line in lines if line and not line.startswith("#include"))


def _form(line: str) -> str:
    """The line with its numbers and its names, other than of what is called, made alike, and all
    arithmetic of these, however long."""
    names: dict[str, str] = {}
    numberless = _NUMBER.sub("0", line)
    alike = _NAME.sub(lambda name: names.setdefault(name[0], f"x{len(names)}"), numberless)
    while (shorter := _ARITHMETIC.sub("n", alike)) != alike:
        alike = shorter
    return alike
