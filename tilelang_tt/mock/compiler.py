"""The host C++ compiler, and the folder of its results, keyed by all that went into them."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from tilelang_tt.mock.errors import KernelCompileError, MissingCompiler

_ROOT = Path(__file__).parent
_INCLUDE = _ROOT / "include"
_SOURCE = _ROOT / "src"

# Headers are part of the keys as text: where they lie is not, so that checkouts share results.
KERNEL_INCLUDES = (f"-I{_INCLUDE}",)
ENGINE_INCLUDES = (*KERNEL_INCLUDES, f"-I{_SOURCE}")
COMMON_FLAGS = ("-std=c++17", "-fPIC", "-fno-exceptions", "-fno-rtti")
ENGINE_FLAGS = (
    *COMMON_FLAGS,
    "-O3",
    "-march=native",
    "-fno-semantic-interposition",
    # No one reads floating-point traps or errno: without them more loops become vector code, and
    # results stay the same.
    "-fno-trapping-math",
    "-fno-math-errno",
)
# Products and sums are fused in the matrix product only: other results are the same everywhere.
CONTRACTED_SOURCES = frozenset({"matmul.cpp"})
# As the device's own build: clean under -Wall, with the same exceptions. A 32-bit L1 address is a
# host pointer here.
KERNEL_FLAGS = (
    *COMMON_FLAGS,
    "-std=c++20",  # for the device compiler's own extensions of C++17
    "-O1",
    "-g1",  # lines, for findings at plain loads and stores
    "-shared",
    "-fvisibility=hidden",  # templates of one name differ between kernels
    "-Wall",
    "-Werror",
    "-Wno-error=deprecated-declarations",
    "-Wno-error=parentheses",
    "-Wno-error=unused-but-set-variable",
    "-Wno-unused-variable",
    "-Wno-unused-function",
    "-Wno-int-to-pointer-cast",
    "-Wno-volatile",
    "-Wno-deprecated-volatile",
    "-Wno-unknown-warning-option",
)
_ENTRY = '__attribute__((visibility("default"))) void kernel_main()'
_INCLUDE_LINE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
# Standard headers that every kernel sees, by tt_mock/common.h, and one that many include: they take
# more than half of a kernel's compilation, so they are compiled beforehand.
_ALWAYS_INCLUDED = ("array", "cstddef", "cstdint", "cstring", "string_view", "utility")
_OFTEN_INCLUDED = ("algorithm",)
# The calls that a thread sanitizer would take are the engine's, see src/raw_access.cpp; its library
# must not be linked.
_GCC_ACCESS_FLAGS = (
    "-fsanitize=thread",
    "-nodefaultlibs",
    "--param=tsan-instrument-func-entry-exit=0",
)
_CLANG_ACCESS_FLAGS = (
    "-Xclang",
    "-fsanitize=thread",
    "-mllvm",
    "-tsan-instrument-func-entry-exit=0",
)
_LINK_FLAGS = ("-shared", "-nodefaultlibs")
_CANDIDATES = ("g++", "clang++", "c++")


@dataclass(frozen=True)
class Compiler:
    """A command that compiles C++, and the text that tells one version of it from another."""

    command: tuple[str, ...]
    identity: str

    @property
    def is_clang(self) -> bool:
        return "clang" in self.identity

    @property
    def access_flags(self) -> tuple[str, ...]:
        """Make the compiler call the engine at each plain load and store of a kernel."""
        return _CLANG_ACCESS_FLAGS if self.is_clang else _GCC_ACCESS_FLAGS


def find_compiler() -> Compiler:
    """The compiler named by CXX, else g++ or clang++, else the `ziglang` wheel's."""
    return _identify(_command())


def cache_folder() -> Path:
    """Where engine and kernels are kept, created if it is not there."""
    configured = os.environ.get("TILELANG_TT_CACHE_DIR")
    folder = Path(configured) if configured else Path.home() / ".cache" / "tilelang_tt" / "mock"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True)
