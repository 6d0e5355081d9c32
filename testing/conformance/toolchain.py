"""The compiler that parses kernels: clang, with a C and a C++ library for riscv32.

The device's own compiler is SFPI, a GCC 15 with Tensix extensions. Clang accepts the same headers
once the few that SFPI brings are replaced (`stubs/`). It comes from the distribution where that is
complete (`clang++-N`, `libc++-N-dev`, picolibc), and otherwise from the `ziglang` wheel, which pip
installs anywhere: its `zig clang` is a plain clang, and it carries libc++ and musl's headers.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

STUBS = Path(__file__).resolve().parent / "stubs"
PICOLIBC = Path("/usr/lib/picolibc/riscv64-unknown-elf/include")
OLDEST_CLANG = 17


class ToolchainError(Exception):
    """No usable compiler."""


@dataclass(frozen=True)
class Toolchain:
    """A command that starts clang, and what every parse of a kernel with it has in common."""

    version: str
    command: tuple[str, ...]
    library_flags: tuple[str, ...]

    @property
    def language_flags(self) -> tuple[str, ...]:
        """The JIT's language, which a precompiled header and its users must share."""
        return (*_LANGUAGE, *self.library_flags)


_LANGUAGE = (
    "--target=riscv32-unknown-elf",
    "-march=rv32im",
    "-mabi=ilp32",
    # The JIT says -std=c++17 and adds SFPI's -ftt-nttp, -ftt-constinit and -ftt-consteval, for the
    # parts of C++20 in tt-metal's headers. `unit.WARNINGS` keep the rest of C++20 out of kernels.
    "-std=c++20",
    "-fno-exceptions",
    "-fno-rtti",
    "-ffast-math",
    "-fno-finite-math-only",
    "-fsigned-zeros",
    "-fno-associative-math",
    "-nostdinc++",
    # 32-bit integers are long for GCC and newlib on riscv32, int for clang.
    *(
        flag
        for name in ("INT32", "INT_LEAST32")
        for sign, ctype in (("", "long int"), ("U", "long unsigned int"))
        for flag in (f"-U__{sign}{name}_TYPE__", f"-D__{sign}{name}_TYPE__={ctype}")
    ),
)

# Found before the distribution's own, and forced because the libc++ in ziglang does not include it.
_LIBCXX_CONFIG = (
    "-isystem",
    str(STUBS / "libcxx"),
    "-include",
    str(STUBS / "libcxx/__config_site"),
)


@functools.cache
def find(choice: str = "auto") -> Toolchain:
    """The compiler called `choice`: `clang++-N`, `zig`, or `auto` for a clang if there is one."""
    if choice == "zig":
        return _zig()
    if choice != "auto":
        return _clang(choice)
    clang = _newest_complete_clang()
    return _clang(clang) if clang else _zig()


def _newest_complete_clang() -> str | None:
    """The name of the newest installed clang that has a libc++, if the C headers are there too."""
    versions = [
        int(path.name.removeprefix("llvm-")) for path in Path("/usr/lib").glob("llvm-[0-9]*")
    ]
    for version in sorted(versions, reverse=True):
        name = f"clang++-{version}"
        if version >= OLDEST_CLANG and shutil.which(name) and _libcxx(version).is_dir():
            return name if PICOLIBC.is_dir() else None
    return None


def _libcxx(version: int) -> Path:
    return Path(f"/usr/lib/llvm-{version}/include/c++/v1")


def _clang(name: str) -> Toolchain:
    match = re.fullmatch(r"clang\+\+-(\d+)", name)
    if match is None or shutil.which(name) is None:
        raise ToolchainError(f"no compiler {name!r}: give auto, zig or an installed clang++-N")
    libcxx = _libcxx(int(match[1]))
    for folder, package in (
        (libcxx, f"libc++-{match[1]}-dev"),
        (PICOLIBC, "picolibc-riscv64-unknown-elf"),
    ):
        if not folder.is_dir():
            raise ToolchainError(f"{name} needs the package {package}: there is no {folder}")
    return Toolchain(_version((name,)), (name,), (*_LIBCXX_CONFIG, *isystem(libcxx, PICOLIBC)))


def _zig() -> Toolchain:
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise ToolchainError(
            "no compiler: pip install ziglang, "
            "or install clang-N, libc++-N-dev and picolibc-riscv64-unknown-elf"
        )
    home = Path(spec.origin).parent
    libc = home / "lib/libc/include"
    command = (str(home / "zig"), "clang")
    flags = (
        "-nostdinc",
        *_LIBCXX_CONFIG,
        *isystem(home / "lib/libcxx/include", home / "lib/include", STUBS / "musl"),
        *isystem(libc / "riscv32-linux-musl", libc / "generic-musl"),
        *("-include", str(STUBS / "musl/int32.h")),
    )
    return Toolchain(_version(command), command, flags)


def isystem(*folders: Path) -> tuple[str, ...]:
    """Search `folders` for headers whose own warnings are not the kernel's fault."""
    return tuple(flag for folder in folders for flag in ("-isystem", str(folder)))


def _version(command: tuple[str, ...]) -> str:
    run = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True)
    return run.stdout.splitlines()[0]
