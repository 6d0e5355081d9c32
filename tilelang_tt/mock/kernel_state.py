"""Variables that a compiled kernel keeps outside its functions.

On the chip each core has its own; in the mock the cores that run a kernel share its library, so
such a kernel is right on one core only. The library's symbol table tells.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMBOL_TABLE, _WRITABLE, _OBJECT = 2, 1, 1
# The compiler's own, and the mock's copy of the firmware's records, made anew at each use.
_KNOWN = re.compile(
    r"__|_DYNAMIC|_GLOBAL_OFFSET_TABLE_|DW\.ref|completed|_ZZ22get_local_cb_interface"
)
_NUMBER = re.compile(r"\d+")
_COUNTER = re.compile(r"E?(_\d*_?)?")


@dataclass(frozen=True)
class _Section:
    name: int
    kind: int
    flags: int
    offset: int
    size: int
    link: int


@functools.lru_cache(maxsize=1024)
def variables(library: Path) -> tuple[str, ...]:
    """Names of the variables in writable sections of a kernel's library, sorted."""
    data = library.read_bytes()
    sections = list(_sections(data))
    names = sections[struct.unpack_from("<H", data, 0x3E)[0]]
    found = {
        _text(data, sections[table.link], name)
        for table in sections
        if table.kind == _SYMBOL_TABLE
        for name, section in _objects(data, table)
        if section < len(sections) and _is_state(data, names, sections[section])
    }
    return tuple(sorted(_readable(name) for name in found if not _KNOWN.match(name)))


def _sections(data: bytes) -> Iterator[_Section]:
    (start,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    for number in range(count):
        name, kind, flags, _, offset, length, link, *_ = _SECTION.unpack_from(
            data, start + number * size
        )
        yield _Section(name, kind, flags, offset, length, link)


def _objects(data: bytes, table: _Section) -> Iterator[tuple[int, int]]:
    """Name and section of each variable in a symbol table."""
    for at in range(table.offset, table.offset + table.size, _SYMBOL.size):
        name, info, _, section, *_ = _SYMBOL.unpack_from(data, at)
        if info & 0xF == _OBJECT and section != 0:
            yield name, section


def _is_state(data: bytes, names: _Section, section: _Section) -> bool:
    """Whether a section can change while the kernel runs."""
    relocated_only = _text(data, names, section.name).startswith(".data.rel.ro")
    return bool(section.flags & _WRITABLE) and not relocated_only


def _text(data: bytes, table: _Section, offset: int) -> str:
    begin = table.offset + offset
    return data[begin : data.index(b"\0", begin)].decode()


def _readable(symbol: str) -> str:
    """The last name of a mangled one: its length, itself, and perhaps a number of its own."""
    for length in reversed(list(_NUMBER.finditer(symbol))):
        end = length.end() + int(length.group())
        if symbol.startswith("_Z") and _COUNTER.fullmatch(symbol[end:]) and end <= len(symbol):
            return symbol[length.end() : end]
    return symbol