class KernelSource:
    """What decides a kernel's machine code."""

    name: str
    source: str
    defines: tuple[tuple[str, str], ...]
    include_dirs: tuple[str, ...] = ()


def build_engine(compiler: Compiler) -> Path:
    """The engine's shared library, from the cache or compiled now."""
    key = _engine_key(compiler)
    library = cache_folder() / f"engine-{key}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
            _compile_engine(compiler, Path(work), library)
    return library


def build_kernels(compiler: Compiler, engine: Path, kernels: Sequence[KernelSource]) -> list[Path]:
    """One shared library per kernel, compiled at the same time where the cache has none."""
    libraries = [cache_folder() / f"kernel-{_kernel_key(engine, kernel)}.so" for kernel in kernels]
    missing = {
        library: kernel
        for library, kernel in zip(libraries, kernels, strict=True)
        if not library.exists()
    }
    if missing:
        with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
            _compile_kernels(compiler, engine, Path(work), missing)
    return libraries


def _command() -> tuple[str, ...]:
    configured = os.environ.get("CXX")
    if configured:
        command = tuple(shlex.split(configured))
        if shutil.which(command[0]) is None:
            raise MissingCompiler(f"CXX names {configured!r}, which cannot be run")
        return command
    for name in _CANDIDATES:
        if shutil.which(name) is not None:
            return (name,)
    if importlib.util.find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang", "c++")
    raise MissingCompiler(
        "the mock compiles kernels for this machine and found no C++ compiler: install the "
        "Debian package g++ or clang, or run `pip install ziglang`"
    )


@functools.cache
def _identify(command: tuple[str, ...]) -> Compiler:
    result = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise MissingCompiler(f"{shlex.join(command)} --version fails:\n{result.stderr}")
    return Compiler(command, shlex.join(command) + "\n" + result.stdout)


