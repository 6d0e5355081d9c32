"""TVMScript with the tile operations and the `tt.*` operations in it, so that printed IR parses.

TVM's script printer writes `T.copy(...)` and `T.cb_push_back(...)`; its parser knows neither. `T`
here resolves a name that TVM's own namespace lacks to the registered operation of that name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from tvm import ir, tirx
from tvm.script import from_source
from tvm.script import tirx as tirx_script

from tilelang_tt.ir import ops

_RESULTS = {name: op.result for name, op in ops.BY_NAME.items()}


class _Dialect:
    def __getattr__(self, name: str) -> object:
        found = _operation(name)
        if found is None and hasattr(tirx_script, name):
            return getattr(tirx_script, name)
        if found is None:
            raise AttributeError(f"no TVMScript name or operation is called {name!r}")
        return found


@functools.cache
def _operation(name: str) -> Callable[..., tirx.Call] | None:
    registered = set(ir.Op.list_op_names())
    for prefix in ("tl.tileop.", "tl.", "tt."):
        qualified = prefix + name
        if qualified in registered and not (prefix == "tl." and hasattr(tirx_script, name)):
            op = ir.Op.get(qualified)
            result = _RESULTS.get(qualified, "handle")
            return lambda *args: tirx.call_intrin(result, op, *args)
    return None


T = _Dialect()


def parse(text: str) -> tirx.PrimFunc:
    """Read what `func.script()` printed."""
    return from_source(text, extra_vars={"T": T})


def normal(func: tirx.PrimFunc) -> tirx.PrimFunc:
    """`func` printed and parsed.

    Two functions are compared in this form, as the parser types some literals anew.
    """
    return parse(func.script())
