"""Names in generated C++ that neither clash with each other nor mean something to the compiler or
to Metalium."""

from __future__ import annotations

import re
from itertools import chain, count

_KEYWORDS = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t
    char32_t class compl const const_cast constexpr continue decltype default delete do double
    dynamic_cast else enum explicit export extern false float for friend goto if inline int
    long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected
    public register reinterpret_cast return short signed sizeof static static_assert
    static_cast struct switch template this thread_local throw true try typedef typeid
    typename union unsigned using virtual void volatile wchar_t while xor xor_eq main
    kernel_main ckernel noc TensorAccessor TensorAccessorArgs
    """.split()  # noqa: SIM905  a list of a hundred strings is harder to read
)
_METALIUM = re.compile(
    r"cb_.*|noc_.*|get_.*|tile_regs_.*|pack_.*|copy_.*|matmul_.*|my_[xy]|[A-Z][A-Z0-9_]*_[A-Z0-9_]*"
)


class Scope:
    """The names taken so far in a function; a nested scope sees those of its parents."""

    def __init__(self, parent: Scope | None = None) -> None:
        self._parent = parent
        self._taken: set[str] = set()

    def fresh(self, wanted: str) -> str:
        """`wanted`, made an identifier and unique, which is taken from now on."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "value"
        if base[0].isdigit() or base in _KEYWORDS or _METALIUM.fullmatch(base):
            base = f"v_{base}"
        return self.take(
            next(
                name
                for name in chain([base], (f"{base}_{i}" for i in count(1)))
                if not self._has(name)
            )
        )

    def take(self, name: str) -> str:
        """Mark a name that is known to be right as taken."""
        self._taken.add(name)
        return name

    def nested(self) -> Scope:
        return Scope(self)

    def _has(self, name: str) -> bool:
        return name in self._taken or (self._parent is not None and self._parent._has(name))
