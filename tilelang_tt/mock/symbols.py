"""From an address in a kernel's library to the kernel's line, with the compiler's own tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

_TOOLS = ("addr2line", "llvm-symbolizer", "llvm-addr2line")


def line_of(library: Path, kernel: str, offset: int) -> int | None:
    """The line of the kernel's source at an offset of its library, or None if none can be told.

    An address in an inlined function counts for the line of the kernel that calls it.
    """
    tool = next((name for name in _TOOLS if shutil.which(name)), None)
    if tool is None:
        return None
    style = ["--output-style=GNU"] if tool == "llvm-symbolizer" else []
    command = [tool, *style, "-i", "-e", str(library), hex(offset)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    pattern = re.compile(rf"(?:^|/){re.escape(kernel)}:(\d+)")
    for text in result.stdout.splitlines():
        match = pattern.search(text)
        if match and int(match.group(1)) > 0:
            return int(match.group(1))
    return None
