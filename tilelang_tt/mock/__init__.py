"""An embedded mock of the Metalium API: runs unchanged kernel C++ on the host, strictly."""

from tilelang_tt.mock.errors import (
    AssertionFailure,
    Blocked,
    CircularBufferState,
    DeadlockError,
    Finding,
    KernelCompileError,
    MissingCompiler,
    MockError,
    Place,
    ProgramError,
    RunError,
    UndefinedBehavior,
    Unsupported,
)
from tilelang_tt.mock.executable import Executable, KernelReport, Report
from tilelang_tt.mock.program import Buffer, CircularBuffer, Kernel, Program, allocate

__all__ = [
    "AssertionFailure",
    "Blocked",
    "Buffer",
    "CircularBuffer",
    "CircularBufferState",
    "DeadlockError",
    "Executable",
    "Finding",
    "Kernel",
    "KernelCompileError",
    "KernelReport",
    "MissingCompiler",
    "MockError",
    "Place",
    "Program",
    "ProgramError",
    "Report",
    "RunError",
    "UndefinedBehavior",
    "Unsupported",
    "allocate",
]
