"""The changes: a protocol call of a kernel dropped, doubled, swapped, or with another operand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Calls by what they are for; a statement that is one of these calls is changed.
FAMILIES: dict[str, re.Pattern[str]] = {
    "circular buffer": re.compile(r"cb_(reserve_back|push_back|wait_front|pop_front)"),
    "transfer": re.compile(r"noc_async_(read|write)(_page|_multicast\w*)?"),
    "barrier": re.compile(r"noc_async_(\w+_barrier|writes_flushed)"),
    "semaphore": re.compile(r"noc_semaphore_\w+"),
    "destination register": re.compile(r"tile_regs_\w+"),
    "set-up": re.compile(r"compute_kernel_hw_startup|\w+_init|(pack_)?reconfig_data_format\w*"),
    "tile operation": re.compile(r"(copy|pack)_tile|(add|matmul)_tiles|matmul_block"),
}
_STATEMENT = re.compile(
    r"(?m)^(?P<indent>[ ]*)(?P<call>\w+)(?P<t><[^;()]*>)?\((?P<args>[^;{}]*)\);\n"
)
_FAR = 4096


@dataclass(frozen=True)
class Statement:
    """One protocol call that is a statement of its own."""

    family: str
    call: str
    template: str
    args: tuple[str, ...]
    span: tuple[int, int]
    line: int


@dataclass(frozen=True)
class Mutant:
    """One change of one call in one kernel; `source` is the changed kernel."""

    subject: str
    kernel: str
    call: str
    family: str
    change: str
    line: int
    text: str
    source: str

    @property
    def key(self) -> str:
        return f"{self.subject}/{self.kernel}:{self.line} {self.change} {self.text}"


def mutants(subject: str, kernel: str, source: str) -> Iterator[Mutant]:
    """All changes of one kernel, in the order of its lines."""
    statements = list(_statements(source))
    buffers = sorted({s.args[0] for s in statements if s.family == "circular buffer"})
    for index, statement in enumerate(statements):
        after = statements[index + 1] if index + 1 < len(statements) else None
        for change, new in _changes(source, statement, after, buffers):
            text = " ".join(f"{statement.call}({', '.join(statement.args)})".split())
            yield Mutant(
                subject, kernel, statement.call, statement.family, change, statement.line, text, new
            )


def _statements(source: str) -> Iterator[Statement]:
    for match in _STATEMENT.finditer(source):
        call = match["call"]
        family = next((name for name, p in FAMILIES.items() if p.fullmatch(call)), None)
        if family is not None:
            args = tuple(a.strip() for a in _split(match["args"]))
            line = source.count("\n", 0, match.start()) + 1
            yield Statement(family, call, match["t"] or "", args, match.span(), line)


def _split(arguments: str) -> list[str]:
    """At the commas that are not inside parentheses."""
    parts, depth = [""], 0
    for char in arguments:
        depth += (char in "(<[") - (char in ")>]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts if arguments.strip() else []


def _changes(
    source: str, statement: Statement, after: Statement | None, buffers: list[str]
) -> Iterator[tuple[str, str]]:
    begin, end = statement.span
    text = source[begin:end]

    def replaced(new: str) -> str:
        return source[:begin] + new + source[end:]

    def with_args(args: list[str]) -> str:
        head = text[: text.index(statement.call)]
        return replaced(f"{head}{statement.call}{statement.template}({', '.join(args)});\n")

    yield "drop", replaced("  ;\n" + "\n" * (text.count("\n") - 1))
    if statement.family not in ("tile operation",):
        yield "duplicate", replaced(text[:-1] + " " + text)
    if (
        after is not None
        and not source[end : after.span[0]].strip()
        and after.call != statement.call
    ):
        swapped = source[after.span[0] : after.span[1]] + text
        yield f"swap with {after.call}", source[:begin] + swapped + source[after.span[1] :]
    for change, args in _operands(statement, buffers):
        yield change, with_args(args)


def _operands(statement: Statement, buffers: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Other operands: counts one more and one fewer, another circular buffer, indices far away."""
    args = list(statement.args)
    match statement.family:
        case "circular buffer":
            yield "count + 1", [args[0], f"{args[1]} + 1"]
            yield "count - 1", [args[0], f"{args[1]} - 1"]
            others = [each for each in buffers if each != args[0]]
            if others:
                yield "other buffer", [others[0], *args[1:]]
        case "transfer" if statement.call.endswith("_page"):
            yield "page far away", [f"{args[0]} + {_FAR}", *args[1:]]
            yield "address moved", [*args[:2], f"{args[2]} + 8", *args[3:]]
        case "transfer":
            yield "size + 16", [*args[:2], f"{args[2]} + 16", *args[3:]]
            yield "address moved", [f"{args[0]} + 8", *args[1:]]
        case "semaphore":
            yield "value + 1", [*args[:1], f"{args[1]} + 1", *args[2:]]
        case "tile operation":
            yield from _indices(statement, buffers)
        case _:
            return


def _indices(statement: Statement, buffers: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Tiles and registers far away; the operands before them name circular buffers."""
    args = list(statement.args)
    first = 0 if statement.call == "pack_tile" else 1
    for index in range(first, len(args)):
        names_index = re.fullmatch(r"[\w* +]*\b(\d+|[a-z])\b[\w* +]*", args[index])
        if names_index and args[index] not in buffers:
            far = f"{args[index]} + 64"
            yield f"index {index} far away", [*args[:index], far, *args[index + 1 :]]
