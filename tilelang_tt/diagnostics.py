"""Every error a user of the compiler can cause, declared once: code, text and hint.

Raise a subclass of `Diagnostic`; never a bare `ValueError` in a pass or in codegen. A bug in the
compiler itself is an `assert`, so that the two can be told apart by type. `docs/errors.md` is
generated from the classes here.
"""

from __future__ import annotations

from typing import ClassVar

import tvm_ffi
from tilelang.ir import get_stmt_span
from tvm import tirx
from typing_extensions import Self


class Diagnostic(Exception):
    """Base of all errors; `code` is stable and documented in docs/errors.md."""

    code: ClassVar[str] = ""
    message: ClassVar[str] = ""
    hint: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        tvm_ffi.register_error(cls.__name__, cls)  # keeps the type across TVM's FFI

    @classmethod
    def because(cls, **values: object) -> Self:
        """Fill in the message and the hint."""
        lines = [f"{cls.code}: {cls.message.format(**values)}"]
        if cls.hint:
            lines.append(f"  hint: {cls.hint.format(**values)}")
        return cls("\n".join(lines))


class CompileError(Diagnostic):
    """The program cannot be compiled; names the construct and, where it is known, the user's
    line."""

    @classmethod
    def at(cls, stmt: tirx.Stmt | None, **values: object) -> Self:
        """Fill in the message; end with the `-->` line that TileLang turns into a source
        snippet."""
        return cls.at_place(place_of(stmt), **values)

    @classmethod
    def at_place(cls, place: str, **values: object) -> Self:
        """As `at`, of what `place_of` gave."""
        error = cls.because(**values)
        return cls(f"{error}\n  --> {place}") if place else error


def place_of(stmt: tirx.Stmt | None) -> str:
    """File, line and column of a statement; empty where they are not known."""
    if stmt is None or (span := get_stmt_span(stmt)) is None:
        return ""
    return f"{span.source_name.name}:{span.line}:{span.column}"


class OptionError(Diagnostic, ValueError):
    """A target option is wrong."""


class LaunchError(Diagnostic, ValueError):
    """The compiled kernel cannot run with these arguments, or on this machine."""


# 1xxx: constructs that have no lowering. ----------------------------------------------------------


class UnsupportedTileOp(CompileError):
    code = "TT1001"
    message = "{op} has no lowering for Tensix"
    hint = "express it with T.copy, T.gemm, T.transpose, T.fill and T.Parallel loops"


class UnsupportedReduction(CompileError):
    code = "TT1002"
    message = "{op} is not supported yet"
    hint = (
        "sums and extrema over one dimension of a block, T.cumsum, T.cummax of vectors and "
        "reducers compile; compute others elsewhere"
    )


class UnsupportedAtomic(CompileError):
    code = "TT1003"
    message = "{op} is not supported yet"
    hint = (
        "T.atomic_add compiles where its value is not used and nothing else is done to the tensor; "
        "else give every block an output region of its own and join the regions outside the kernel"
    )


class UnsupportedAsync(CompileError):
    code = "TT1004"
    message = "{op} is explicit synchronisation, which has no lowering for Tensix"
    hint = "use T.copy; the compiler inserts the synchronisation that circular buffers need"


class UnsupportedGemmForm(CompileError):
    code = "TT1005"
    message = "{op} is specific to another accelerator"
    hint = "use T.gemm with operands in shared memory or fragments"


class UnsupportedStatement(CompileError):
    code = "TT1006"
    message = "a {kind} statement has no lowering"
    hint = (
        "only T.serial, T.Pipelined and T.Parallel loops, tile operations and element-wise "
        "assignments compile"
    )


class UnsupportedExpression(CompileError):
    code = "TT1007"
    message = "{expr} has no lowering in an element-wise assignment of {dtype}"
    hint = "supported on floating-point tiles: {supported}"


class UnsupportedScope(CompileError):
    code = "TT1008"
    message = "buffer {buffer!r} has scope {scope!r}, which has no counterpart on Tensix"
    hint = "use T.alloc_shared or T.alloc_fragment"


class UnsupportedDtype(CompileError):
    code = "TT1009"
    message = "{what} has dtype {dtype}, {reason}"
    hint = "{instead}"


class UnsupportedIndex(CompileError):
    code = "TT1010"
    message = "{access} is not a tile-by-tile access of the loops over {loops}"
    hint = (
        "index the last two dimensions by the two innermost loop variables, in that order; a "
        "1-D buffer by the innermost"
    )


class ThreadIndexUsed(CompileError):
    code = "TT1011"
    message = "the program uses a thread index; a Tensix core has no SIMT threads"
    hint = "write the loop with T.Parallel"


