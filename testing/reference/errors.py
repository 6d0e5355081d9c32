"""What the reference raises instead of guessing."""

from __future__ import annotations


class InterpretationError(Exception):
    """Base of all errors of the reference."""


class UnknownConstruct(InterpretationError):
    """The reference has no meaning for a node of the program; the text names it."""


class Unbound(InterpretationError):
    """A variable is used that has no value here, such as a thread index."""


class UncertainControl(InterpretationError):
    """A branch, a loop or an index depends on a value that the device may see differently."""


class OutsideBuffer(InterpretationError):
    """An on-chip buffer is read or written outside of its shape."""


class Race(InterpretationError):
    """Iterations of a parallel loop write different values to one element."""
