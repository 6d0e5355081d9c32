"""The examples of kernels written by hand run, check themselves, and print a profile."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from tilelang_tt import mock

FOLDER = Path(__file__).parents[2] / "examples/mock"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mock_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_two() -> None:
    assert [path.stem for path in EXAMPLES] == ["multicast", "vector_add"]


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_right_and_prints_a_profile(path, arch, capsys) -> None:
    assert module_of(path).main(["--arch", arch]) == 0
    text = capsys.readouterr().out
    assert re.search(
        r"^\d+ cycles \(\d+\.\d us\), of which \d+ are the launch; \d cores$", text, re.M
    )
    assert re.search(r"^reader +\d+\.\d%", text, re.M)
    assert text.splitlines()[-1].endswith(" allowed")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_notices_a_wrong_result(path, monkeypatch, capsys) -> None:
    """The result is lost on its way back."""
    numpy = mock.Tensor.numpy

    def lost(tensor: mock.Tensor) -> object:
        values = numpy(tensor)
        return values * 0 if tensor.buffer.contents == "result" else values

    monkeypatch.setattr(mock.Tensor, "numpy", lost)
    assert module_of(path).main([]) == 1
    capsys.readouterr()


def test_the_trace_is_written(tmp_path: Path, capsys) -> None:
    file = tmp_path / "trace.json"
    assert module_of(FOLDER / "vector_add.py").main(["--cores", "2", "--trace", str(file)]) == 0
    events = json.loads(file.read_text())["traceEvents"]
    assert {event["args"]["name"] for event in events if event["name"] == "process_name"} == {
        "core 0, 0",
        "core 1, 0",
    }
    capsys.readouterr()
