"""One process of `compile_times.py`: measures a program and prints the times as JSON.

Imports are inside the functions, because they are measured too.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tvm import tirx

    from tilelang_tt import pipeline

Times = dict[str, list[float]]

TARGET = {"kind": "tenstorrent", "execution": "mock"}
REPEATS = 20


class Stopwatch:
    """Milliseconds by name."""

    def __init__(self) -> None:
        self.times: Times = defaultdict(list)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.times[name].append((time.perf_counter() - start) * 1e3)


def whole(name: str) -> Times:
    """From the import to a warm run."""
    watch = Stopwatch()
    with watch.measure("import tilelang and tilelang_tt"):
        import tilelang

        import tilelang_tt
    from programs import PROGRAMS, arguments
    from tilelang.backend.target import determine_target

    from tilelang_tt.runtime import mock_run

    logging.getLogger("tilelang").setLevel(logging.ERROR)
    tensors = arguments()
    with watch.measure("trace the function"):
        func = PROGRAMS[name]()
    with watch.measure("make a target of a dictionary"):
        determine_target(TARGET, return_object=True)
    with watch.measure("tilelang.compile"):
        kernel = tilelang.compile(func, target=TARGET, out_idx=[-1])
    with watch.measure("tilelang.compile, same process"):
        tilelang.compile(func, target=TARGET, out_idx=[-1])
    program = mock_run.program(tilelang_tt.artifact(kernel))
    with watch.measure("build the mock's three kernels"):
        program.build()
    with watch.measure("first run, kernels built"):
        kernel(*tensors)
    for _ in range(REPEATS):
        with watch.measure("warm run"):
            kernel(*tensors)
    return watch.times


def passes(name: str) -> Times:
    """Each pass alone, then the printing of the kernels; the first time in a process and later."""
    from programs import PROGRAMS

    import tilelang_tt  # noqa: F401  registers the target

    func = PROGRAMS[name]()
    first, later = Stopwatch(), Stopwatch()
    for turn in range(1 + REPEATS):
        _compile(func, name, later if turn else first)
    return {
        "first: all passes": [
            sum(sum(times) for key, times in first.times.items() if key != _CODE)
        ],
        "first: code generation": first.times[_CODE],
        **later.times,
    }


_CODE = "code generation"


def _compile(func: tirx.PrimFunc, name: str, watch: Stopwatch) -> None:
    from tvm import IRModule

    from tilelang_tt import pipeline
    from tilelang_tt.codegen import artifact
    from tilelang_tt.options import Options
    from tilelang_tt.transforms.split_kernels import split_kernels

    options = Options()
    for step in (*pipeline.tile_program(options), *pipeline.streams(options)):
        func = _apply(step, func, watch, "")
    with watch.measure("split"):
        split = split_kernels(func)
    kernels: dict[str, tirx.PrimFunc] = {}
    for role, steps in pipeline.KERNELS.items():
        kernel = split[role]
        for step in (*steps, *pipeline.FINISH):
            kernel = _apply(step, kernel, watch, f"{role}: ")
        kernels[role] = kernel
    module = IRModule(kernels)
    with watch.measure(_CODE):
        artifact.build(module, name, options)


def _apply(
    step: pipeline.Step, func: tirx.PrimFunc, watch: Stopwatch, prefix: str
) -> tirx.PrimFunc:
    from tvm import IRModule
    from tvm.ir.transform import Pass

    from tilelang_tt.ir import verify
    from tilelang_tt.transforms.function_pass import as_tvm_pass

    if isinstance(step, verify.Stage):
        with watch.measure(f"{prefix}verify {step.name}"):
            verify.check(func, step, after="")
        return func
    pass_: Pass = step if isinstance(step, Pass) else as_tvm_pass(step)
    with watch.measure(f"{prefix}{pass_.info.name}"):
        (func,) = pass_(IRModule({"main": func})).functions.values()
    return func


MODES: dict[str, Callable[[str], Times]] = {"whole": whole, "passes": passes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("program")
    chosen = parser.parse_args()
    json.dump(MODES[chosen.mode](chosen.program), sys.stdout)


if __name__ == "__main__":
    main()
