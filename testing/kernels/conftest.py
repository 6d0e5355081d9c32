"""Compiles what is tested anew, and leaves out long sweeps unless the command line selects."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without -m, a sweep runs the sample of it that is not marked long."""
    if config.option.markexpr:
        return
    long = [
        item
        for item in items
        if item.path.is_relative_to(HERE) and item.get_closest_marker("long") is not None
    ]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def _no_saved_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILELANG_DISABLE_CACHE", "1")


@pytest.fixture(autouse=True)
def _same_inputs_every_time() -> None:
    torch.manual_seed(0)
