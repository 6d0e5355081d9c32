"""A reference interpreter of TileLang's tile IR in numpy, with a bound on the error of a device.

`run(func, arguments)` executes a front-end function; `bounded.compare` compares a device's result
with what it leaves.
"""

import tilelang_tt  # noqa: F401  puts TileLang's own TVM on the import path
from testing.reference.bounded import Agreement, Bounded, compare
from testing.reference.interpreter import run

__all__ = ["Agreement", "Bounded", "compare", "run"]
