"""Compiles what is tested anew, on the same inputs every time."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _no_saved_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILELANG_DISABLE_CACHE", "1")


@pytest.fixture(autouse=True)
def _same_inputs_every_time() -> None:
    torch.manual_seed(0)
