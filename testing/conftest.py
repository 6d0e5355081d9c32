"""Options of the test run. Importing the package puts TileLang's own TVM on the import path."""

from pathlib import Path

import pytest

import tilelang_tt  # noqa: F401

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden texts instead of comparing"
    )


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
