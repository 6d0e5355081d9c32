"""The command line: `tilelang-tt demo`, `draw`, `waves`, `info` and `errors`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from tilelang_tt import demo, device, diagnostics, options
from tilelang_tt.recurrences import drawing, joint
from tilelang_tt.runtime import saved
from tilelang_tt.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    arguments = _parser().parse_args(argv)
    return arguments.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tilelang-tt", description="TileLang programs on Tenstorrent chips."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    job = commands.add_parser("demo", help="compile, run and check a GEMM, and save its sources")
    job.add_argument("--size", type=int, default=1024, help="M = N = K, a multiple of 128")
    job.add_argument("--arch", choices=device.ARCHS, default=device.ARCHS[0])
    job.add_argument("--out", type=Path, default=Path("out/gemm"), help="folder for the sources")
    job.set_defaults(run=_demo)
    job = commands.add_parser("draw", help="print the flow of data of a saved kernel as a graph")
    job.add_argument("folder", type=Path, help="what tilelang_tt.save wrote")
    job.add_argument("--plot", type=Path, help="a picture of its schedule to write as well")
    job.set_defaults(run=_draw)
    job = commands.add_parser("waves", help="print what may run at once in a saved kernel")
    job.add_argument("folder", type=Path, help="what tilelang_tt.save wrote")
    job.add_argument("--objective", choices=[*joint.OBJECTIVES], default="latency")
    job.set_defaults(run=_waves)
    commands.add_parser("info", help="the chips and the target's options").set_defaults(run=_info)
    commands.add_parser("errors", help="every error code").set_defaults(run=_errors)
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    logging.getLogger("tilelang").setLevel(logging.WARNING)
    if arguments.size <= 0 or arguments.size % 128:
        print(f"--size must be a positive multiple of 128, not {arguments.size}")
        return 2
    outcome = demo.run(
        arguments.size, arguments.arch, arguments.out, lambda t: print(t, flush=True)
    )
    verdict = "agrees with" if outcome.is_right else "DIFFERS from"
    print(f"result {verdict} torch: largest error {outcome.error:.2e} of the largest value,")
    print(f"  {outcome.tolerance:.2e} allowed (two roundings to bfloat16)")
    print(f"written to {arguments.out}: {', '.join(path.name for path in outcome.files)}")
    return 0 if outcome.is_right else 1


def _draw(arguments: argparse.Namespace) -> int:
    try:
        plans = [step.plan for step in saved.load_all(arguments.folder).steps]
        print(drawing.dot(plans), end="")
        if arguments.plot is not None:
            drawing.plot(plans, arguments.plot)
    except diagnostics.Diagnostic as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _waves(arguments: argparse.Namespace) -> int:
    try:
        plans = [step.plan for step in saved.load_all(arguments.folder).steps]
    except diagnostics.Diagnostic as error:
        print(error, file=sys.stderr)
        return 1
    print(drawing.waves(plans, arguments.objective))
    return 0


def _info(_arguments: argparse.Namespace) -> int:
    print(options.Options.__doc__)
    for arch in device.ARCHS:
        chip = device.load(arch)
        columns, rows = chip.grid
        print(f"{arch}: {columns}x{rows} cores, {chip.cb_bytes} bytes of L1 for {chip.cb_count}")
        print(f"  circular buffers, {chip.clock_ghz} GHz")
    return 0


def _errors(_arguments: argparse.Namespace) -> int:
    for cls in diagnostics.catalogue():
        print(f"{cls.code}  {cls.__name__}: {cls.message}")
        if cls.hint:
            print(f"        hint: {cls.hint}")
    return 0
