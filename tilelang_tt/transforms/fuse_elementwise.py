"""Compute element-wise values where they are used instead of storing them in between.

A value in a buffer costs a circular buffer, a pack and an unpack. One that a single later
element-wise statement of the same sequence uses is substituted into it; a buffer that only copies
another is replaced by it.

    before:  C_l[i, j] = A_s[i, j] + B_s[i, j]       after:   C_s[i, j] = A_s[i, j] + B_s[i, j]
             C_s[i, j] = C_l[i, j]

A conversion to a narrower float that was only there because of the buffer in between disappears
with it, so a fused value is at least as precise as the program asks for. Fusion stops before an
expression needs more destination registers than there are. Statements whose value nobody uses are
removed.

Needs:    `RenameVersions`.
Leaves:   fewer buffers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import access
from tilelang_tt.analysis.expression import slots_needed
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, is_global, leaf, map_loads, rebuffered


@dataclass(frozen=True)
class FuseElementwise:
    """See the module docstring.

    `dst_tiles` is the number of destination registers an expression may use.
    """

    dst_tiles: int
    name: str = "tt.FuseElementwise"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        while (simpler := self._once(func)) is not None:
            func = simpler
        return func

    def _once(self, func: tirx.PrimFunc) -> tirx.PrimFunc | None:
        """The function with one statement fewer, None where nothing is left to do."""
        frame = Frame.of(func)
        uses = Counter(
            read
            for _, view in access.leaves(frame.body)
            for read in set(access.reads(view))
            if not read.same_as(access.writes(view))  # an accumulator is no use of itself
        )
        changed = False

        def simplify(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            nonlocal changed
            if changed:
                return stmts
            for position in range(len(stmts)):
                simpler = self._simplify(stmts, position, uses, frame.body)
                if simpler is not None:
                    changed = True
                    return simpler
            return stmts

        body = tree.rewrite_sequences(frame.body, simplify)
        if not changed:
            return None
        used = {
            buffer
            for _, view in access.leaves(body)
            for buffer in (*access.reads(view), access.writes(view))
        }
        return frame.build(
            body=body, buffers=[buffer for buffer in frame.buffers if buffer in used]
        )

    def _simplify(
        self, stmts: list[tirx.Stmt], position: int, uses: Counter[tirx.Buffer], body: tirx.Stmt
    ) -> list[tirx.Stmt] | None:
        view = leaf(stmts[position])
        if view is None or is_global(dst := access.writes(view)):
            return None
        rest = [*stmts[:position], *stmts[position + 1 :]]
        if uses[dst] == 0:
            return rest or [tirx.Evaluate(0)]
        if not isinstance(view, Elementwise) or _writers(body, dst) != 1:
            return None
        if (source := _copied_buffer(view)) is not None and not access.is_written(
            tree.sequence(stmts[position:]), source
        ):
            renamed = [_with_source(stmt, dst, source) for stmt in stmts[position + 1 :]]
            if sum(access.is_read(stmt, dst) for stmt in renamed) == 0 and renamed:
                return [*stmts[:position], *renamed]
        return self._fuse(stmts, position, view) if uses[dst] == 1 else None

    def _fuse(
        self, stmts: list[tirx.Stmt], position: int, producer: Elementwise
    ) -> list[tirx.Stmt] | None:
        """Substitute the producer into its consumer.

        A consumer that only moves the value is explained by the producer. Nothing that the producer
        reads may be written in between.
        """
        for later in range(position + 1, len(stmts)):
            consumer = leaf(stmts[later])
            if isinstance(consumer, Elementwise) and access.is_read(stmts[later], producer.dst):
                fused = _substituted(consumer, producer)
                if fused is None or slots_needed(fused.store.value, stmts[later]) > self.dst_tiles:
                    return None
                if _changes_between(stmts[position + 1 : later], producer, fused):
                    return None
                is_move = isinstance(_uncast(consumer.store.value), tirx.BufferLoad)
                stmt = tree.located(fused.stmt(), stmts[position if is_move else later])
                return [*stmts[:position], *stmts[position + 1 : later], stmt, *stmts[later + 1 :]]
        return None


def _writers(body: tirx.Stmt, buffer: tirx.Buffer) -> int:
    return sum(buffer.same_as(access.writes(view)) for _, view in access.leaves(body))


def _copied_buffer(nest: Elementwise) -> tirx.Buffer | None:
    """The buffer of the same shape and dtype that the nest copies element by element."""
    value = nest.store.value
    if not isinstance(value, tirx.BufferLoad) or value.dtype != nest.dst.dtype:
        return None
    is_same = same_all(value.indices, nest.store.indices) and same_all(
        value.buffer.shape, nest.dst.shape
    )
    return value.buffer if is_same and not is_global(value.buffer) else None


def _with_source(stmt: tirx.Stmt, old: tirx.Buffer, new: tirx.Buffer) -> tirx.Stmt:
    view = leaf(stmt)
    if view is None:
        return tree.map_bodies(stmt, lambda child: _with_source(child, old, new))
    if not any(old.same_as(read) for read in access.reads(view)):
        return stmt
    return tree.located(rebuffered(view, lambda b: new if b.same_as(old) else b, lambda b: b), stmt)


def _substituted(consumer: Elementwise, producer: Elementwise) -> Elementwise | None:
    loads = [load for load in consumer.loads if load.buffer.same_as(producer.dst)]
    if any(isinstance(index, tirx.FloorMod) for load in loads for index in load.indices):
        return None  # a part, which would be computed for the whole of the consumer
    if len(loads) > 1 and not isinstance(_uncast(producer.store.value), tirx.BufferLoad):
        return None

    def replace(load: tirx.BufferLoad) -> tirx.PrimExpr | None:
        if not load.buffer.same_as(producer.dst):
            return None
        axes = iter(producer.loops)
        places = {
            next(axes).loop_var: index
            for index, at in zip(load.indices, producer.store.indices, strict=True)
            if isinstance(at, tirx.Var)
        }
        return substitute(producer.store.value, places)

    value = map_loads(consumer.store.value, replace)
    return Elementwise(
        consumer.loops, tirx.BufferStore(consumer.dst, value, consumer.store.indices)
    )


def _changes_between(between: list[tirx.Stmt], producer: Elementwise, fused: Elementwise) -> bool:
    """Whether what the producer reads is another value where the fused statement reads it."""
    if any(access.is_written(tree.sequence(between), load.buffer) for load in producer.loads):
        return True
    return any(
        load.buffer.same_as(fused.dst) and not same_all(load.indices, fused.store.indices)
        for load in fused.loads
    )


def _uncast(value: tirx.PrimExpr) -> tirx.PrimExpr:
    return _uncast(value.value) if isinstance(value, tirx.Cast) else value