class MisplacedCode(CompileError):
    code = "TT1012"
    message = "{what}; a function is T.Kernel regions, one after the other"
    hint = "write it inside a T.Kernel, or in Python around the call of the compiled kernel"


class UnsupportedParameter(CompileError):
    code = "TT1013"
    message = "parameter {name!r} is {kind}, which cannot be passed to a Tensix kernel"
    hint = "pass contiguous tensors, 32-bit integers and float32 scalars"


class UnsupportedSemantics(CompileError):
    code = "TT1014"
    message = "{what} changes what the program computes and is not supported yet"
    hint = "remove it, or compute the same with T.Parallel"


class ExternCode(CompileError):
    code = "TT1015"
    message = "{op} calls code that is not TileLang"
    hint = "write it in TileLang"


class DataDependent(CompileError):
    code = "TT1016"
    message = "{what} depends on the value of {buffer!r}"
    hint = (
        "loops, branches and regions may depend on block and loop variables, scalar parameters, and"
        " single elements of int32, int8, uint8 and bool tensors in DRAM"
    )


class BadDirective(CompileError):
    code = "TT1017"
    message = "directives.{directive} got {got}"
    hint = "it takes {expected}"


# 2xxx: regions and shapes. ------------------------------------------------------------------------


class RaggedRegion(CompileError):
    code = "TT2001"
    message = "the {extents} region of {buffer!r} is not a whole number of 32x32 tiles"
    hint = "make both block sizes multiples of 32"


class SymbolicRegion(CompileError):
    code = "TT2002"
    message = "the extent {extent} of {buffer!r} is not known at compile time"
    hint = (
        "block sizes must be Python integers; only tensor shapes and loop counts may be T.dynamic"
    )


class MisalignedRegion(CompileError):
    code = "TT2003"
    message = "the region of {buffer!r} starts at {offset}, which is not provably a multiple of 32"
    hint = (
        "offset blocks by multiples of 32; of an offset in a tensor say that it is one, "
        "T.assume(starts[i] % 32 == 0)"
    )


class RegionMismatch(CompileError):
    code = "TT2005"
    message = "a region of {src_extents} elements is copied to one of {dst_extents}"
    hint = "the extents that are not 1 must agree, in order"


class GemmShapeMismatch(CompileError):
    code = "TT2007"
    message = "T.gemm of {a} and {b} into {c} does not fit M={m}, N={n}, K={k}"


class UntiledDimension(CompileError):
    code = "TT2008"
    message = (
        "{buffer!r} takes its elements from axes {wanted} of tensor {tensor!r}, of which other "
        "blocks take theirs from axes {known}"
    )
    hint = (
        "a tensor is tiled in one pair of axes: pass a second, transposed tensor for these blocks"
    )


class GemmDtypeMismatch(CompileError):
    code = "TT2009"
    message = "T.gemm multiplies {a} by {b}"
    hint = "convert one operand, so that both have the same dtype"


class PartialTileWrite(CompileError):
    code = "TT2010"
    message = "a part of a tile of {buffer!r} is written, and other elements share that tile"
    hint = (
        "write multiples of 32 rows and columns, or up to the end of the tensor; of a number in a "
        "tensor say that it is a multiple, T.assume(sizes[i] % 32 == 0)"
    )


# 3xxx: the flow of data between statements. -------------------------------------------------------


class ReadBeforeWrite(CompileError):
    code = "TT3001"
    message = "{buffer!r} is read here before anything is written to it in this block"
    hint = "initialise it with T.clear, T.fill or T.copy"


class OutputReadBack(CompileError):
    code = "TT3004"
    message = "tensor {buffer!r} is both read and written"
    hint = "blocks run at the same time on different cores: write to another tensor"


class OverlappingIterations(CompileError):
    code = "TT3005"
    message = "the iterations of this loop depend on each other through {buffer!r}"
    hint = "read and write the same element in each iteration"


class UnwrittenOutput(CompileError):
    code = "TT3006"
    message = "the program writes no tensor"


class UnsetSum(CompileError):
    code = "TT3007"
    message = "T.atomic_add adds to {buffer!r}, to which nothing has given a value"
    hint = (
        "pass a tensor that is zeroed, or holds what is to be added to, instead of having it "
        "allocated (out_idx, T.empty, T.alloc_global); or write it in an earlier T.Kernel"
    )


# 4xxx: resources. ---------------------------------------------------------------------------------


class TooManyCircularBuffers(CompileError):
    code = "TT4001"
    message = "the program needs {needed} circular buffers, {arch} has {available}: {names}"
    hint = "use fewer on-chip buffers, or fuse element-wise statements"


class L1Overflow(CompileError):
    code = "TT4002"
    message = (
        "the circular buffers take {needed} bytes of the {available} a core of {arch} has\n{table}"
    )
    hint = "make the blocks smaller, or lower num_stages"


