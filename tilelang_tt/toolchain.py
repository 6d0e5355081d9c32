"""The C++ compiler of this machine, for the host functions that TileLang compiles.

TileLang looks for a system compiler by name and fails obscurely without one. Where there is none
but the ziglang wheel, that becomes the compiler, of TileLang and of the mock alike.
"""

from __future__ import annotations

import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

from tvm.contrib import cc

from tilelang_tt.mock.compiler import cache_folder
from tilelang_tt.mock.errors import MissingCompiler

_WRAPPER = """\
#!/bin/sh
exec "{python}" -m ziglang c++ "$@"
"""


def require() -> None:
    """Make sure that TileLang finds a compiler.

    Raises:
        MissingCompiler: there is none, and no ziglang wheel.
    """
    if cc.get_cc() is not None:
        return
    if find_spec("ziglang") is None:
        raise MissingCompiler(
            "kernels need a C++ compiler for their host side and for the mock, and none was found: "
            "install the Debian package g++ or clang, or run `pip install ziglang`"
        )
    compiler = str(_zig_wrapper(cache_folder()))
    os.environ["CXX"] = compiler
    # TVM remembers what compiler it saw when it was imported, and that was none.
    cc.create_shared.get_target_triple = cc.get_target_by_dump_machine(compiler)


def _zig_wrapper(folder: Path) -> Path:
    """A script that is a compiler by itself, as TileLang wants it; written whole or not at all."""
    path = folder / f"zig-c++-{sys.version_info.major}.{sys.version_info.minor}"
    text = _WRAPPER.format(python=sys.executable)
    if not path.exists() or path.read_text() != text:
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(text)
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR)
        draft.replace(path)
    return path
