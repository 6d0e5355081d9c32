"""An embedded mock of the Metalium API: runs unchanged kernel C++ on the host, strictly."""

from tilelang_tt.mock.advice import Advice, BarrierReport
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
from tilelang_tt.mock.executable import Executable
from tilelang_tt.mock.program import Buffer, CircularBuffer, Kernel, Program, allocate
from tilelang_tt.mock.report import (
    BankReport,
    CircularBufferReport,
    CoreReport,
    EngineReport,
    Interval,
    KernelReport,
    LinkReport,
    Report,
)
from tilelang_tt.mock.roofline import Roofline, roofline
from tilelang_tt.mock.timing import Timing

__all__ = [
    "Advice",
    "AssertionFailure",
    "BankReport",
    "BarrierReport",
    "Blocked",
    "Buffer",
    "CircularBuffer",
    "CircularBufferReport",
    "CircularBufferState",
    "CoreReport",
    "DeadlockError",
    "EngineReport",
    "Executable",
    "Finding",
    "Interval",
    "Kernel",
    "KernelCompileError",
    "KernelReport",
    "LinkReport",
    "MissingCompiler",
    "MockError",
    "Place",
    "Program",
    "ProgramError",
    "Report",
    "Roofline",
    "RunError",
    "Timing",
    "UndefinedBehavior",
    "Unsupported",
    "allocate",
    "roofline",
]
