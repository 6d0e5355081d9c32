"""Check a folder of recorded kernels: `PYTHONPATH=testing python -m conformance FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from conformance.checker import check_units, print_progress, summary
from conformance.cover import covering
from conformance.kernel import load_records
from conformance.toolchain import ToolchainError
from conformance.unit import ARCHS
from conformance.wheel import WheelError


def main() -> int:
    """Print every finding; the exit status is 1 if there is one."""
    options = _parse()
    kernels = load_records(options.records)
    if not kernels:
        sys.exit(f"no records (*.json) in {options.records}")
    if options.sample:
        kernels = covering(kernels)
    failed = False
    for arch in options.arch or ARCHS:
        try:
            results = check_units(
                kernels,
                arch,
                options.jobs,
                compiler=options.compiler,
                allow_deprecated=options.allow_deprecated,
                use_cache=not options.no_cache,
                progress=None if options.quiet else print_progress,
            )
        except (WheelError, ToolchainError) as error:
            sys.exit(str(error))
        for finding in (finding for result in results for finding in result.findings):
            print(finding)
            failed = True
        print(f"{arch}: {summary(results)}", file=sys.stderr)
    return 1 if failed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("records", type=Path, help="a folder of records, see KernelSource.save")
    parser.add_argument("--arch", action="append", choices=ARCHS, help="default: every one")
    parser.add_argument("--jobs", type=int, default=2, help="units parsed at a time")
    parser.add_argument(
        "--sample", action="store_true", help="leave out kernels that say nothing new, see cover.py"
    )
    parser.add_argument("--compiler", default="auto", help="auto, zig or clang++-N")
    parser.add_argument("--allow-deprecated", action="store_true", help="as the JIT does")
    parser.add_argument("--quiet", action="store_true", help="print findings and sums alone")
    parser.add_argument("--no-cache", action="store_true", help="forget earlier verdicts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
