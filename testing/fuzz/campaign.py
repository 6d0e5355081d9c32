"""Many random programs in a row, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import hypothesis
from hypothesis import HealthCheck, Phase

from testing.fuzz.check import Outcome, check
from testing.fuzz.program import Program
from testing.fuzz.strategies import programs

COMPILED = "compiled, right"
VAGUE = "compiled, right, bounds say little"

SETTINGS = hypothesis.settings(
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    report_multiple_bugs=False,
)


@dataclass
class Campaign:
    """The tally of the programs so far: how many compiled, how many were refused with which code.

    Attributes:
        largest: the largest error seen, relative to the largest value of its tensor.
        failures: what went wrong, by kind, with the shortest program that shows it.
    """

    tally: Counter[str] = field(default_factory=Counter)
    largest: float = 0.0
    failures: dict[str, Program] = field(default_factory=dict)

    def run(
        self,
        count: int,
        seed: int,
        *,
        keep_going: bool = False,
        each: Callable[[], object] = lambda: None,
    ) -> None:
        """Check `count` programs; `each` is called after each.

        At a failure the program is made as small as it still fails, and no more are made; with
        `keep_going` failures are only collected.
        """
        phases = (Phase.generate,) if keep_going else SETTINGS.phases

        @hypothesis.seed(seed)
        @hypothesis.settings(SETTINGS, max_examples=count, phases=phases)
        @hypothesis.given(programs())
        def run(program: Program) -> None:
            try:
                self.count(check(program))
            except Exception as error:
                self.failed(program, error, shortest=keep_going)
                if not keep_going:
                    raise
            each()

        try:
            run()
        except Exception:
            if not self.failures:
                raise

    def count(self, outcome: Outcome) -> None:
        kind = outcome.refused or (COMPILED if outcome.checked >= 0.5 else VAGUE)
        self.tally[kind] += 1
        self.largest = max(self.largest, outcome.largest)

    def failed(self, program: Program, error: Exception, *, shortest: bool) -> None:
        """Keep the shortest program of a kind of failure, or the last, which is the smallest of a
        search."""
        kind = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        if not shortest:
            self.failures = {kind: program}
            return
        kind = kind[:60]
        old = self.failures.get(kind)
        if old is None or len(repr(program)) < len(repr(old)):
            self.failures[kind] = program
        self.tally[f"FAILED {kind}"] += 1

    def summary(self) -> str:
        """A table: how many of what."""
        total = sum(self.tally.values())
        rows = [f"{number:6d}  {kind}" for kind, number in self.tally.most_common()]
        return "\n".join([f"{total} programs, largest error {self.largest:.1e}", *rows])
