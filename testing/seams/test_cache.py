"""TileLang's cache: in memory, and on disk for another process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tilelang
import torch

from testing.kernels import programs, sequences
from testing.kernels.programs import plus
from tilelang_tt import pipeline, version

ROOT = Path(__file__).parents[2]
SECOND = Path(__file__).parent / "second_process.py"


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache that is in use."""
    monkeypatch.delenv("TILELANG_DISABLE_CACHE")
    monkeypatch.setenv("TILELANG_CACHE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def runs(monkeypatch):
    """The options of every run of the pipeline."""
    lower, options_seen = pipeline.lower, []

    def counted(func, options):
        options_seen.append(options)
        return lower(func, options)

    monkeypatch.setattr(pipeline, "lower", counted)
    return options_seen


@pytest.mark.usefixtures("cache")
def test_a_program_is_compiled_once_in_a_process(monkeypatch, program, runs):
    # The fingerprint keeps this test's entries in memory apart from those of others.
    monkeypatch.setattr(version, "fingerprint", lambda: "once in a process")
    first = tilelang.compile(program, target="tenstorrent", out_idx=[-1])
    assert len(runs) == 1
    assert tilelang.compile(program, target="tenstorrent", out_idx=[-1]) is first
    assert len(runs) == 1
    tilelang.compile(program, target="tenstorrent/blackhole", out_idx=[-1])
    assert [options.arch for options in runs] == ["wormhole_b0", "blackhole"]


def test_a_second_process_takes_from_disk_what_is_the_same_and_compiles_what_is_not(cache, runs):
    program = programs.in_place(plus, (96, 64), (32, 32), "bfloat16")
    kernel = tilelang.compile(program, target="tenstorrent", out_idx=[-1])
    operands = [torch.randint(-64, 65, (96, 64)).bfloat16() for _ in range(2)]
    assert torch.equal(kernel(*operands), sum(operands))
    assert len(runs) == 1, "the cache was empty"
    tilelang.compile(sequences.split_sum(2, (64, 32)), target="tenstorrent", out_idx=[-1])
    assert len(runs) == 3, "one run for each T.Kernel"
    done = subprocess.run(
        [sys.executable, str(SECOND)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    second = json.loads(done.stdout.splitlines()[-1])
    assert second == {
        "same": 0,
        "is_from_disk": True,
        "right": True,
        "source": hashlib.sha256(kernel.get_kernel_source().encode()).hexdigest(),
        "plan": "main",
        "block": 1,
        "fidelity": 1,
        "arch": 1,
        "grid": 1,
        "fp32_acc": 1,
        "execution": 1,
        "again": 0,
        "sequence": [True, 0],
        "fingerprint": 1,
    }
    assert any(cache.iterdir())
