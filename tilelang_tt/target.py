"""The `tenstorrent` target: user spellings to a TVM `Target`, and back to `Options`.

TVM's target kinds are fixed in C++; `ext_dev` is the one no backend owns. It carries the
architecture as `model` and the other options in `libs`, with the compiler's fingerprint, so that
all of them are part of TileLang's cache key.
"""

from __future__ import annotations

import dataclasses
import json

from tvm.target import Target

from tilelang_tt import options, version
from tilelang_tt.diagnostics import BadOption
from tilelang_tt.options import Options

KIND = "ext_dev"
KEY = "tenstorrent"


def normalize(target: object) -> Target | None:
    """TileLang's hook.

    "tenstorrent", "tenstorrent/<arch>" or a dictionary; anything else is another backend's.
    """
    if isinstance(target, str) and target.partition("/")[0] == KEY:
        arch = target.partition("/")[2]
        return make(options.parse({"arch": arch} if "/" in target else {}))
    if isinstance(target, str) and target.lstrip().startswith("{") and KEY in target:
        decoded = json.loads(target)
        return normalize(decoded) if isinstance(decoded, dict) else None
    if isinstance(target, dict) and target.get("kind") == KEY:
        return make(
            options.parse({name: value for name, value in target.items() if name != "kind"})
        )
    return None


def make(chosen: Options) -> Target:
    """The TVM target that stands for these options."""
    return Target(description(chosen))


def description(chosen: Options) -> dict[str, object]:
    """`chosen` in the form TVM's `Target` takes."""
    values = dataclasses.asdict(chosen)
    values["grid"] = "x".join(map(str, chosen.cores))
    arch = values.pop("arch")
    libs = [f"{name}={json.dumps(value)}" for name, value in sorted(values.items())]
    return {
        "kind": KIND,
        "keys": [KEY],
        "model": arch,
        "libs": [*libs, f"plugin={version.fingerprint()}"],
    }


def is_ours(target: Target) -> bool:
    return KEY in [str(key) for key in target.keys]


def options_of(target: Target) -> Options:
    """The options a target made by `make` carries."""
    if "libs" not in target.attrs or "model" not in target.attrs:
        raise BadOption.because(
            name="target", value=str(target), expected='write target="tenstorrent"'
        )
    pairs = (str(lib).partition("=") for lib in target.attrs["libs"])
    values = {name: json.loads(value) for name, _, value in pairs if name != "plugin"}
    return options.parse({"arch": str(target.attrs["model"]), **values})
