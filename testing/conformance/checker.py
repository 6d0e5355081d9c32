"""Type-check generated kernels against the real tt-metal headers, without SFPI or a device.

    findings = check(load_records(folder), "wormhole_b0")

Each kernel is put into the translation units that the JIT makes of it, and clang parses these with
the JIT's language and warnings, `-Wall -Werror` included. Verdicts are remembered by content: a
kernel that did not change since the last run costs nothing.

Not seen: the values and the order of calls (circular-buffer protocol, a missing init, DST
capacity), linking, the size of code and stack, and warnings that only an optimising GCC gives.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from conformance import toolchain, wheel
from conformance.kernel import KernelSource, write_whole
from conformance.unit import ARCHS, PROCESSORS, Unit


@dataclass(frozen=True)
class Finding:
    """One error in one translation unit. `line` is the kernel's, 0 if none is named."""

    kernel: str
    arch: str
    processor: str
    line: int
    message: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.kernel}:{self.line}: {self.message} [{self.processor}, {self.arch}]"
        return "\n    ".join((head, *self.notes))


@dataclass(frozen=True)
class UnitResult:
    """The verdict on one translation unit, and the seconds it took when it was found."""

    kernel: str
    processor: str
    seconds: float
    is_cached: bool
    findings: tuple[Finding, ...]


Progress = Callable[[int, int, UnitResult], None]


def check(
    kernels: Sequence[KernelSource],
    arch: str,
    jobs: int = 2,
    *,
    compiler: str = "auto",
    allow_deprecated: bool = False,
    progress: Progress | None = None,
) -> list[Finding]:
    """Every finding of `check_units`, which explains the arguments."""
    results = check_units(
        kernels,
        arch,
        jobs,
        compiler=compiler,
        allow_deprecated=allow_deprecated,
        progress=progress,
    )
    return [finding for result in results for finding in result.findings]


def check_units(
    kernels: Sequence[KernelSource],
    arch: str,
    jobs: int = 2,
    *,
    compiler: str = "auto",
    allow_deprecated: bool = False,
    use_cache: bool = True,
    progress: Progress | None = None,
) -> list[UnitResult]:
    """Check each distinct kernel for every processor it runs on, `jobs` units at a time.

    `compiler` is what `toolchain.find` takes. The JIT lets deprecated calls pass; generated code is
    to use current names only, so they are findings unless `allow_deprecated`. `progress` is called
    after each unit with the number of those done, the number of all, and the result.
    """
    parser = _Parser(toolchain.find(compiler), wheel.headers(), allow_deprecated)
    distinct = {kernel.digest: kernel for kernel in kernels}.values()
    units = [
        Unit(kernel, ARCHS[arch], processor)
        for kernel in distinct
        for processor in PROCESSORS[kernel.role]
    ]
    known = [parser.recall(unit) if use_cache else None for unit in units]
    fresh = [unit for unit, result in zip(units, known, strict=True) if result is None]
    results: list[UnitResult] = []
    with (
        tempfile.TemporaryDirectory(prefix="conformance-") as folder,
        ThreadPoolExecutor(jobs) as pool,
    ):
        pch = Path(folder, "std.pch")
        if fresh:
            parser.precompile(pch)
        parsed = pool.map(lambda unit: parser.parse(unit, pch), fresh)
        for result in known:
            results.append(next(parsed) if result is None else result)
            if progress:
                progress(len(results), len(units), results[-1])
    return results


def print_progress(done: int, of: int, result: UnitResult) -> None:
    """A `progress` that writes a line to stderr for each unit that was not remembered."""
    if not result.is_cached:
        verdict = "FAIL" if result.findings else "ok"
        unit = f"{result.processor:6} {result.kernel}"
        print(f"[{done}/{of}] {verdict:4} {result.seconds:.2f} s {unit}", file=sys.stderr)


def summary(results: Sequence[UnitResult]) -> str:
    """How many units there were, how many failed, and what they cost."""
    fresh = [result.seconds for result in results if not result.is_cached]
    mean = f", {sum(fresh) / len(fresh):.2f} s each, {max(fresh):.2f} s at most" if fresh else ""
    failed = sum(bool(result.findings) for result in results)
    return f"{len(results)} units, {failed} failed; {len(fresh)} parsed{mean}"