@functools.cache
def _processor() -> str:
    """What -march=native depends on, so that a shared cache folder serves different machines."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return platform.machine() + features


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:24]


@functools.cache
def _sources_text() -> tuple[str, ...]:
    files = sorted([*_INCLUDE.rglob("*.h"), *_SOURCE.iterdir()])
    return tuple(f"{file.relative_to(_ROOT)}\n{file.read_text()}" for file in files)


@functools.cache
def _engine_key(compiler: Compiler) -> str:
    flags = [*ENGINE_FLAGS, *_extra_flags()]
    return _digest([compiler.identity, _processor(), *flags, *_sources_text()])


def _kernel_key(engine: Path, kernel: KernelSource) -> str:
    defines = [f"{name}={value}" for name, value in kernel.defines]
    included = _included(kernel.source, kernel.include_dirs) if kernel.include_dirs else []
    text = [engine.name, kernel.name, kernel.source, *included]
    return _digest([*text, *KERNEL_FLAGS, *defines])


def _included(source: str, include_dirs: tuple[str, ...]) -> list[str]:
    """The text of every header of those folders that a source includes, directly or not."""
    texts: list[str] = []
    seen: set[Path] = set()
    waiting: list[tuple[str, tuple[Path, ...]]] = [(source, tuple(map(Path, include_dirs)))]
    while waiting:
        text, folders = waiting.pop()
        for name in _INCLUDE_LINE.findall(text):
            found = next((folder / name for folder in folders if (folder / name).is_file()), None)
            if found is not None and found not in seen:
                seen.add(found)
                texts.append(found.read_text(encoding="utf-8"))
                waiting.append((texts[-1], (found.parent, *folders)))
    return texts


def _compile_engine(compiler: Compiler, work: Path, library: Path) -> None:
    sources = sorted(_SOURCE.glob("*.cpp"))
    objects = [work / f"{source.stem}.o" for source in sources]
    commands = [
        [*compiler.command, *_engine_flags(source), "-c", str(source), "-o", str(object_)]
        for source, object_ in zip(sources, objects, strict=True)
    ]
    # As many at a time as there are processors: each takes some hundred megabytes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(lambda command: _finish("the engine", _start(command)), commands)
        title = "building the mock's engine, once"
        for _ in tqdm(done, title, len(commands), leave=False, disable=None, unit="file"):
            pass
    built = work / library.name
    link = [
        *_extra_flags(),
        "-shared",
        f"-Wl,-soname,{library.name}",
        "-Wl,-Bsymbolic",
        "-o",
        str(built),
    ]
    _finish("the engine", _start([*compiler.command, *map(str, objects), *link]))
    os.replace(built, library)


def _engine_flags(source: Path) -> list[str]:
    contract = "fast" if source.name in CONTRACTED_SOURCES else "off"
    return [*ENGINE_FLAGS, *ENGINE_INCLUDES, *_extra_flags(), f"-ffp-contract={contract}"]


def _extra_flags() -> list[str]:
    """Of the engine alone, for sanitizers and profilers."""
    return shlex.split(os.environ.get("TILELANG_TT_ENGINE_FLAGS", ""))


def _compile_kernels(
    compiler: Compiler, engine: Path, work: Path, missing: dict[Path, KernelSource]
) -> None:
    running = [
        (library, kernel, _start_kernel(compiler, engine, work, library, kernel))
        for library, kernel in missing.items()
    ]
    failures: list[KernelCompileError] = []
    for library, kernel, process in running:
        _, output = process.communicate()
        if process.returncode == 0:
            os.replace(work / library.name, library)
        else:
            failures.append(KernelCompileError(kernel.name, output))
    if failures:
        raise failures[0]


def _prelude(compiler: Compiler, source: str) -> list[str]:
    """Options that take the standard headers of a kernel from the cache, compiled once.

    Nothing for clang, which checks the time stamps of all files that its result was made of.
    """
    if compiler.is_clang:
        return []
    included = _INCLUDE_LINE.findall(source)
    headers = [*_ALWAYS_INCLUDED, *(name for name in _OFTEN_INCLUDED if name in included)]
    text = "".join(f"#include <{name}>\n" for name in headers)
    flags = [flag for flag in (*KERNEL_FLAGS, *compiler.access_flags) if flag not in _LINK_FLAGS]
    key = _digest([compiler.identity, *flags, text])
    header = cache_folder() / f"prelude-{key}.h"
    compiled = header.with_name(header.name + ".gch")  # where gcc looks for it
    if not compiled.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
            plain, made = Path(work) / "prelude.h", Path(work) / "prelude.h.gch"
            plain.write_text(text)
            command = [*compiler.command, *flags, "-x", "c++-header", str(plain), "-o", str(made)]
            _finish("the kernels' standard headers", _start(command))
            os.replace(plain, header)
            os.replace(made, compiled)
    return ["-include", str(header)]


def _start_kernel(
    compiler: Compiler, engine: Path, work: Path, library: Path, kernel: KernelSource
) -> subprocess.Popen[str]:
    source = work / f"{library.stem}.cpp"
    # The line directive makes messages and __builtin_FILE() name the kernel as its author does.
    source.write_text(f'{_ENTRY};\n#line 1 "{kernel.name}"\n{kernel.source}')
    defines = [f"-D{name}={value}" for name, value in kernel.defines]
    output = ["-o", str(work / library.name), str(source), str(engine)]
    # Warnings are for the kernel; other people's headers are taken as they are.
    folders = [word for folder in kernel.include_dirs for word in ("-isystem", folder)]
    flags = [*KERNEL_FLAGS, *KERNEL_INCLUDES, *compiler.access_flags, *folders, *defines]
    flags += _prelude(compiler, kernel.source)
    return _start([*compiler.command, *flags, *output, "-lc"])


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finish(what: str, process: subprocess.Popen[str]) -> None:
    _, output = process.communicate()
    if process.returncode != 0:
        raise MissingCompiler(f"the C++ compiler cannot build {what}:\n{output}")
