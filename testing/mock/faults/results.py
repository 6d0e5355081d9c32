"""The results of all mutants, kept in results.json, and the page of docs/ that shows them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from testing.mock.faults import expected
from testing.mock.faults.mutate import Mutant

PATH = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Result:
    """One mutant and what came of it: the kinds of findings in order, or "nothing"."""

    subject: str
    place: str
    family: str
    call: str
    change: str
    outcome: tuple[str, ...]
    reason: str | None  # of an equivalent one


def write(pairs: Iterable[tuple[Mutant, list[str]]]) -> None:
    rows = [
        [
            mutant.subject,
            f"{mutant.kernel}:{mutant.line}",
            mutant.family,
            mutant.call,
            mutant.change,
            outcome,
            expected.reason_of(mutant) if outcome == ["nothing"] else None,
        ]
        for mutant, outcome in pairs
    ]
    PATH.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")


def read() -> list[Result]:
    return [Result(*row[:5], tuple(row[5]), row[6]) for row in json.loads(PATH.read_text())]


def page() -> Iterator[str]:
    """The text of docs/fault-matrix.md."""
    results = read()
    missed = [r for r in results if r.outcome == ("nothing",) and r.reason is None]
    equivalent = [r for r in results if r.reason is not None]
    found = len(results) - len(missed) - len(equivalent)
    yield "# Fault matrix\n"
    yield "Every protocol call of good kernels is changed, one at a time: dropped, doubled, swapped"
    yield "with the next one, given another count, index, address or value. The mock runs each"
    yield "mutant; `testing/mock/faults` has the changes, the diagnosis each must get, and the"
    yield "programs. `python -m testing.mock.faults` runs all of them again.\n"
    yield f"{len(results)} mutants: {found} found with the right diagnosis, {len(equivalent)}"
    yield f"equivalent to the good kernel, {len(missed)} missed.\n"
    yield from _programs(results)
    yield "## Found\n"
    yield "The first finding of each run; most runs have more.\n"
    yield "| calls | call | change | mutants | found as |"
    yield "| --- | --- | --- | --- | --- |"
    yield from _rows(r for r in results if r.outcome != ("nothing",))
    yield "\n## Equivalent\n"
    yield "These mutants are right programs too, and nothing is reported.\n"
    yield "| call | change | mutants | why |"
    yield "| --- | --- | --- | --- |"
    groups: dict[tuple[str, str, str], int] = defaultdict(int)
    for each in equivalent:
        groups[each.call, each.change, each.reason or ""] += 1
    for (call, change, reason), count in sorted(groups.items()):
        yield f"| `{call}` | {change} | {count} | {reason} |"


def _programs(results: list[Result]) -> Iterator[str]:
    yield "| program | mutants | found | equivalent |"
    yield "| --- | --- | --- | --- |"
    for name in dict.fromkeys(r.subject for r in results):
        own = [r for r in results if r.subject == name]
        same = sum(r.reason is not None for r in own)
        found = sum(r.outcome != ("nothing",) for r in own)
        yield f"| {name} | {len(own)} | {found} | {same} |"
    yield ""


def _rows(results: Iterable[Result]) -> Iterator[str]:
    groups: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in results:
        groups[each.family, each.call, each.change][each.outcome[0]] += 1
    for (family, call, change), kinds in sorted(groups.items()):
        shown = ", ".join(f"`{kind}`" for kind in sorted(kinds))
        yield f"| {family} | `{call}` | {change} | {sum(kinds.values())} | {shown} |"
