"""Take directives out of the program and record them, so that no other pass meets them.

    before:  T.directive("depth", A_s.data, 3)       after:   func with "tt.directives":
             for k in range(8):                                   depth 3 of A_s, split 4 of k
                 T.directive("split", k, 4)                   for k in T.serial(8, annotations=
                 T.copy(..., A_s)                                     {"tt.directives": [1]}):
                                                                  T.copy(..., A_s)

The record knows a buffer by its name, which passes keep, or change in the record; a loop has the
numbers of its directives. The pass that makes the decision obeys: `CutBlocks`, `FuseElementwise`,
`SplitLoops`, `ChoosePartition`, `PlanCircularBuffers`.

Needs:    `InlineBindings`.
Leaves:   no directives; attribute and annotations `tt.directives`.
Errors:   TT1017.
"""

from __future__ import annotations

from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.diagnostics import BadDirective, place_of
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import Directive


class TakeDirectives:
    """See the module docstring."""

    name = "tt.TakeDirectives"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        evaluated = tree.collect(func.body, tirx.Evaluate)
        marks = [stmt for stmt in evaluated if ops.definition(stmt) is ops.DIRECTIVE]
        if not marks:
            return func
        buffers, loops = _buffers(func), _loops(func)
        found: list[Directive] = []
        taken: set[tuple[str, tirx.Var]] = set()
        numbers: dict[tirx.Var, list[int]] = {}
        for stmt in marks:
            kind, of, value = stmt.value.args
            known = loops if str(kind.value) in attrs.OF_LOOPS else buffers
            target = known[of] if of in known else str(of.name)
            one = Directive(str(kind.value), target, int(value), place_of(stmt))
            _check(one, of, known)
            about = attrs.FUSE if one.kind == attrs.SEPARATE else one.kind, of
            if about in taken:
                raise _bad(one, f"{one.target} again", "each buffer and each loop once")
            taken.add(about)
            numbers.setdefault(of, []).append(len(found))
            found.append(one)
        body = ir_transform(func.body, None, _without_mark, ["tirx.Evaluate"])
        return attrs.with_directives(func.with_body(_annotated(body, numbers)), found)


Names = dict[tirx.Var, str]


def _buffers(func: tirx.PrimFunc) -> Names:
    """The names of the buffers that blocks allocate, by their data variables."""
    blocks = tree.collect(func.body, tirx.SBlock)
    return {buffer.data: buffer.name for block in blocks for buffer in block.alloc_buffers}


def _loops(func: tirx.PrimFunc) -> Names:
    return {loop.loop_var: loop.loop_var.name for loop in tree.collect(func.body, tirx.For)}


def _check(one: Directive, of: tirx.Var, known: Names) -> None:
    is_loop = one.kind in attrs.OF_LOOPS
    if of not in known:
        what = "the variable of a loop" if is_loop else "a buffer that the T.Kernel allocates"
        raise _bad(one, one.target, what)
    # Loops have the numbers of their directives; buffers are known by name.
    if not is_loop and list(known.values()).count(one.target) > 1:
        got = f"{one.target}, as several are called"
        raise _bad(one, got, "a buffer that has a name of its own")


def _bad(one: Directive, got: str, expected: str) -> BadDirective:
    return BadDirective.at_place(one.place, directive=one.kind, got=got, expected=expected)


def _without_mark(stmt: tirx.Evaluate) -> tirx.Stmt:
    return tirx.Evaluate(0) if ops.definition(stmt) is ops.DIRECTIVE else stmt


def _annotated(body: tirx.Stmt, numbers: dict[tirx.Var, list[int]]) -> tirx.Stmt:
    def annotate(loop: tirx.For) -> tirx.Stmt:
        if loop.loop_var not in numbers:
            return loop
        own = {**loop.annotations, attrs.DIRECTIVES: numbers[loop.loop_var]}
        new = tirx.For(
            loop.loop_var, loop.min, loop.extent, loop.kind, loop.body, loop.thread_binding, own
        )
        return tree.located(new, loop)

    return ir_transform(body, None, annotate, ["tirx.For"])
