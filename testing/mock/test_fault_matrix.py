"""A sample of the mutants is run again, all with -m long; the recorded results are complete."""

from __future__ import annotations

import pytest

from testing.mock.faults import expected, mutate, results, run, subjects

HAND_WRITTEN = [name for name in subjects.SUBJECTS if not name.startswith("compiled")]


def all_of(name: str) -> list[mutate.Mutant]:
    sources = subjects.subject(name).sources
    return [m for kernel, text in sources.items() for m in mutate.mutants(name, kernel, text)]


def verdicts(mutants: list[mutate.Mutant]) -> dict[str, str]:
    judged = {m.key: expected.judge(m, run.outcome(m)) for m in mutants}
    return {key: verdict for key, verdict in judged.items() if verdict is not None}


@pytest.mark.parametrize("name", subjects.SUBJECTS)
def test_the_good_program_has_no_findings(name: str) -> None:
    subjects.subject(name).run()


@pytest.mark.parametrize("name", subjects.SUBJECTS)
def test_a_sample_of_the_mutants_is_found(name: str) -> None:
    assert verdicts(all_of(name)[::13]) == {}


@pytest.mark.long
@pytest.mark.parametrize("name", subjects.SUBJECTS)
def test_each_mutant_is_found(name: str) -> None:
    assert verdicts(all_of(name)) == {}


def test_the_recorded_results_miss_none() -> None:
    recorded = results.read()
    assert len(recorded) > 600
    assert [r for r in recorded if r.outcome == ("nothing",) and r.reason is None] == []
    assert {r.subject for r in recorded} == set(subjects.SUBJECTS)


def test_the_recorded_results_are_of_these_kernels() -> None:
    """Compiled kernels change with the compiler: their mutants are judged, not compared."""
    now = [
        (m.subject, f"{m.kernel}:{m.line}", m.call, m.change)
        for name in HAND_WRITTEN
        for m in all_of(name)
    ]
    recorded = [
        (r.subject, r.place, r.call, r.change) for r in results.read() if r.subject in HAND_WRITTEN
    ]
    assert now == recorded, "run python -m testing.mock.faults and ./dev docs"


def test_no_row_of_the_table_is_idle() -> None:
    recorded = results.read()
    for row in expected.DETECTED:
        used = [
            r
            for r in recorded
            if r.outcome != ("nothing",) and expected.fits(row, r.change, r.call)
        ]
        assert used, row
        # Kinds of compiled kernels may come and go with them; a row none of whose kinds occurs
        # first is wrong.
        assert {r.outcome[0] for r in used} & set(row.kinds), row
    for row in expected.EQUIVALENT:
        assert any(
            r.reason == row.reason and expected.fits(row, r.change, r.call) for r in recorded
        ), row


def test_the_judge_wants_the_right_diagnosis() -> None:
    drop = next(m for m in all_of("sum") if (m.change, m.call) == ("drop", "cb_push_back"))
    assert expected.judge(drop, ["deadlock"]) is None
    assert expected.judge(drop, ["nothing"]) == "not found"
    assert "found as dst_protocol, not as one of deadlock" in str(
        expected.judge(drop, ["dst_protocol", "deadlock"])
    )
    twice = next(m for m in all_of("sum") if (m.change, m.call) == ("duplicate", "cb_wait_front"))
    assert expected.judge(twice, ["nothing"]) is None
