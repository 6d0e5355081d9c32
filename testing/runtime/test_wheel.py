"""A wheel built from the repository works where it is installed, headers and data included."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(out), str(ROOT)], check=True, cwd=out)
    (path,) = out.glob("*.whl")
    return path


def test_it_holds_what_is_not_python(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "tilelang_tt"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert {name for name in tracked if not Path(name).name.startswith(".")} <= names


def test_it_runs_elsewhere(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "PYTHONPATH": str(tmp_path / "site"),
        "TILELANG_TT_CACHE_DIR": str(tmp_path / "cache"),
        "TILELANG_CACHE_DIR": str(tmp_path / "tilelang"),
    }
    command = [sys.executable, "-m", "tilelang_tt", "demo", "--size", "128", "--out", "sources"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "agrees with torch" in done.stdout
