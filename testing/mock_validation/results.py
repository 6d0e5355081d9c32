"""What the last recorded run of all cases gave, and the page of docs/ that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from testing.mock_validation.bench import Case
from testing.mock_validation.cases import ALL

PATH = Path(__file__).with_name("results.json")


def key(case: Case) -> str:
    return f"{case.operation}: {case.name}"


def recorded() -> Mapping[str, float]:
    """The largest error of each case, relative to the largest value."""
    return json.loads(PATH.read_text())


def record() -> None:
    """Runs all cases and writes their errors."""
    errors = {key(case): float(f"{case.run():.2g}") for case in ALL if not case.missing}
    PATH.write_text(json.dumps(errors, indent=2) + "\n")


def page() -> Iterator[str]:
    """docs/mock-validation.md."""
    running = [case for case in ALL if not case.missing]
    kernels = sorted({kernel for case in running for kernel in case.kernels})
    yield "# Hand-written kernels on the mock\n"
    yield f"{len(kernels)} kernels of ttnn's operations, as they are in the ttnn wheel, run on the"
    yield "mock without a change, with the plan that the operation would make, against torch. The"
    yield f"plans are in `testing/mock_validation`: {len(running)} launches, each of which has to"
    yield "agree within its tolerance. The wheel is downloaded when the tests run; no kernel is"
    yield "part of this repository.\n"
    yield "The error is the largest difference from torch, divided by the largest value;"
    yield "bfloat16 rounds by up to 3.9e-3 of a value. Rules that a kernel breaks are named as in"
    yield "the mock's findings.\n"
    yield "| operation | launch | error | broken rules | plan |"
    yield "| --- | --- | --- | --- | --- |"
    errors = recorded()
    for case in running:
        error = errors[key(case)]
        shown = "exact" if error == 0 else f"{error:.1e}"
        broken = ", ".join(f"`{kind}`" for kind in case.findings)
        yield f"| {case.operation} | {case.name} | {shown} | {broken} | {case.plan} |"
    yield from _missing([case for case in ALL if case.missing])
    yield "\n## Kernels\n"
    yield "Below `ttnn/cpp/ttnn/operations`.\n"
    yield "| kernel | launches |"
    yield "| --- | --- |"
    for kernel in kernels:
        uses = [key(case) for case in running if kernel in case.kernels]
        yield f"| `{kernel}` | {'; '.join(uses)} |"


def _missing(cases: list[Case]) -> Iterator[str]:
    yield "\n## What does not run yet\n"
    yield "| operation | launch | lacks | why |"
    yield "| --- | --- | --- | --- |"
    for case in cases:
        yield f"| {case.operation} | {case.name} | `{case.missing}` | {case.plan} |"
