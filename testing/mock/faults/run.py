"""Run a mutant and say in short what came of it."""

from __future__ import annotations

from testing.mock.faults import mutate, subjects
from tilelang_tt import mock

NOTHING = "nothing"
NOT_BUILT = "does not compile"


def all_mutants() -> list[mutate.Mutant]:
    return [
        mutant
        for name in subjects.SUBJECTS
        for kernel, source in subjects.subject(name).sources.items()
        for mutant in mutate.mutants(name, kernel, source)
    ]


def outcome(mutant: mutate.Mutant) -> list[str]:
    """The kinds of the findings in their order, or one word where there are none."""
    changed = subjects.subject(mutant.subject).with_source(mutant.kernel, mutant.source)
    try:
        changed.run()
    except mock.RunError as error:
        return list(dict.fromkeys(finding.kind for finding in error.findings))
    except mock.KernelCompileError:
        return [NOT_BUILT]
    return [NOTHING]
