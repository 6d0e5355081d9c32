"""Runs hand-written kernels of ttnn's operations, as they are in the wheel, on the mock.

A case is one launch: the plan that the operation's program factory makes, written from the kernels'
arguments, and the result that torch gives. The kernels' text stays in the wheel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from testing.conformance import wheel
from tilelang_tt import mock
from tilelang_tt.mock.chip import Chip, ProgramBuilder, Tensor
from tilelang_tt.mock.metal2 import Names

OPERATIONS = "ttnn/cpp/ttnn/operations"
Core = tuple[int, int]


class Bench:
    """A chip, one program, and what the launch has to give."""

    def __init__(self, arch: str = "wormhole_b0") -> None:
        self.chip = Chip(arch)
        self.root = wheel.kernels()
        self.used: list[str] = []
        self.expected: list[tuple[Tensor, torch.Tensor, float]] = []
        self.program: ProgramBuilder = self.chip.program()
        self.generator = torch.Generator().manual_seed(5)

    def modes(self, **modes: Any) -> None:
        """How the program computes: `fp32_dest_acc`, `fidelity`, `dst_full_sync`."""
        self.program = self.chip.program(**modes)

    def random(self, *shape: int, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
        """Values that bfloat16 holds."""
        values = torch.rand(shape, generator=self.generator) * (high - low) + low
        return values.to(torch.bfloat16)

    def kernel(
        self,
        role: mock.program.Role,
        path: str,
        args: Mapping[Core, Sequence[int]],
        *,
        compile_time_args: Sequence[int] = (),
        common_args: Sequence[int] = (),
        defines: Mapping[str, str] | None = None,
        named: Mapping[str, int] | None = None,
        names: Names | None = None,
    ) -> None:
        """A kernel of the wheel, by its path below the folder of operations."""
        self.used.append(path)
        self.program.kernel(
            role,
            self.root / OPERATIONS / path,
            args,
            compile_time_args=compile_time_args,
            common_args=common_args,
            defines=defines,
            named=named,
            names=names,
            include_dirs=(self.root, self.root / "ttnn/cpp"),
        )

    def expect(self, tensor: Tensor, reference: torch.Tensor, tolerance: float) -> None:
        """The tensor holds `reference` up to `tolerance` of its largest value; 0 is exact."""
        self.expected.append((tensor, reference, tolerance))

    def run(self, findings: tuple[str, ...] = ()) -> float:
        """Launches and compares; gives the largest error relative to the largest value.

        `findings` are the kinds of broken rules that the kernels are known for.
        """
        report = self.program.run(allow=findings)
        assert {each.kind for each in report.findings} == set(findings), report.findings
        worst = 0.0
        for tensor, reference, tolerance in self.expected:
            result = torch.from_numpy(tensor.numpy()).double()
            wanted = reference.double()
            assert result.shape == wanted.shape, (result.shape, wanted.shape)
            assert bool(torch.isfinite(wanted).all()), "the reference has to be finite"
            scale = max(float(wanted.abs().max()), 1e-30)
            error = float((result - wanted).abs().max()) / scale
            assert error <= tolerance, (
                f"error {error:.3g} of the largest value, {tolerance} allowed"
            )
            worst = max(worst, error)
        return worst


@dataclass(frozen=True)
class Case:
    """One launch of kernels of one operation."""

    operation: str
    name: str
    kernels: tuple[str, ...]
    plan: str
    prepare: Callable[[Bench], None] = field(compare=False)
    missing: str = ""  # why it does not run yet
    findings: tuple[str, ...] = ()  # rules that the kernels break

    def run(self) -> float:
        bench = Bench()
        self.prepare(bench)
        assert tuple(sorted(set(bench.used))) == tuple(sorted(self.kernels))
        return bench.run(self.findings)


CASES: list[Case] = []


def case(
    operation: str,
    name: str,
    kernels: Sequence[str],
    *,
    missing: str = "",
    findings: tuple[str, ...] = (),
) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Registers a function as a case; its docstring is the plan in words."""

    def register(prepare: Callable[[Bench], None]) -> Callable[[Bench], None]:
        plan = " ".join((prepare.__doc__ or "").split())
        assert plan, f"{name} has no docstring"
        CASES.append(Case(operation, name, tuple(kernels), plan, prepare, missing, findings))
        return prepare

    return register


def split(pages: int, cores: Sequence[Core]) -> dict[Core, tuple[int, int]]:
    """First page and number of pages of each core, as even as they can be."""
    each, more = divmod(pages, len(cores))
    spans: dict[Core, tuple[int, int]] = {}
    first = 0
    for number, core in enumerate(cores):
        count = each + (1 if number < more else 0)
        spans[core] = (first, count)
        first += count
    return spans


def grid(columns: int, rows: int) -> tuple[Core, ...]:
    """Cores row by row."""
    return tuple((x, y) for y in range(rows) for x in range(columns))
