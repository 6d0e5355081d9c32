"""The version of the package, and a fingerprint of the code that decides what it generates."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources

__version__ = "0.1.0"

_GENERATING = ("analysis", "codegen", "data", "ir", "recurrences", "runtime", "transforms")


@functools.cache
def fingerprint() -> str:
    """Digest of every file that influences generated code; it is part of TileLang's cache key.

    The version alone would let a kernel compiled by an edited checkout be served from the cache.
    """
    digest = hashlib.sha256(__version__.encode())
    package = resources.files("tilelang_tt")
    top = [entry for entry in package.iterdir() if entry.is_file()]
    files = top + [
        entry for folder in _GENERATING for entry in (package / folder).iterdir() if entry.is_file()
    ]
    for file in sorted(files, key=lambda entry: str(entry)):
        if file.name.endswith((".py", ".toml")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
