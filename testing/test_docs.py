"""The generated pages of docs/ are those of the code, and what README says of options is true."""

import dataclasses
import runpy
from pathlib import Path

import pytest

from tilelang_tt.options import Options

ROOT = Path(__file__).parents[1]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))


@pytest.mark.parametrize("name", GENERATE["PAGES"])
def test_generated_pages_are_current(name):
    assert (ROOT / "docs" / name).read_text() == GENERATE["render"](name), "run ./dev docs"


def test_the_readme_lists_every_option():
    readme = (ROOT / "README.md").read_text()
    for field in dataclasses.fields(Options):
        assert f"| `{field.name}` |" in readme
