"""Kernels that others wrote for the chip give on the mock what torch gives."""

from __future__ import annotations

import pytest

from testing.mock_validation.bench import Case
from testing.mock_validation.cases import ALL
from tilelang_tt import mock


def named(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=f"{case.operation}: {case.name}") for case in cases]


@pytest.mark.parametrize("case", named([case for case in ALL if not case.missing]))
def test_kernels_of_the_wheel(case: Case) -> None:
    case.run()


@pytest.mark.parametrize("case", named([case for case in ALL if case.missing]))
def test_what_does_not_run_says_why(case: Case) -> None:
    """A case whose reason is gone has to lose its mark."""
    with pytest.raises(mock.MockError) as caught:
        case.run()
    assert case.missing in str(caught.value)
