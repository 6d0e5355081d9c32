"""Kernels that others wrote for the chip give on the mock what torch gives."""

from __future__ import annotations

import pytest

from testing.mock_validation import results
from testing.mock_validation.bench import Bench, Case
from testing.mock_validation.cases import ALL, unary
from tilelang_tt import mock


def named(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=results.key(case)) for case in cases]


@pytest.mark.parametrize("case", named([case for case in ALL if not case.missing]))
def test_kernels_of_the_wheel(case: Case) -> None:
    error = case.run()
    recorded = results.recorded()[results.key(case)]
    assert error == pytest.approx(recorded, rel=0.1, abs=1e-9), "python -m testing.mock_validation"


@pytest.mark.parametrize("case", named([case for case in ALL if case.missing]))
def test_what_does_not_run_says_why(case: Case) -> None:
    """A case whose reason is gone has to lose its mark."""
    with pytest.raises(mock.MockError) as caught:
        case.run()
    assert case.missing in str(caught.value)


def test_every_launch_is_recorded_once() -> None:
    assert list(results.recorded()) == [results.key(case) for case in ALL if not case.missing]


def test_a_wrong_result_is_seen() -> None:
    """The comparison can fail: another function than the kernel's is expected."""
    bench = Bench()
    values = bench.random(32, 32, low=0.5)
    unary.named(bench, unary.IDENTITY, values, values.float() * 1.25)
    with pytest.raises(AssertionError, match="of the largest value"):
        bench.run()


def test_an_unknown_finding_is_seen() -> None:
    """A rule that is expected to be broken, and is not, fails as well."""
    bench = Bench()
    values = bench.random(32, 32)
    unary.named(bench, unary.IDENTITY, values, values.float())
    with pytest.raises(AssertionError):
        bench.run(("missing_barrier",))
