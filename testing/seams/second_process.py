"""What test_cache.py runs in a process of its own: compile again, and count runs of the pipeline.

Prints one JSON object. The programs are those of that test, whose process compiles no other like
them.
"""

from __future__ import annotations

import hashlib
import json

import tilelang
import torch

import tilelang_tt
from testing.kernels import programs, sequences
from testing.kernels.programs import plus
from tilelang_tt import pipeline, version

_lower = pipeline.lower
_runs: list[str] = []


def _counted(func, options):
    _runs.append(options.arch)
    return _lower(func, options)


def _compile(target="tenstorrent", block=(32, 32)):
    """The kernel, and how often the pipeline ran for it."""
    before = len(_runs)
    program = programs.in_place(plus, (96, 64), block, "bfloat16")
    return tilelang.compile(program, target=target, out_idx=[-1]), len(_runs) - before


def _sequence():
    """A kernel of two programs: is it right, and how often did the pipeline run for it?"""
    before = len(_runs)
    program = sequences.split_sum(2, (64, 32))
    kernel = tilelang.compile(program, target="tenstorrent", out_idx=[-1])
    is_right = torch.equal(kernel(torch.ones(3, 2, 64, 32), 2.0), torch.full((64, 32), 12.0))
    return is_right, len(_runs) - before


def main() -> None:
    pipeline.lower = _counted
    torch.manual_seed(0)
    a, b = (torch.randint(-64, 65, (96, 64)).bfloat16() for _ in range(2))
    kernel, same = _compile()
    result = {
        "same": same,
        "is_from_disk": kernel.artifact is None,
        "right": torch.equal(kernel(a, b), a + b),
        "source": hashlib.sha256(kernel.get_kernel_source().encode()).hexdigest(),
        "plan": tilelang_tt.artifact(kernel).plan.name,
        "block": _compile(block=(64, 32))[1],
        "fidelity": _compile({"kind": "tenstorrent", "fidelity": "LoFi"})[1],
        "arch": _compile("tenstorrent/blackhole")[1],
        "grid": _compile({"kind": "tenstorrent", "grid": (3, 2)})[1],
        "fp32_acc": _compile({"kind": "tenstorrent", "fp32_acc": True})[1],
        "execution": _compile({"kind": "tenstorrent", "execution": "mock"})[1],
        "again": _compile()[1],
        "sequence": _sequence(),
    }
    version.fingerprint = lambda: "edited"
    result["fingerprint"] = _compile()[1]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
