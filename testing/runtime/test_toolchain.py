"""The C++ compiler that kernels need: the system's, or the ziglang wheel's, or a clear error."""

import os
import subprocess

import pytest
from tvm.contrib import cc

from tilelang_tt import mock, toolchain


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine on which no compiler is found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TILELANG_TT_CACHE_DIR", str(tmp_path))
    for name in ("CXX", "CC"):  # set first, so that what the test sets is undone
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(cc.create_shared, "get_target_triple", lambda: None)


def test_a_system_compiler_is_left_to_tilelang(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    toolchain.require()
    assert "CXX" not in os.environ


def test_without_any_compiler_the_error_names_what_to_install(bare, monkeypatch):
    monkeypatch.setattr(toolchain, "find_spec", lambda _name: None)
    with pytest.raises(mock.MissingCompiler, match=r"g\+\+ or clang, or run `pip install ziglang`"):
        toolchain.require()


def test_the_ziglang_wheel_serves_tilelang_and_the_mock(bare):
    toolchain.require()
    shown = subprocess.run([os.environ["CXX"], "--version"], capture_output=True, text=True)
    assert "clang version" in shown.stdout
    assert cc.create_shared.get_target_triple().strip()
    assert mock.compiler.find_compiler().command == (os.environ["CXX"],)


def test_the_wrapper_is_written_anew_for_another_python(bare, tmp_path, monkeypatch):
    toolchain.require()
    first = os.environ["CXX"]
    monkeypatch.delenv("CXX")
    monkeypatch.setattr(toolchain.sys, "executable", "/another/python")
    toolchain.require()
    assert os.environ["CXX"] == first
    assert "/another/python" in (tmp_path / os.path.basename(first)).read_text()
