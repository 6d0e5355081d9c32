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

Directives say it of one buffer. A value that the program wants fused is computed in every place
that uses it, loops included, if all of them are element-wise and what it is made of is the same
there; one that it wants separate stays.

Needs:    `RenameVersions`.
Leaves:   fewer buffers.
Errors:   TT4006.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import access
from tilelang_tt.analysis.expression import slots_needed
from tilelang_tt.diagnostics import DirectiveRefused
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import Directive
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Leaf, is_global, leaf, map_loads, rebuffered


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
        self._check_directives(Frame.of(func))
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
                simpler = self._simplify(stmts, position, uses, frame)
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
        self, stmts: list[tirx.Stmt], position: int, uses: Counter[tirx.Buffer], frame: Frame
    ) -> list[tirx.Stmt] | None:
        view = leaf(stmts[position])
        if view is None or is_global(dst := access.writes(view)):
            return None
        rest = [*stmts[:position], *stmts[position + 1 :]]
        if uses[dst] == 0:
            return rest or [tirx.Evaluate(0)]
        wishes = attrs.of_buffers(frame.func, attrs.FUSE, attrs.SEPARATE)
        wish = wishes[dst.name].kind if dst.name in wishes else None
        if wish == attrs.SEPARATE or not _is_made_by(view, frame.body):
            return None
        assert isinstance(view, Elementwise), view
        if (source := _copied_buffer(view)) is not None and not access.is_written(
            tree.sequence(stmts[position:]), source
        ):
            renamed = [_with_source(stmt, dst, source) for stmt in stmts[position + 1 :]]
            if sum(access.is_read(stmt, dst) for stmt in renamed) == 0 and renamed:
                return [*stmts[:position], *renamed]
        if wish == attrs.FUSE:
            everywhere = self._fuse_everywhere(stmts, position, view, uses[dst])
            return None if isinstance(everywhere, str) else everywhere
        return self._fuse(stmts, position, view) if uses[dst] == 1 else None

    def _fuse_everywhere(
        self, stmts: list[tirx.Stmt], position: int, producer: Elementwise, uses: int
    ) -> list[tirx.Stmt] | str:
        """Substitute the producer into all its consumers, or say why that cannot be done."""
        obstacles: list[str] = []
        seen = 0

        def substituted(stmt: tirx.Stmt, before: tirx.Stmt) -> tirx.Stmt:
            """`stmt`, which runs after the producer and `before`."""
            nonlocal seen
            consumer = leaf(stmt)
            if consumer is None:
                # What a loop or branch changes, it may have changed before it uses the value.
                inner = tree.sequence([before, stmt])
                return tree.map_bodies(stmt, lambda body: substituted(body, inner))
            if not any(producer.dst.same_as(read) for read in access.reads(consumer)):
                return stmt
            seen += 1
            fused = self._fused_there(stmt, consumer, producer, before)
            if isinstance(fused, str):
                obstacles.append(fused)
                return stmt
            return fused

        rest = stmts[position + 1 :]
        new = [substituted(stmt, tree.sequence(rest[:at])) for at, stmt in enumerate(rest)]
        if seen < uses:
            obstacles.append("it is used outside of the loop or branch that makes it")
        return obstacles[0] if obstacles else [*stmts[:position], *new]

    def _fused_there(
        self, stmt: tirx.Stmt, consumer: Leaf, producer: Elementwise, before: tirx.Stmt
    ) -> tirx.Stmt | str:
        """A consumer that computes the producer's value after `before`, or why it cannot."""
        here = tree.where(stmt)
        fused = _computed_in(consumer, producer) if isinstance(consumer, Elementwise) else None
        if fused is None:
            return f"{here} needs it stored, as it does not use it element by element"
        for load in producer.loads:
            if access.is_written(before, load.buffer):
                return f"{load.buffer.name!r}, of which it is made, changes before {here}"
        if _reads_moved(fused):
            return f"{here} replaces {fused.dst.name!r}, of which it is made"
        if (needed := slots_needed(fused.store.value, stmt)) > self.dst_tiles:
            return f"{here} would need {needed} destination registers of {self.dst_tiles}"
        return tree.located(fused.stmt(), stmt)

    def _check_directives(self, frame: Frame) -> None:
        """What is to be fused is gone, what is to be kept is there."""
        left = {buffer.name: buffer for buffer in frame.buffers}
        for name, directive in attrs.of_buffers(frame.func, attrs.FUSE, attrs.SEPARATE).items():
            if directive.kind == attrs.SEPARATE and name not in left:
                raise _refused(directive, f"there is no statement left that uses {name!r}")
            if directive.kind == attrs.FUSE and name in left:
                raise _refused(directive, self._obstacle(left[name], frame.body))

    def _obstacle(self, buffer: tirx.Buffer, body: tirx.Stmt) -> str:
        """Why a value is still stored that is to be fused."""
        makers = [stmt for stmt, view in access.leaves(body) if buffer.same_as(access.writes(view))]
        view = leaf(makers[0])
        if not isinstance(view, Elementwise):
            return f"{tree.where(makers[0])}, which makes it, is not element-wise"
        if len(makers) > 1:
            return f"{tree.where(makers[0])} and {tree.where(makers[1])} both write {buffer.name!r}"
        why = ""

        def explain(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            nonlocal why
            for position, stmt in enumerate(stmts):
                if stmt.same_as(makers[0]):
                    uses = sum(access.is_read(one, buffer) for one, _ in access.leaves(body))
                    found = self._fuse_everywhere(stmts, position, view, uses)
                    assert isinstance(found, str), buffer
                    why = found
            return stmts

        tree.rewrite_sequences(body, explain)
        return why

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


def _refused(directive: Directive, why: str) -> DirectiveRefused:
    return DirectiveRefused.at_place(
        directive.place,
        directive=directive.text,
        why=why,
        instead="leave it out: values are fused where one element-wise statement uses them",
    )


def _is_made_by(view: Leaf, body: tirx.Stmt) -> bool:
    """Whether a nest alone makes what it writes."""
    return isinstance(view, Elementwise) and _writers(body, view.dst) == 1


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
    if len(loads) > 1 and not isinstance(_uncast(producer.store.value), tirx.BufferLoad):
        return None
    return _computed_in(consumer, producer)


def _computed_in(consumer: Elementwise, producer: Elementwise) -> Elementwise | None:
    """The consumer, which computes what it reads of the producer."""
    loads = [load for load in consumer.loads if load.buffer.same_as(producer.dst)]
    if any(isinstance(index, tirx.FloorMod) for load in loads for index in load.indices):
        return None  # a part, which would be computed for the whole of the consumer

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
    return _reads_moved(fused)


def _reads_moved(fused: Elementwise) -> bool:
    """Whether the statement reads elements of what it replaces at other places."""
    return any(
        load.buffer.same_as(fused.dst) and not same_all(load.indices, fused.store.indices)
        for load in fused.loads
    )


def _uncast(value: tirx.PrimExpr) -> tirx.PrimExpr:
    return _uncast(value.value) if isinstance(value, tirx.Cast) else value
