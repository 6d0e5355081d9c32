"""From the engine's answer to findings and errors: places, lines of the program, what to raise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tilelang_tt.mock import errors, symbols
from tilelang_tt.mock.program import Program

_ORIGIN = re.compile(r"^\s*//\s*(\S+\.py:\d+(?::.*)?)$")
_CLASSES = {
    each.category: each
    for each in (errors.UndefinedBehavior, errors.Unsupported, errors.AssertionFailure)
}


@dataclass(frozen=True)
class Found:
    """All that a run broke, in the order in which it was found."""

    findings: tuple[errors.Finding, ...]
    blocked: tuple[errors.Blocked, ...] = ()
    circular_buffers: tuple[errors.CircularBufferState, ...] = ()


def from_json(program: Program, libraries: Mapping[str, Path], answer: Mapping[str, Any]) -> Found:
    """The findings of the engine's answer; `libraries` are the kernels' by name."""
    sources = {kernel.name: kernel.source for kernel in program.kernels}
    found = tuple(_finding(sources, libraries, each) for each in answer["findings"])
    deadlock = answer["deadlock"]
    if deadlock is None:
        return Found(found)
    return Found(
        found,
        tuple(_blocked(sources, each) for each in deadlock["blocked"]),
        tuple(_cb_state(each) for each in deadlock["circular_buffers"]),
    )


def raise_errors(found: Found, allow: frozenset[str], mode: Literal["strict", "report"]) -> None:
    """Raises what may not be only listed: in strict mode all that `allow` does not name."""
    if mode == "report":
        bad = [each for each in found.findings if each.category == "AssertionFailure"]
    else:
        bad = [each for each in found.findings if each.fatal or each.kind not in allow]
    if not bad:
        return
    if any(each.kind == "deadlock" for each in bad):
        raise errors.DeadlockError(bad, found.blocked, found.circular_buffers)
    raise _CLASSES[bad[0].category](bad)


def origin_line(source: str, line: int) -> str | None:
    """The TileLang line that the nearest comment at or above a kernel's line names."""
    for text in reversed(source.splitlines()[:line]):
        match = _ORIGIN.match(text)
        if match:
            return match.group(1)
    return None


def _origin(sources: Mapping[str, str], place: errors.Place) -> str | None:
    return origin_line(sources[place.file], place.line) if place.file in sources else None


def _finding(
    sources: Mapping[str, str], libraries: Mapping[str, Path], data: Mapping[str, Any]
) -> errors.Finding:
    place = _raw_place(libraries, data) if "x" in data else None
    return errors.Finding(
        data["kind"],
        data["message"],
        data.get("cause", ""),
        place,
        _cb_state(data["cb"]) if data.get("cb") else None,
        _origin(sources, place) if place else None,
        data["category"],
        data.get("fatal", True),
        data.get("times", 1),
    )


def _place(data: Mapping[str, Any]) -> errors.Place:
    return errors.Place(
        (data["x"], data["y"]), data["engine"], data["call"], data["file"], data["line"]
    )


def _raw_place(libraries: Mapping[str, Path], data: Mapping[str, Any]) -> errors.Place:
    """A plain load or store has no call: its line is that of its instruction."""
    place = _place(data)
    if data["pc"] is None:
        return place
    kernel = data["kernel"]
    line = symbols.line_of(libraries[kernel], kernel, data["pc"])
    if line is None:
        return errors.Place(place.core, place.engine, f"after {place.call}", place.file, place.line)
    return errors.Place(place.core, place.engine, "plain load or store", kernel, line)


def _cb_state(data: Mapping[str, Any]) -> errors.CircularBufferState:
    counts = {name: value for name, value in data.items() if name not in ("x", "y")}
    return errors.CircularBufferState((data["x"], data["y"]), **counts)


def _blocked(sources: Mapping[str, str], data: Mapping[str, Any]) -> errors.Blocked:
    place = _place(data)
    names = ("on", "index", "name", "wanted", "available", "partner", "partner_finished")
    return errors.Blocked(
        place, **{name: data[name] for name in names}, tilelang_line=_origin(sources, place)
    )
