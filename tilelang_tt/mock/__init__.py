"""An embedded mock of the Metalium API: runs unchanged kernel C++ on the host, strictly."""

from tilelang_tt.mock.advice import Advice, BarrierReport
from tilelang_tt.mock.chip import Chip, Modes, ProgramBuilder, Tensor
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
    Print,
    ProgramError,
    RunError,
    UndefinedBehavior,
    Unsupported,
    UnsupportedKernel,
)
from tilelang_tt.mock.executable import Executable
from tilelang_tt.mock.metal2 import Names
from tilelang_tt.mock.profile import profile
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
from tilelang_tt.mock.sequence import sequence
from tilelang_tt.mock.tensors import DRAM, L1, Interleaved, Sharded, is_tiled_in_place
from tilelang_tt.mock.timing import Timing

__all__ = [
    "DRAM",
    "L1",
    "Advice",
    "AssertionFailure",
    "BankReport",
    "BarrierReport",
    "Blocked",
    "Buffer",
    "Chip",
    "CircularBuffer",
    "CircularBufferReport",
    "CircularBufferState",
    "CoreReport",
    "DeadlockError",
    "EngineReport",
    "Executable",
    "Finding",
    "Interleaved",
    "Interval",
    "Kernel",
    "KernelCompileError",
    "KernelReport",
    "LinkReport",
    "MissingCompiler",
    "MockError",
    "Modes",
    "Names",
    "Place",
    "Print",
    "Program",
    "ProgramBuilder",
    "ProgramError",
    "Report",
    "Roofline",
    "RunError",
    "Sharded",
    "Tensor",
    "Timing",
    "UndefinedBehavior",
    "Unsupported",
    "UnsupportedKernel",
    "allocate",
    "is_tiled_in_place",
    "profile",
    "roofline",
    "sequence",
]