class DstOverflow(CompileError):
    code = "TT4003"
    message = (
        "one tile of this expression needs {needed} destination registers, {available} are there"
    )
    hint = "split the expression into two statements"


class PrecisionUnavailable(CompileError):
    code = "TT4004"
    message = "{what} needs 32-bit destination registers, but fp32_acc is False"
    hint = "leave the fp32_acc option out"


class DepthTooSmall(CompileError):
    code = "TT4005"
    message = (
        "circular buffer {buffer!r} cannot be {depth} deep: {statement} makes a block of it while "
        "it still needs the one before, and would wait for itself"
    )
    hint = "ask for {least} blocks or more, or leave the depth to the compiler"


class DirectiveRefused(CompileError):
    code = "TT4006"
    message = "{directive} cannot be done: {why}"
    hint = "{instead}"


class TooManySemaphores(CompileError):
    code = "TT4007"
    message = "the program needs {needed} semaphores, a core of {arch} has {available}: {names}"
    hint = "set the option multicast to False, or add to fewer tensors in one T.Kernel"


class UnfitSubblock(CompileError):
    code = "TT4008"
    message = "the option subblock says {subblock}, but {why}"
    hint = (
        "choose one that divides the product's result and fits, keep the block from being cut by "
        "cut=False, or leave the option out"
    )


class SumOutsideRegisters(CompileError):
    code = "TT4009"
    message = (
        "the sum in {buffer!r} cannot stay in the destination registers, as accumulate='dst' says: "
        "{why}"
    )
    hint = "make the block smaller or the loop simpler, or leave the option accumulate out"


# 5xxx: target options. ----------------------------------------------------------------------------


class UnknownOption(OptionError):
    code = "TT5001"
    message = "unknown option {name!r} of the tenstorrent target"
    hint = "known options: {known}"


class BadOption(OptionError):
    code = "TT5002"
    message = "{value!r} is no value for the option {name!r} of the tenstorrent target"
    hint = "{expected}"


class GridTooLarge(OptionError):
    code = "TT5003"
    message = "a grid of {grid} cores does not fit {arch}, which has {limit}"


class UnknownBuffer(OptionError):
    code = "TT5004"
    message = "the option depths names {name!r}, and the program has no such circular buffer"
    hint = "it has {known}"


# 6xxx: launching. ---------------------------------------------------------------------------------


class NoTtnn(LaunchError):
    code = "TT6002"
    message = "execution on a card or a simulator needs the ttnn package: {why}"
    hint = (
        "install ttnn in this Python (3.10 or 3.12), or set TILELANG_TT_TTNN_PYTHON to a Python "
        "that has it; the option execution='mock' needs neither"
    )


class TtnnFailed(LaunchError):
    code = "TT6003"
    message = "the ttnn program ended with exit status {status}\n{output}"


class NoTtnnFormat(LaunchError):
    code = "TT6005"
    message = "circular buffer {buffer!r} is {dtype}, which ttnn's Python API cannot describe"
    hint = "use bfloat16 or float32, or launch the C++ host program"


class ArgumentMismatch(LaunchError):
    code = "TT6006"
    message = "kernel {kernel!r} got {what}; it takes {expected}"


class BadArtifact(LaunchError):
    code = "TT6004"
    message = "{path} is no artifact of this version: {why}"
    hint = "save the kernel again with tilelang_tt.save"


class NotProfiled(LaunchError):
    code = "TT6007"
    message = "the call launched nothing on the mock"
    hint = 'compile the kernel with execution "mock" and give arguments that make it do something'


class SeveralPrograms(LaunchError):
    code = "TT6008"
    message = "the kernel is {count} programs that run one after the other, one for each T.Kernel"
    hint = "tilelang_tt.workload gives them all"


class NoMatplotlib(LaunchError):
    code = "TT6009"
    message = "plots need matplotlib: {why}"
    hint = 'install it, or this package with its extra: pip install "tilelang_tt[plot]"'


# 9xxx: code generation. ---------------------------------------------------------------------------


class UnprintableStmt(CompileError):
    code = "TT9001"
    message = "no C++ is defined for {kind}"


class UnprintableExpr(CompileError):
    code = "TT9002"
    message = "no C++ is defined for the {kind} in {expr}"


class BrokenStage(CompileError):
    code = "TT9003"
    message = "after {pass_name} the IR is not in stage {stage}: {why}"
    hint = "this is a fault of the compiler, not of the program; please report it"


def catalogue() -> list[type[Diagnostic]]:
    """All diagnostics with a code, in order of their codes."""
    pending, found = [Diagnostic], []
    while pending:
        cls = pending.pop()
        pending.extend(cls.__subclasses__())
        if cls.code:
            found.append(cls)
    return sorted(found, key=lambda cls: cls.code)
