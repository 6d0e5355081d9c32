"""Give a name to every number that the program reads from memory and that steers it.

A branch, a loop, the place of a block: what decides them may stand in a tensor. Such a number is
read where it is first known, and is to all later passes an unknown one that varies with certain
loops.

    before:  for k in range(8):                      after:   for k in range(8):
                 if Mask[by, bx, k]:                              m: T.int32 = Mask[by, bx, k]
                     T.copy(A[by * 64, k * 64], A_s)              if T.scalar(m, by, bx, k) != 0:
                                                                      T.copy(A[...], A_s)

It is read before the loops that it does not vary with, where these certainly run, or where it
certainly is an element of the tensor; that also takes it out of branches.

Variables of integers that are computed of such numbers alone are numbers as well. Each kernel
computes them, with the loops and branches around.

    before:  cur = T.alloc_var("int32")              after:   cur[0] = 0
             cur = 0                                          for i in range(4):
             for i in range(4):                                   s: T.int32 = Starts[i]
                 if bx * 64 >= Starts[i]:                         if bx * 64 >= T.scalar(s, i):
                     cur = i                                          cur[0] = i
             T.copy(B[cur, 0, 0], B_s)                        c: T.int32 = cur[0]
                                                              T.copy(B[T.scalar(c, bx), ...], B_s)

A block of integers that was only copied to the chip is read where it came from. What
`T.assume(Starts[i] % 32 == 0)` says of an element is known of the number.

Needs:    `InlineBindings`, and TileLang's `MaterializeKernelLaunch`.
Leaves:   no loads of tensors or of such variables in control, regions and indices, but in bindings.
Errors:   TT3004.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tvm import ir, tirx
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt.analysis import ranges, scalars
from tilelang_tt.diagnostics import OutputReadBack
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import SCALAR, Frame
from tilelang_tt.ir.tileops import Copy, Region, is_global, leaf
from tilelang_tt.transforms.inline_bindings import is_variable

_ADDRESSES = ("tl.region", "tl.access_ptr")
_WRITE = 2  # the bit of an address that is written


class BindScalars:
    """See the module docstring."""

    name = "tt.BindScalars"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        variables = _Stores(frame).variables()
        walk = _Walk(frame, variables)
        walk.sequence(frame.body)
        body = _without_copies(tree.sequence(walk.levels[0].stmts), walk.forwarded)
        kept = [each for each in frame.buffers if each not in variables]
        kept = [each for each in kept if each not in walk.forwarded or _is_used(body, each)]
        new = [variable.buffer for variable in variables.values()]
        return frame.build(body=body, buffers=kept, scalars=[*frame.scalars, *new])


@dataclass
class _Variable:
    """A variable that steers the program: the buffer that replaces it, and the variables of loops
    that its value may vary with."""

    buffer: tirx.Buffer
    varies: set[tirx.Var] = field(default_factory=set)


@dataclass(frozen=True)
class _Store:
    """A store in a variable, and the loops and branches around it."""

    stmt: tirx.BufferStore
    around: tuple[tirx.Stmt, ...]

    @property
    def is_serial(self) -> bool:
        loops = [stmt for stmt in self.around if isinstance(stmt, tirx.For)]
        return all(loop.kind != tirx.ForKind.PARALLEL for loop in loops)

    @property
    def exprs(self) -> list[tirx.PrimExpr]:
        """All that decides what is stored, and whether."""
        found = [self.stmt.value]
        for stmt in self.around:
            found += [stmt.condition] if isinstance(stmt, tirx.IfThenElse) else []
            found += [stmt.loop_var, stmt.min, stmt.extent] if isinstance(stmt, tirx.For) else []
        return found


class _Stores:
    """What is stored in the variables of a block."""

    def __init__(self, frame: Frame) -> None:
        variables = [buffer for buffer in frame.buffers if is_variable(buffer)]
        self.of: dict[tirx.Buffer, list[_Store]] = {buffer: [] for buffer in variables}
        self.bound: dict[tirx.Var, tirx.PrimExpr] = {}
        self._visit(frame.body, ())

    def _visit(self, stmt: tirx.Stmt, around: tuple[tirx.Stmt, ...]) -> None:
        match stmt:
            case tirx.Bind():
                self.bound[stmt.var] = stmt.value
            case tirx.BufferStore() if stmt.buffer in self.of:
                self.of[stmt.buffer].append(_Store(stmt, around))
            case tirx.Evaluate():
                for load in _addresses(stmt):
                    self.of.pop(load.buffer, None)  # a block of one element
        tree.map_bodies(stmt, lambda inner: (self._visit(inner, (*around, stmt)), inner)[1])

    def numbers(self) -> list[tirx.Buffer]:
        """The variables that are computed of numbers alone."""
        found = [buffer for buffer, stores in self.of.items() if stores]
        while True:
            fewer = [buffer for buffer in found if self._is_computed(buffer, found)]
            if len(fewer) == len(found):
                return found
            found = fewer

    def _is_computed(self, buffer: tirx.Buffer, numbers: list[tirx.Buffer]) -> bool:
        is_serial = all(store.is_serial for store in self.of[buffer])
        return is_serial and all(
            load.buffer in numbers if not is_global(load.buffer) else load.dtype in scalars.DTYPES
            for load in self._loads(buffer)
        )

    def variables(self) -> dict[tirx.Buffer, _Variable]:
        found = {
            buffer: _Variable(
                tirx.decl_buffer([1], "int32", buffer.name, scope=SCALAR),
                {var for expr in self._exprs(buffer) for var in tree.collect(expr, tirx.Var)},
            )
            for buffer in self.numbers()
        }
        for _ in found:  # what a variable varies with goes on to those that are computed of it
            for buffer, variable in found.items():
                used = [load.buffer for load in self._loads(buffer)]
                variable.varies |= {v for each in used if each in found for v in found[each].varies}
        return found

    def _exprs(self, buffer: tirx.Buffer) -> list[tirx.PrimExpr]:
        """What decides the value of a variable, with what is bound to the names in it."""
        pending = [expr for store in self.of[buffer] for expr in store.exprs]
        found: list[tirx.PrimExpr] = []
        while pending:
            expr = pending.pop()
            found.append(expr)
            named = [self.bound.get(var) for var in tree.collect(expr, tirx.Var)]
            pending += [value for value in named if value is not None]
        return found

    def _loads(self, buffer: tirx.Buffer) -> list[tirx.BufferLoad]:
        return [load for e in self._exprs(buffer) for load in tree.collect(e, tirx.BufferLoad)]


def _addresses(stmt: tirx.Stmt, writes: bool = False) -> list[tirx.BufferLoad]:
    """Where the regions and pointers inside begin, of those that are written if `writes`."""
    calls = [call for call in tree.collect(stmt, tirx.Call) if _is_address(call)]
    return [call.args[0] for call in calls if not writes or _is_written(call)]


def _is_address(call: tirx.Call) -> bool:
    return isinstance(call.op, ir.Op) and call.op.name in _ADDRESSES


def _is_written(call: tirx.Call) -> bool:
    access = call.args[1] if call.op.name == "tl.region" else call.args[-1]
    return bool(int(access) & _WRITE)


@dataclass
class _Level:
    """A sequence that is being made, and the loop or branch it is the body of."""

    opener: tirx.Stmt | None
    stmts: list[tirx.Stmt] = field(default_factory=list)
    known: list[tuple[tirx.BufferLoad, tirx.PrimExpr]] = field(default_factory=list)
    bound: set[tirx.Var] = field(default_factory=set)
    copies: dict[tirx.Buffer, Copy] = field(default_factory=dict)
    multiples: list[tuple[tirx.BufferLoad, int]] = field(default_factory=list)


class _Walk:
    """Makes the new body, level by level."""

    def __init__(self, frame: Frame, variables: dict[tirx.Buffer, _Variable]) -> None:
        self.variables = variables
        self.analyzer = ranges.analyzer_of(frame.func)
        self.grid = [loop.loop_var for loop in frame.loops]
        self.levels: list[_Level] = [_Level(None)]
        self.values: dict[tirx.Var, tirx.PrimExpr] = {}
        self.forwarded: set[tirx.Buffer] = set()
        self.defined = scalars.used(frame.body)
        self.written = {load.buffer for load in _addresses(frame.body, writes=True)}
        self.written |= {store.buffer for store in tree.collect(frame.body, tirx.BufferStore)}
        self.once = _copied_once(frame.body)
        self.stmt: tirx.Stmt = frame.body  # whose numbers are being bound

    # Statements. ----------------------------------------------------------------------------------

    def sequence(self, stmt: tirx.Stmt) -> None:
        for child in tree.statements(stmt):
            self.stmt = child
            new = self._visit(child)
            self.levels[-1].stmts += [] if new is None else [tree.located(new, child)]

    def _visit(self, stmt: tirx.Stmt) -> tirx.Stmt | None:
        match stmt:
            case tirx.Bind() if stmt.var in self.defined:
                return stmt
            case tirx.Bind():
                self.values[stmt.var] = self._number(stmt.value)
                return None
            case tirx.For() if stmt.kind != tirx.ForKind.PARALLEL:
                return self._loop(stmt)
            case tirx.IfThenElse() if not is_of_elements(stmt) or self._stores_in(stmt):
                condition = self._number(stmt.condition)
                then = self._inside(stmt, stmt.then_case)
                other = None if stmt.else_case is None else self._inside(stmt, stmt.else_case)
                return tirx.IfThenElse(condition, then, other)
            case tirx.BufferStore() if stmt.buffer in self.variables:
                return self._store(stmt)
            case tirx.AttrStmt():
                return tree.with_body(stmt, self._inside(stmt, stmt.body))
            case tirx.Evaluate():
                return self._evaluate(stmt)
        return self._elements(stmt)

    def _loop(self, loop: tirx.For) -> tirx.Stmt:
        begin, extent = self._number(loop.min), self._number(loop.extent)
        self._forget(self._stores_in(loop))
        body = self._inside(loop, loop.body)
        return tirx.For(
            loop.loop_var, begin, extent, loop.kind, body, loop.thread_binding, loop.annotations
        )

    def _inside(self, opener: tirx.Stmt, body: tirx.Stmt) -> tirx.Stmt:
        self.levels.append(_Level(opener))
        self.sequence(body)
        return tree.sequence(self.levels.pop().stmts)

    def _store(self, store: tirx.BufferStore) -> tirx.Stmt:
        value = self._value_of_variables(store.value)
        value = value if value.dtype == "int32" else tirx.Cast("int32", value)
        self._forget({store.buffer})
        own = self.variables[store.buffer].buffer
        return tirx.BufferStore(own, value, [tirx.const(0, "int32")])

    def _forget(self, stored: set[tirx.Buffer]) -> None:
        """What these variables were is no longer what they are."""
        for level in self.levels:
            level.known = [
                (load, number) for load, number in level.known if load.buffer not in stored
            ]

    def _stores_in(self, stmt: tirx.Stmt) -> set[tirx.Buffer]:
        stores = tree.collect(stmt, tirx.BufferStore)
        return {store.buffer for store in stores if store.buffer in self.variables}

    def _evaluate(self, stmt: tirx.Evaluate) -> tirx.Stmt | None:
        if (promise := _multiple(stmt)) is not None:
            load, factor = promise
            indices = [self._number(index) for index in load.indices]
            self.levels[-1].multiples.append((tirx.BufferLoad(load.buffer, indices), factor))
            return None
        copy = leaf(stmt)
        if isinstance(copy, Copy) and copy.dst.buffer in self.once and not self._stores_in(stmt):
            mins = [self._number(low) for low in copy.src.mins]
            source = Region(copy.src.buffer, tuple(mins), copy.src.extents)
            self.levels[-1].copies[copy.dst.buffer] = Copy(source, copy.dst)
        return tirx.Evaluate(self._number(stmt.value))

    def _elements(self, stmt: tirx.Stmt) -> tirx.Stmt:
        """A nest over elements: numbers are what says where they are, and what is made of numbers;
        all else is data."""
        values = {bind.var: bind.value for bind in tree.collect(stmt, tirx.Bind)}
        if values:
            stmt = ir_transform(stmt, None, lambda _: tirx.Evaluate(0), ["tirx.Bind"])
            for var, value in values.items():
                values[var] = substitute(value, values)
            stmt = substitute(stmt, values)
        inner = frozenset(loop.loop_var for loop in tree.collect(stmt, tirx.For))

        def place(node: tirx.BufferLoad | tirx.BufferStore) -> object:
            indices = [self._number(index, inner) for index in node.indices]
            if isinstance(node, tirx.BufferStore):
                value = self._with(node.value, place, inner)
                return tree.located(tirx.BufferStore(node.buffer, value, indices), node)
            return self._element(node, indices, inner)

        kinds = ["tirx.BufferLoad", "tirx.BufferStore"]
        return ir_transform(self._named(stmt), place, None, kinds)

    def _with(
        self, expr: tirx.PrimExpr, place: object, inner: frozenset[tirx.Var]
    ) -> tirx.PrimExpr:
        return ir_transform(tirx.Evaluate(expr), place, None, ["tirx.BufferLoad"]).value

    def _element(
        self, load: tirx.BufferLoad, indices: list[tirx.PrimExpr], inner: frozenset[tirx.Var]
    ) -> tirx.PrimExpr:
        is_steered = load.buffer in self.variables or any(map(scalars.used, indices))
        if is_steered and (number := self._of(load, indices, inner)) is not None:
            return number
        return tirx.BufferLoad(load.buffer, indices)

    # Numbers. -------------------------------------------------------------------------------------

    def _named(self, node: tirx.Stmt) -> tirx.Stmt:
        return substitute(node, self.values) if self.values else node

    def _number(
        self, expr: tirx.PrimExpr, inner: frozenset[tirx.Var] = frozenset()
    ) -> tirx.PrimExpr:
        """The expression with a name for each number that it loads; `inner` are the variables of
        the elements that it is computed for."""

        def place(node: tirx.PrimExpr) -> tirx.PrimExpr | None:
            if isinstance(node, tirx.Call):
                return self._address(node, inner) if _is_address(node) else None
            indices = [self._number(index, inner) for index in node.indices]
            number = self._of(node, indices, inner)
            return tirx.BufferLoad(node.buffer, indices) if number is None else number

        stmt = self._named(tirx.Evaluate(expr))
        return ir_transform(stmt, place, None, ["tirx.BufferLoad", "tirx.Call"]).value

    def _address(self, call: tirx.Call, inner: frozenset[tirx.Var]) -> tirx.Call:
        load, *rest = call.args
        begin = tirx.BufferLoad(load.buffer, [self._number(at, inner) for at in load.indices])
        return tirx.Call(call.dtype, call.op, [begin, *rest])

    def _value_of_variables(self, expr: tirx.PrimExpr) -> tirx.PrimExpr:
        """The value of a variable, which may be computed of variables as they are."""

        def place(load: tirx.BufferLoad) -> tirx.PrimExpr | None:
            if load.buffer not in self.variables:
                return self._number(load)
            return _typed(tirx.BufferLoad(self.variables[load.buffer].buffer, [0]), load.dtype)

        stmt = self._named(tirx.Evaluate(expr))
        return ir_transform(stmt, place, None, ["tirx.BufferLoad"]).value

    def _of(
        self, load: tirx.BufferLoad, indices: list[tirx.PrimExpr], inner: frozenset[tirx.Var]
    ) -> tirx.PrimExpr | None:
        """The number that is loaded; None where it is no number that is known here."""
        if any(var in inner for index in indices for var in tree.collect(index, tirx.Var)):
            return None
        if load.buffer in self.variables:
            own = self.variables[load.buffer]
            read = tirx.BufferLoad(own.buffer, [tirx.const(0, "int32")])
            return self._bound(load.buffer, load, read, own.varies)
        if (source := self._source(load.buffer)) is not None:
            at = list(source.src.mins)
            for axis, dim in _paired(source):
                at[axis] = at[axis] + indices[dim]
            self.forwarded.add(load.buffer)
            return self._of(tirx.BufferLoad(source.src.buffer, at), at, inner)
        if not is_global(load.buffer) or load.dtype not in scalars.DTYPES:
            return None
        if any(tree.collect(index, tirx.BufferLoad) for index in indices):
            return None
        if load.buffer in self.written:
            raise OutputReadBack.at(self.stmt, buffer=load.buffer.name)
        varies = {var for index in indices for var in tree.collect(index, tirx.Var)}
        read = tirx.BufferLoad(load.buffer, indices)
        return self._bound(load.buffer, read, read, varies)

    def _source(self, buffer: tirx.Buffer) -> Copy | None:
        found = [level.copies[buffer] for level in self.levels if buffer in level.copies]
        return found[-1] if found else None

    def _bound(
        self,
        buffer: tirx.Buffer,
        key: tirx.BufferLoad,
        read: tirx.BufferLoad,
        varies: Iterable[tirx.Var],
    ) -> tirx.PrimExpr:
        """The number that `read` gives, bound where it is first known."""
        key = tirx.BufferLoad(buffer, key.indices)
        for level in self.levels:
            for known, number in level.known:
                if known.buffer.same_as(buffer) and same_all(known.indices, key.indices):
                    return number
        factor, promised = self._factor(key)
        at = len(self.levels) - 1
        while at > promised and self._is_known_before(self.levels[at], key):
            at -= 1
        level = self.levels[at]
        openers = [each.opener for each in self.levels[: at + 1] if each.opener is not None]
        loops = [opener for opener in openers if isinstance(opener, tirx.For)]
        around = [*self.grid, *(loop.loop_var for loop in loops)]
        variables = set(varies)
        name = tirx.Var(f"{buffer.name}_value", "int32")
        use = scalars.use(name, [var for var in around if var in variables])
        value = read if read.dtype == "int32" else tirx.Cast("int32", read)
        if factor != 1:
            value, use = tirx.floordiv(value, factor), use * factor
        level.stmts.insert(self._first(level, key), tree.located(tirx.Bind(name, value), self.stmt))
        level.bound.add(name)
        number = _typed(use, read.dtype if is_global(buffer) else buffer.dtype)
        level.known.append((key, number))
        return number

    def _first(self, level: _Level, load: tirx.BufferLoad) -> int:
        """The first place in the sequence where a number can be read."""
        names = {name for index in load.indices for name in scalars.used(index)}
        variable = self.variables.get(load.buffer)

        def comes_before(stmt: tirx.Stmt) -> bool:
            if isinstance(stmt, tirx.Bind):
                return stmt.var in names
            stores = tree.collect(stmt, tirx.BufferStore)
            return variable is not None and any(
                variable.buffer.same_as(store.buffer) for store in stores
            )

        return 1 + max(
            (at for at, stmt in enumerate(level.stmts) if comes_before(stmt)), default=-1
        )

    def _is_known_before(self, level: _Level, load: tirx.BufferLoad) -> bool:
        """Whether a number that is read in the sequence may be read before what the sequence is
        the body of."""
        opener = level.opener
        assert opener is not None, load
        if any(scalars.used(index) & level.bound for index in load.indices):
            return False
        if load.buffer in self.variables:
            return load.buffer not in self._stores_in(opener)
        if self._is_inside(load):
            is_safe = True
        else:
            is_safe = isinstance(opener, tirx.AttrStmt) or (
                isinstance(opener, tirx.For) and self.analyzer.can_prove(opener.extent >= 1)
            )
        varies = [var for index in load.indices for var in tree.collect(index, tirx.Var)]
        return is_safe and not (isinstance(opener, tirx.For) and opener.loop_var in varies)

    def _is_inside(self, load: tirx.BufferLoad) -> bool:
        """Whether the tensor certainly has the element."""
        return all(
            self.analyzer.can_prove(index >= 0) and self.analyzer.can_prove(index < extent)
            for index, extent in zip(load.indices, load.buffer.shape, strict=True)
        )

    def _factor(self, load: tirx.BufferLoad) -> tuple[int, int]:
        """What the element is known to be a multiple of, and from which level on."""
        return max(
            [
                (factor, at)
                for at, level in enumerate(self.levels)
                for known, factor in level.multiples
                if known.buffer.same_as(load.buffer) and same_all(known.indices, load.indices)
            ],
            default=(1, 0),
        )


def _typed(number: tirx.PrimExpr, dtype: str) -> tirx.PrimExpr:
    """An int32 as a value of `dtype`."""
    if dtype == "bool":
        return tirx.NE(number, tirx.const(0, "int32"))
    return number if dtype == "int32" else tirx.Cast(dtype, number)


def _multiple(stmt: tirx.Evaluate) -> tuple[tirx.BufferLoad, int] | None:
    """The element of a tensor that an assumption says to be a multiple of something."""
    call = stmt.value
    if not isinstance(call, tirx.Call) or call.op.name != "tirx.assume":
        return None
    match call.args[0]:
        case tirx.EQ(
            a=tirx.FloorMod(a=tirx.BufferLoad() as load, b=tirx.IntImm() as factor),
            b=tirx.IntImm(value=0),
        ) if is_global(load.buffer):
            return load, int(factor.value)
    return None


def _copied_once(body: tirx.Stmt) -> set[tirx.Buffer]:
    """The on-chip buffers of integers that one copy of a tensor fills and nothing else writes."""
    written = [load.buffer for load in _addresses(body, writes=True)]
    written += [store.buffer for store in tree.collect(body, tirx.BufferStore)]
    found: set[tirx.Buffer] = set()
    for stmt in tree.collect(body, tirx.Evaluate):
        copy = leaf(stmt)
        if not isinstance(copy, Copy) or not is_global(copy.src.buffer):
            continue
        own = copy.dst.buffer
        is_plain = copy.dst.is_whole and own.dtype == copy.src.buffer.dtype and _paired(copy)
        if is_plain and own.dtype in scalars.DTYPES and written.count(own) == 1:
            found.add(own)
    return found


def _paired(copy: Copy) -> list[tuple[int, int]]:
    """The axes of the tensor and the dimensions of the buffer that are the same; none where they
    do not pair up."""
    axes, dims = (
        [at for at, size in enumerate(region.extents) if ranges.constant(size) != 1]
        for region in (copy.src, copy.dst)
    )
    return list(zip(axes, dims, strict=True)) if len(axes) == len(dims) else []


def _without_copies(body: tirx.Stmt, buffers: set[tirx.Buffer]) -> tirx.Stmt:
    """`body` without the copies of integers of which only numbers were taken."""
    unused = {buffer for buffer in buffers if not _is_used(body, buffer)}

    def kept(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        views = [(stmt, leaf(stmt)) for stmt in stmts]
        return [s for s, v in views if not isinstance(v, Copy) or v.dst.buffer not in unused]

    return tree.rewrite_sequences(body, kept, into_nests=True) if unused else body


def _is_used(body: tirx.Stmt, buffer: tirx.Buffer) -> bool:
    """Whether anything but the copy that fills it is left of a buffer."""
    written = [load.buffer for load in _addresses(body, writes=True)]
    read = [load.buffer for load in tree.collect(body, tirx.BufferLoad)]
    return read.count(buffer) > written.count(buffer)


def is_of_elements(stmt: tirx.Stmt) -> bool:
    """Whether only assignments depend on a branch: it can be made a choice of values."""
    match stmt:
        case tirx.IfThenElse():
            cases = [stmt.then_case, stmt.else_case]
            return all(case is None or is_of_elements(case) for case in cases)
        case tirx.SeqStmt():
            return all(map(is_of_elements, stmt.seq))
    return isinstance(stmt, tirx.BufferStore)