@dataclass(frozen=True)
class _Parser:
    """A compiler and the headers, with the memory of what they said."""

    compiler: toolchain.Toolchain
    headers: Path
    allow_deprecated: bool

    def precompile(self, pch: Path) -> None:
        """Precompile the standard headers, as the JIT does.

        Taking in the API headers too would save 0.1 s per unit at best and cost 0.7 s for each
        combination of compile-time arguments, formats and includes, since those headers depend on
        them. Kernels rarely share all of these.
        """
        header = self.headers / "tt_metal/hw/inc/internal/pch.h"
        run = self._clang("-w", "-x", "c++-header", str(header), "-o", str(pch))
        if run.returncode != 0:
            raise toolchain.ToolchainError(
                f"{self.compiler.version} cannot parse the standard headers, "
                f"another compiler may (try zig):\n{run.stderr[-4000:]}"
            )

    def parse(self, unit: Unit, pch: Path) -> UnitResult:
        """Parse `unit` and remember the verdict."""
        start = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=pch.parent) as name:
            folder = Path(name)
            run = self._clang(
                *("-x", "c++", "-fsyntax-only", "-include-pch", str(pch)),
                *("-fno-caret-diagnostics", "-ferror-limit=20"),
                *unit.flags(self.headers, folder),
                *(("-Wno-deprecated-declarations",) if self.allow_deprecated else ()),
                str(unit.write(folder)),
            )
        seconds = time.perf_counter() - start
        errors = _errors(run.stderr.replace(f"{self.headers}/", ""))
        if run.returncode != 0 and not errors:
            errors = [[_Diagnostic("", 0, "error", f"no verdict: {run.stderr[-2000:]}")]]
        findings = tuple(_finding(unit, error) for error in errors if not _only_clang(error[0]))
        result = UnitResult(unit.kernel.name, unit.processor.name, seconds, False, findings)
        self._remember(unit, result)
        return result

    def _clang(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*self.compiler.command, *self.compiler.language_flags, *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def recall(self, unit: Unit) -> UnitResult | None:
        """The verdict of an earlier run, if nothing that it depends on has changed."""
        path = self._memory(unit)
        if not path.is_file():
            return None
        record = json.loads(path.read_text())
        kernel, processor = unit.kernel.name, unit.processor.name
        findings = tuple(
            Finding(kernel, unit.arch.name, processor, line, message, tuple(notes))
            for line, message, notes in record["findings"]
        )
        return UnitResult(kernel, processor, record["seconds"], True, findings)

    def _remember(self, unit: Unit, result: UnitResult) -> None:
        findings = [(each.line, each.message, each.notes) for each in result.findings]
        path = self._memory(unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"seconds": result.seconds, "findings": findings}))

    def _memory(self, unit: Unit) -> Path:
        parts = (
            *(_own_digest(), wheel.SHA256, self.compiler.version, str(self.allow_deprecated)),
            *(unit.arch.name, unit.processor.name, unit.kernel.digest),
        )
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return wheel.cache_dir() / "verdicts" / f"{key}.json"


@functools.cache
def _own_digest() -> str:
    """A digest of this package and its stand-in headers: changing them voids every verdict."""
    home = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted([*home.glob("*.py"), *home.glob("stubs/**/*")]):
        if path.is_file() and not path.name.startswith("test_"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Diagnostic:
    file: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.file else self.text


_DIAGNOSTIC = re.compile(r"(?:(.+?):(\d+):\d+: )?(?:[\w+.-]+: )?(fatal error|error|note): (.*)")
_KEPT_NOTES = 6

# Errors that clang reports inside a header of the wheel and GCC does not: a function template named
# without its arguments and passed as a value, and an attribute before a lambda's parameters.
_CLANG_ONLY = (
    (
        "api/compute/gcd.h",
        "no matching function for call to '_llk_math_eltwise_binary_sfpu_params_'",
    ),
    (
        "api/compute/lcm.h",
        "no matching function for call to '_llk_math_eltwise_binary_sfpu_params_'",
    ),
    ("ckernel_sfpu_polygamma.h", "expected "),
)


def _errors(output: str) -> list[list[_Diagnostic]]:
    """Each error that the compiler wrote, followed by its notes."""
    errors: list[list[_Diagnostic]] = []
    for match in filter(None, map(_DIAGNOSTIC.fullmatch, output.splitlines())):
        file, line, kind, text = match.groups()
        diagnostic = _Diagnostic(file or "", int(line or 0), kind, text)
        if kind != "note":
            errors.append([diagnostic])
        elif errors:
            errors[-1].append(diagnostic)
    return errors


def _only_clang(error: _Diagnostic) -> bool:
    return any(error.file.endswith(at) and error.text.startswith(text) for at, text in _CLANG_ONLY)


def _finding(unit: Unit, diagnostics: Iterable[_Diagnostic]) -> Finding:
    """The finding that an error with its notes is, at the first line of the kernel they name."""
    name = unit.kernel.name
    error, *notes = diagnostics
    line = next((each.line for each in (error, *notes) if each.file == name), 0)
    where = f" ({error.file}:{error.line})" if error.file not in ("", name) else ""
    kept = tuple(map(str, notes[:_KEPT_NOTES]))
    return Finding(name, unit.arch.name, unit.processor.name, line, f"{error.text}{where}", kept)
