"""Leaves out the tests that need what is not here, and says so.

At the end of a run: what was left out, and a table of the programs that ran.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from testing.silicon import device, table
from tilelang_tt.runtime import ttnn_run

_SECONDS = 300  # a hang hangs: nothing else ends it


def pytest_configure(config: pytest.Config) -> None:
    config.stash[table.LEFT_OUT] = ()
    config.addinivalue_line("markers", "ttnn: needs a Python with ttnn, and no card or simulator")
    config.pluginmanager.register(_Table(), "silicon-table")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = {item: reason for item in items if (reason := _reason(item))}
    items[:] = [item for item in items if item not in reasons]
    if reasons:
        config.hook.pytest_deselected(items=list(reasons))
    config.stash[table.LEFT_OUT] = tuple(
        f"{reason}: {count} programs not run" for reason, count in Counter(reasons.values()).items()
    )


def _reason(item: pytest.Item) -> str:
    """Why a test does not run; empty where it does."""
    if item.get_closest_marker("ttnn") is not None and ttnn_run.PYTHON not in os.environ:
        return f"{ttnn_run.PYTHON} is not set"
    if item.get_closest_marker("silicon") is None:
        return ""
    silicon = device.find()
    return silicon if isinstance(silicon, str) else silicon.lacks(item.callspec.params["program"])


class _Table:
    """Collects the rows that tests record, and prints them."""

    def __init__(self) -> None:
        self.rows: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.rows += [str(row) for name, row in report.user_properties if name == table.ROW]

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        rows = [table.HEAD, *self.rows] if self.rows else []
        if lines := [*config.stash[table.LEFT_OUT], *rows]:
            terminalreporter.section("silicon")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def time_limit():
    """End a test that hangs."""

    def fail(_signal, _frame):
        raise TimeoutError(f"no result after {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
