"""Options of the test run. Importing the package puts TileLang's own TVM on the import path."""

import os
from pathlib import Path

import pytest

import tilelang_tt  # noqa: F401
from testing.conformance import recording

RECORDS = "TILELANG_TT_RECORDS"
"""A folder to which every generated kernel is recorded, for the check against the real headers."""

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden texts instead of comparing"
    )


def pytest_configure(config):
    if folder := os.environ.get(RECORDS):
        recording.install(Path(folder))


def pytest_collection_modifyitems(config, items):
    """Without -m, a sweep runs the sample of it that is not marked long."""
    if config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("long") is not None]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture
def golden(request):
    """Compare a text with a file of testing/golden; a file that is missing is a failure."""

    def compare(name, text):
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"{path} is missing; write it with --update-golden"
        assert text == path.read_text()

    return compare
