"""What a run says about silicon: the programs it left out, and a line for each that ran."""

from __future__ import annotations

import pytest

LEFT_OUT = pytest.StashKey[tuple[str, ...]]()
"""Of the run's configuration: one line for each reason why programs do not run."""

ROW = "silicon"
"""The property of a test that holds its line of the table."""

HEAD = f"{'program':32}{'arch':>12}{'error':>10}{'allowed':>10}{'mock':>10}{'apart':>10}  identical"


def row(
    name: str, arch: str, error: float, allowed: float, mock: float, apart: float, same: bool
) -> str:
    """A line of the table.

    Errors of silicon and of the mock, their difference, and whether all bits are the same.
    """
    numbers = "".join(f"{number:10.1e}" for number in (error, allowed, mock, apart))
    return f"{name:32}{arch:>12}{numbers}  {'yes' if same else 'no'}"
