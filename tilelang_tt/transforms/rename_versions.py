"""Give every value of an on-chip buffer a buffer of its own.

A TileLang buffer is storage that may hold one value after another; a circular buffer carries one
value from a producer to its consumers. After this pass a buffer is written once, or written and
then accumulated into, before it is read.

    before:  T.gemm(A_s, B_s, C_l, clear_accum=True)
             for i, j in T.Parallel(64, 64):
                 C_l[i, j] = C_l[i, j] + D[i, j]

    after:   T.gemm(A_s, B_s, C_l, clear_accum=True)
             for i, j in T.Parallel(64, 64):
                 C_l_1[i, j] = C_l[i, j] + D[i, j]

A value is visible in the loop or branch that defines it and in those inside. Whatever would need a
value from another iteration, or from a branch that may not have run, is refused.

Needs:    `StageTransfers`.
Leaves:   buffers in the form above; statements that cover their whole destination.
Errors:   TT2006, TT3001, TT3002, TT3003, TT3004.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import access
from tilelang_tt.diagnostics import (
    CarriedState,
    OutputReadBack,
    PartialBuffer,
    ReadBeforeWrite,
    ValueEscapesScope,
)
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import (
    Copy,
    Elementwise,
    Gemm,
    Leaf,
    Region,
    Transpose,
    is_global,
    leaf,
    rebuffered,
)
from tilelang_tt.transforms.buffers import fresh_buffer

Path = tuple[tirx.Stmt, ...]
"""The loops and branches around a statement, outermost first."""


class RenameVersions:
    """See the module docstring."""

    name = "tt.RenameVersions"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        _check_outputs(frame)
        renaming = _Renaming()
        body = renaming.visit(frame.body, ())
        return frame.build(body=body, buffers=renaming.created)


@dataclass
class _Version:
    """A value: the buffer that holds it, where it is visible, and how it has been used so far."""

    buffer: tirx.Buffer
    scope: Path
    reads: list[Path] = field(default_factory=list)
    updates: list[Path] = field(default_factory=list)


@dataclass
class _Renaming:
    current: dict[tirx.Buffer, _Version | None] = field(default_factory=dict)
    created: list[tirx.Buffer] = field(default_factory=list)

    def visit(self, stmt: tirx.Stmt, path: Path) -> tirx.Stmt:
        view = leaf(stmt)
        if view is not None:
            return tree.located(self._leaf(view, stmt, path), stmt)
        if isinstance(stmt, tirx.For):
            return tree.with_body(stmt, self._scope(stmt.body, (*path, stmt)))
        if isinstance(stmt, tirx.IfThenElse):
            return self._branches(stmt, path)
        return tree.map_bodies(stmt, lambda child: self.visit(child, path))

    def _branches(self, stmt: tirx.IfThenElse, path: Path) -> tirx.Stmt:
        """Visit each branch from the same start; what differs at the ends is not visible after."""
        start = dict(self.current)
        ends: list[dict[tirx.Buffer, _Version | None]] = []

        def visit(branch: tirx.Stmt) -> tirx.Stmt:
            self.current = dict(start)
            new = self._scope(branch, (*path, branch))
            ends.append(self.current)
            return new

        new = tree.map_bodies(stmt, visit)
        known = {buffer for end in ends for buffer in end}
        self.current = {
            buffer: start.get(buffer)
            if all(end.get(buffer) is start.get(buffer) for end in ends)
            else None
            for buffer in known
        }
        return new

    def _scope(self, body: tirx.Stmt, path: Path) -> tirx.Stmt:
        """Visit a loop body or a branch; what it defines is not visible after it."""
        new = self.visit(body, path)
        for buffer, version in self.current.items():
            if version is not None and len(version.scope) >= len(path):
                self.current[buffer] = None
        return new

    def _leaf(self, view: Leaf, stmt: tirx.Stmt, path: Path) -> tirx.Stmt:
        _check_whole(view, stmt)
        dst = access.writes(view)
        accumulates = isinstance(view, Gemm) and not _defines(view, path)
        sources = {
            buffer: self._read(buffer, stmt, path)
            for buffer in access.reads(view)
            if not is_global(buffer) and not (isinstance(view, Gemm) and buffer.same_as(dst))
        }
        if is_global(dst):
            target = dst
        elif accumulates:
            target = self._update(dst, stmt, path)
        else:
            target = self._define(dst, _scope_of(view, path), stmt)
            if isinstance(view, Gemm) and not view.always_clears:  # later iterations accumulate
                self._visible(dst, stmt).updates.append(path)
        return rebuffered(view, lambda buffer: sources.get(buffer, buffer), lambda _: target)

    def _read(self, buffer: tirx.Buffer, stmt: tirx.Stmt, path: Path) -> tirx.Buffer:
        version = self._visible(buffer, stmt)
        for loop in _inner_loops(path, version.scope):
            if any(loop in update for update in version.updates):
                raise CarriedState.at(stmt, buffer=buffer.name, loop=loop.loop_var.name)
        version.reads.append(path)
        return version.buffer

    def _update(self, buffer: tirx.Buffer, stmt: tirx.Stmt, path: Path) -> tirx.Buffer:
        version = self._visible(buffer, stmt)
        if version.reads:
            loops = _inner_loops(path, ()) or [None]
            name = "the program" if loops[-1] is None else loops[-1].loop_var.name
            raise CarriedState.at(stmt, buffer=buffer.name, loop=name)
        version.updates.append(path)
        return version.buffer

    def _visible(self, buffer: tirx.Buffer, stmt: tirx.Stmt) -> _Version:
        if buffer not in self.current:
            raise ReadBeforeWrite.at(stmt, buffer=buffer.name)
        version = self.current[buffer]
        if version is None:
            raise ValueEscapesScope.at(stmt, buffer=buffer.name)
        return version

    def _define(self, buffer: tirx.Buffer, scope: Path, stmt: tirx.Stmt) -> tirx.Buffer:
        old = self.current.get(buffer)
        if old is not None:
            for loop in _inner_loops(scope, old.scope):
                if any(loop in read for read in old.reads):
                    raise CarriedState.at(stmt, buffer=buffer.name, loop=loop.loop_var.name)
        new = self._fresh(buffer)
        self.current[buffer] = _Version(new, scope)
        return new

    def _fresh(self, buffer: tirx.Buffer) -> tirx.Buffer:
        is_first = all(created.name != buffer.name for created in self.created)
        new = buffer if is_first else fresh_buffer(buffer.name, buffer, self.created)
        self.created.append(new)
        return new


def _check_outputs(frame: Frame) -> None:
    views = access.leaves(frame.body)
    written = [access.writes(view) for _, view in views]
    for stmt, view in views:
        for buffer in access.reads(view):
            if is_global(buffer) and any(buffer.same_as(out) for out in written):
                raise OutputReadBack.at(stmt, buffer=buffer.name)


def _check_whole(view: Leaf, stmt: tirx.Stmt) -> None:
    regions: list[Region] = []
    match view:
        case Copy() | Transpose():
            regions = [view.src, view.dst]
        case Gemm():
            regions = [view.a, view.b, view.c]
        case Elementwise():
            if not view.covers_dst:
                raise PartialBuffer.at(stmt, buffer=view.dst.name)
    for region in regions:
        if not is_global(region.buffer) and not region.is_whole:
            raise PartialBuffer.at(stmt, buffer=region.buffer.name)


def _defines(gemm: Gemm, path: Path) -> bool:
    """Whether the first run of the gemm in some loop around it clears its accumulator."""
    if gemm.never_clears:
        return False
    first = {loop.loop_var: loop.min for loop in _inner_loops(path, ())}
    return bool(arith.Analyzer().can_prove(substitute(gemm.clear, first)))


def _scope_of(view: Leaf, path: Path) -> Path:
    """Where the value that the statement defines is visible.

    Outside of the loops that its clearing depends on.
    """
    if not isinstance(view, Gemm):
        return path
    used = tree.collect(view.clear, tirx.Var)
    for depth, stmt in enumerate(path):
        if isinstance(stmt, tirx.For) and any(stmt.loop_var.same_as(var) for var in used):
            return path[:depth]
    return path


def _inner_loops(path: Path, scope: Path) -> list[tirx.For]:
    return [stmt for stmt in path[len(scope) :] if isinstance(stmt, tirx.For)]
