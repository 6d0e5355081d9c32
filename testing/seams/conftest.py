"""Every test compiles anew and starts without a configured target."""

from __future__ import annotations

import pytest
import torch

from testing.kernels import programs
from testing.kernels.programs import compiled, plus


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILELANG_DISABLE_CACHE", "1")
    for name in ("TILELANG_DEFAULT_TARGET", "TILELANG_TT_TTNN_PYTHON", "TT_METAL_SIMULATOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def program():
    """C = A + B on 64 x 96 elements of bfloat16, by blocks of 32 x 32."""
    return programs.in_place(plus, (64, 96), (32, 32), "bfloat16")


@pytest.fixture
def kernel():
    """The same, compiled; the output is allocated."""
    return compiled(programs.in_place, plus, (64, 96), (32, 32), "bfloat16")


@pytest.fixture
def operands():
    """Integers, of which sums and products are exact."""
    torch.manual_seed(0)
    return tuple(torch.randint(-64, 65, (64, 96)).bfloat16() for _ in range(2))
