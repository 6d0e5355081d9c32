"""Run every mutant and write what came of it to results.json: `python -m testing.mock.faults`.

Ends with 1, and a line for each, if a mutant is not found or gets another diagnosis than it must.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor

from testing.mock.faults import expected, results, run, subjects


def main() -> int:
    for name in subjects.SUBJECTS:
        subjects.subject(name).run()
    mutants = run.all_mutants()
    print(f"{len(mutants)} mutants", file=sys.stderr)
    with ProcessPoolExecutor(2) as pool:
        outcomes = list(pool.map(run.outcome, mutants, chunksize=4))
    results.write(zip(mutants, outcomes, strict=True))
    wrong = 0
    for mutant, outcome in zip(mutants, outcomes, strict=True):
        if verdict := expected.judge(mutant, outcome):
            wrong += 1
            print(f"{mutant.key}: {verdict}")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
