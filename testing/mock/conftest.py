"""Keeps the compiled kernels of a test session where the next session finds them."""

from __future__ import annotations

import os

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(autouse=True)
def _no_configured_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's CXX must not decide what is tested; TILELANG_TT_TEST_CXX may."""
    if "TILELANG_TT_TEST_CXX" in os.environ:
        monkeypatch.setenv("CXX", os.environ["TILELANG_TT_TEST_CXX"])
    else:
        monkeypatch.delenv("CXX", raising=False)
