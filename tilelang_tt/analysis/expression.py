"""Instruction selection and register allocation for element-wise expressions.

An expression over tiles becomes a list of instructions on virtual registers (`select`), each a
`tt.*` operation; then the registers become slots of DST (`allocate`). Equal subexpressions are
computed once. A conversion between floats costs nothing: DST carries the value, and packing rounds
it.

Integers of 8 bits are computed with as int32, whose value is that of the byte. In a circular buffer
they are bytes, so loads and the result are converted.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field

from tvm import ir, tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.diagnostics import UnsupportedExpression
from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.ops import OpDef

_BINARY = {
    tirx.Add: "add",
    tirx.Sub: "sub",
    tirx.Mul: "mul",
    tirx.Div: "div",
    tirx.Max: "max",
    tirx.Min: "min",
}
_COMPARISONS = {
    tirx.EQ: "eq",
    tirx.NE: "ne",
    tirx.LT: "lt",
    tirx.LE: "le",
    tirx.GT: "gt",
    tirx.GE: "ge",
}
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_LOGICAL = {tirx.And: "mul", tirx.Or: "max"}
_COMMUTATIVE = ("add", "mul", "max", "min")
_CALLS = {
    "tirx.exp": "exp",
    "tirx.exp2": "exp2",
    "tirx.log": "log",
    "tirx.sqrt": "sqrt",
    "tirx.rsqrt": "rsqrt",
    "tirx.tanh": "tanh",
    "tirx.sigmoid": "sigmoid",
    "tirx.fabs": "abs",
    "tirx.erf": "erf",
    "tirx.floor": "floor",
    "tirx.ceil": "ceil",
    "tirx.trunc": "trunc",
    "tirx.sin": "sin",
    "tirx.cos": "cos",
    "tirx.log1p": "log1p",
}
_INT_BINARY = {
    tirx.Add: "add",
    tirx.Sub: "sub",
    tirx.Mul: "mul",
    tirx.Max: "max",
    tirx.Min: "min",
    tirx.Div: "trunc_div",
    tirx.Mod: "trunc_mod",
    tirx.FloorDiv: "floor_div",
    tirx.FloorMod: "floor_mod",
}
_INT_CALLS = {
    "tirx.bitwise_and": "and",
    "tirx.bitwise_or": "or",
    "tirx.bitwise_xor": "xor",
    "tirx.shift_left": "shift_left",
    "tirx.shift_right": "shift_right",
}
_FOLDS: dict[type, Callable[[float, float], float]] = {
    tirx.Add: operator.add,
    tirx.Sub: operator.sub,
    tirx.Mul: operator.mul,
}
_WRAPPING = (tirx.Add, tirx.Sub, tirx.Mul, tirx.Div, tirx.FloorDiv)
"""What makes numbers of two bytes that no byte holds; and a shift to the left."""
_FLOATS = ("float32", "float16", "bfloat16")
_INTEGERS = ("int32", *ops.BYTES)
SUPPORTED = (
    "+ - * / max min, comparisons, and or not, if_then_else, exp exp2 log log2 log1p sqrt rsqrt "
    "tanh sigmoid erf abs floor ceil trunc sin cos pow, constants and float32 scalars"
)


@dataclass(frozen=True)
class Operand:
    """A tile read from a circular buffer.

    `broadcast` is what of it stands for all: "row" for row 0, "column" for column 0, "scalar" for
    its first element, "" for the whole tile.
    """

    load: tirx.BufferLoad
    broadcast: str
    fpu_format: str
    """The data format in which the matrix unit reads it exactly; empty where it would lose bits."""


@dataclass(frozen=True)
class Instruction:
    """`op` on virtual registers.

    `loads` are its circular-buffer operands, `bits` a scalar, `out` its result.
    """

    op: OpDef
    out: int
    loads: tuple[tirx.BufferLoad, ...] = ()
    inputs: tuple[int, ...] = ()
    bits: tirx.PrimExpr | None = None

    @property
    def in_place(self) -> bool:
        """Whether the result replaces the only input."""
        return len(self.inputs) == 1 and self.op is not ops.COPY_DEST


Classify = Callable[[tirx.BufferLoad], Operand]


def select(
    value: tirx.PrimExpr,
    classify: Classify,
    stmt: tirx.Stmt | None = None,
    *,
    fpu_products: bool = True,
    share_loads: bool = True,
) -> list[Instruction]:
    """The instructions that compute `value`; the last one's result is the value.

    A product on the matrix unit takes a slot of DST for itself; without `fpu_products` all products
    are the vector unit's, which shares slots. A tile that is used twice stays in its slot until
    then; without `share_loads` it is loaded twice.
    """
    selector = _Selector(classify, stmt, fpu_products, share_loads)
    if value.dtype in ops.BYTES:
        selector.byte(value)
    else:
        selector.lower(value)
    return selector.instructions


def slots_needed(value: tirx.PrimExpr, stmt: tirx.Stmt | None = None) -> int:
    """Slots of DST that `value` takes if no operation reads two circular buffers at once.

    What is made of indices takes one like any other tile. An error names the line of `stmt`.
    """

    def stand_in(expr: tirx.PrimExpr) -> tirx.PrimExpr | None:
        is_cast = isinstance(expr, tirx.Cast)
        operand = expr.value if is_cast else expr.a
        is_index = operand.dtype in ("int32", "int64")
        if not is_index or tree.collect(expr, tirx.BufferLoad):
            return None
        dtype = expr.dtype if is_cast else "float32"
        index = tirx.BufferLoad(tirx.decl_buffer((1, 1), dtype, "index"), [0, 0])
        return index if is_cast else tirx.EQ(index, tirx.const(0.0, dtype))

    kinds = ["tirx.Cast", *(f"tirx.{kind.__name__}" for kind in _COMPARISONS)]
    value = ir_transform(tirx.Evaluate(value), None, stand_in, kinds).value
    return min(
        allocate(
            select(
                value,
                lambda load: Operand(load, broadcast="", fpu_format=""),
                stmt,
                share_loads=share_loads,
            )
        )[1]
        for share_loads in (True, False)
    )


@dataclass
class _Selector:
    classify: Classify
    stmt: tirx.Stmt | None
    fpu_products: bool
    share_loads: bool
    instructions: list[Instruction] = field(default_factory=list)
    known: list[tuple[tirx.PrimExpr, int]] = field(default_factory=list)
    known_bytes: list[tuple[tirx.PrimExpr, int]] = field(default_factory=list)

    def lower(self, value: tirx.PrimExpr) -> int:
        """The register that holds `value`; a condition is 1 where it holds and 0 elsewhere."""
        value = _simplified(value)
        if value.dtype not in (*_FLOATS, "bool", *_INTEGERS):
            raise self._refusal(value)
        return self._once(value, self.known, self._compute)

    def byte(self, value: tirx.PrimExpr) -> int:
        """The register that holds the bytes of `value`, as a circular buffer does."""
        return self._once(value, self.known_bytes, self._byte)

    def _once(
        self,
        value: tirx.PrimExpr,
        known: list[tuple[tirx.PrimExpr, int]],
        compute: Callable[[tirx.PrimExpr], int],
    ) -> int:
        for seen, register in known:
            if same(seen, value):
                return register
        register = compute(value)
        if self.share_loads or not isinstance(value, tirx.BufferLoad):
            known.append((value, register))
        return register

    def _compute(self, value: tirx.PrimExpr) -> int:
        if value.dtype in _INTEGERS:
            return self._integer(value)
        if (bits := _scalar_bits(value)) is not None:
            return self._emit(ops.FILL_TILE, bits=bits)
        kind = type(value)
        if kind is tirx.BufferLoad:
            return self._load(value)
        if kind in _BINARY:
            return self._binary(value)
        if kind in _COMPARISONS:
            return self._comparison(_COMPARISONS[kind], value)
        if kind in _LOGICAL:
            return self._emit(ops.SFPU_BINARY[_LOGICAL[kind]], inputs=self._all(value.a, value.b))
        return self._other(value)

    def _other(self, value: tirx.PrimExpr) -> int:
        match value:
            case tirx.Not():
                inverted = self.lower(value.a)
                return self._emit(ops.SFPU_SCALAR["rsub"], inputs=(inverted,), bits=_bits(1.0))
            case tirx.Select():
                return self._where(value.condition, value.true_value, value.false_value)
            case tirx.Cast() if value.value.dtype == "int8" and _comes_as_byte(value.value):
                byte = self.byte(value.value)
                return self._emit(ops.TYPECAST["int8", "float32"], inputs=(byte,))
            case tirx.Cast() if value.value.dtype in _INTEGERS:
                number = self.lower(value.value)
                return self._emit(ops.TYPECAST["int32", "float32"], inputs=(number,))
            case tirx.Call(op=ir.Op()):
                return self._call(value)
        raise self._refusal(value)

    def _integer(self, value: tirx.PrimExpr) -> int:
        """The register that holds an integer as an int32."""
        if not tree.collect(value, tirx.BufferLoad):
            return self._emit(ops.FILL_INT, bits=value)
        if value.dtype in ops.BYTES and (_comes_as_byte(value) or _wraps(value)):
            return self._number(value.dtype, self.byte(value))
        if isinstance(value, tirx.BufferLoad):
            return self._load(value)
        return self._operation(value)

    def _number(self, dtype: str, byte: int) -> int:
        """The register that holds the number of which another has the byte."""
        if dtype == "uint8":
            return byte
        return self._emit(ops.TYPECAST["int8", "int32"], inputs=(byte,))

    def _byte(self, value: tirx.PrimExpr) -> int:
        if isinstance(value, tirx.BufferLoad):
            return self._load(value)
        if isinstance(value, tirx.Cast):
            source = value.value
            if source.dtype in ops.BYTES and _comes_as_byte(source):
                return self.byte(source)
            kind = "int32" if source.dtype in _INTEGERS else "float32"
            return self._emit(ops.TYPECAST[kind, value.dtype], inputs=(self.lower(source),))
        number = self._operation(value) if _wraps(value) else self.lower(value)
        if value.dtype == "uint8" and not _wraps(value):
            return number
        return self._emit(ops.TYPECAST["int32", value.dtype], inputs=(number,))

    def _load(self, value: tirx.BufferLoad) -> int:
        broadcast = self.classify(value).broadcast
        op = ops.UNARY_BROADCAST[broadcast].tile if broadcast else ops.COPY_TILE
        return self._emit(op, loads=(value,))

    def _operation(self, value: tirx.PrimExpr) -> int:
        """What an operation makes of integers, in 32 bits."""
        if type(value) in _INT_BINARY:
            operands = self._all(value.a, value.b)
            return self._emit(ops.INT_BINARY[_INT_BINARY[type(value)]], inputs=operands)
        match value:
            case tirx.Cast() if value.value.dtype in ops.BYTES:
                return self.lower(value.value)
            case tirx.Cast() if value.value.dtype in (*_FLOATS, "bool"):
                whole = self.lower(value.value)
                if value.value.dtype != "bool":  # conversions drop the fraction
                    whole = self._emit(ops.SFPU_UNARY["trunc"], inputs=(whole,))
                return self._emit(ops.TYPECAST["float32", "int32"], inputs=(whole,))
            case tirx.Select():
                return self._where(value.condition, value.true_value, value.false_value)
            case tirx.Call(op=ir.Op()) if value.op.name == "tirx.if_then_else":
                return self._where(*value.args)
            case tirx.Call(op=ir.Op()) if value.op.name in _INT_CALLS:
                operation = ops.INT_BINARY[_INT_CALLS[value.op.name]]
                return self._emit(operation, inputs=self._all(*value.args))
        raise self._refusal(value)

    def _call(self, value: tirx.Call) -> int:
        name = value.op.name
        if name == "tirx.if_then_else":
            return self._where(*value.args)
        if name == "tirx.log2":
            logarithm = self._emit(ops.SFPU_UNARY["log"], inputs=(self.lower(value.args[0]),))
            return self._emit(
                ops.SFPU_SCALAR["mul"], inputs=(logarithm,), bits=_bits(1 / math.log(2))
            )
        if name == "tirx.pow":
            return self._emit(ops.SFPU_BINARY["power"], inputs=self._all(*value.args))
        if name not in _CALLS:
            raise self._refusal(value)
        return self._emit(ops.SFPU_UNARY[_CALLS[name]], inputs=(self.lower(value.args[0]),))

    def _where(self, condition: tirx.PrimExpr, yes: tirx.PrimExpr, no: tirx.PrimExpr) -> int:
        return self._emit(ops.WHERE, inputs=self._all(condition, yes, no))

    def _comparison(self, name: str, value: tirx.PrimExpr) -> int:
        left, right = _simplified(value.a), _simplified(value.b)
        if left.dtype in _INTEGERS:
            truth = self._emit(ops.INT_BINARY[name], inputs=(self.lower(left), self.lower(right)))
            return self._emit(ops.TYPECAST["int32", "float32"], inputs=(truth,))
        if _scalar_bits(left) is not None:
            left, right, name = right, left, _MIRRORED[name]
        if (bits := _scalar_bits(right)) is not None:
            return self._emit(ops.SFPU_SCALAR[name], inputs=(self.lower(left),), bits=bits)
        return self._emit(ops.SFPU_BINARY[name], inputs=self._all(left, right))

    def _binary(self, value: tirx.PrimExpr) -> int:
        name, left, right = _BINARY[type(value)], _simplified(value.a), _simplified(value.b)
        if name in _COMMUTATIVE and _scalar_bits(left) is not None:
            left, right = right, left
        if name in ("add", "sub") and (factored := _factored(type(value), left, right)) is not None:
            return self.lower(factored)
        if (scalar := self._with_scalar(name, left, right)) is not None:
            return scalar
        if (tiles := self._on_fpu(name, left, right)) is not None:
            return tiles
        return self._emit(ops.SFPU_BINARY[name], inputs=self._all(left, right))

    def _with_scalar(self, name: str, left: tirx.PrimExpr, right: tirx.PrimExpr) -> int | None:
        bits = _scalar_bits(right)
        if bits is not None:
            if name == "max" and _is_zero(right):
                return self._emit(ops.SFPU_UNARY["relu"], inputs=(self.lower(left),))
            if name == "div" and isinstance(right, tirx.FloatImm) and right.value:
                return self._emit(
                    ops.SFPU_SCALAR["mul"], inputs=(self.lower(left),), bits=_bits(1 / right.value)
                )
            if name in ops.SFPU_SCALAR:
                return self._emit(ops.SFPU_SCALAR[name], inputs=(self.lower(left),), bits=bits)
        elif name == "sub" and (bits := _scalar_bits(left)) is not None:
            return self._emit(ops.SFPU_SCALAR["rsub"], inputs=(self.lower(right),), bits=bits)
        return None

    def _on_fpu(self, name: str, left: tirx.PrimExpr, right: tirx.PrimExpr) -> int | None:
        """The matrix unit reads both operands from circular buffers, in one pass, where it can do
        so exactly."""
        is_offered = name in ops.FPU_BINARY[""] and (self.fpu_products or name != "mul")
        if not is_offered or not all(isinstance(x, tirx.BufferLoad) for x in (left, right)):
            return None
        a, b = self.classify(left), self.classify(right)
        if a.broadcast and not b.broadcast and name in _COMMUTATIVE:
            a, b = b, a
        if a.broadcast or not a.fpu_format or a.fpu_format != b.fpu_format:
            return None
        return self._emit(ops.FPU_BINARY[b.broadcast][name], loads=(a.load, b.load))

    def _all(self, *values: tirx.PrimExpr) -> tuple[int, ...]:
        """Registers of all values; one that needs more room is computed earlier."""
        order = sorted(range(len(values)), key=lambda i: -_room(values[i]))
        registers = {i: self.lower(values[i]) for i in order}
        return tuple(registers[i] for i in range(len(values)))

    def _emit(
        self,
        op: OpDef,
        *,
        loads: tuple[tirx.BufferLoad, ...] = (),
        inputs: tuple[int, ...] = (),
        bits: tirx.PrimExpr | None = None,
    ) -> int:
        out = len(self.instructions)
        self.instructions.append(Instruction(op, out, loads, inputs, bits))
        return out

    def _refusal(self, value: tirx.PrimExpr) -> UnsupportedExpression:
        return UnsupportedExpression.at(
            self.stmt, expr=value, dtype=value.dtype, supported=SUPPORTED
        )


def allocate(instructions: list[Instruction]) -> tuple[list[Instruction], int]:
    """The same program on slots of DST, and how many it uses.

    A slot is free again after the last use of its value. An operation that works in place on a
    value that is needed later works on a copy. One that accumulates gets a slot that nothing has
    been in.
    """
    last_use = {
        register: index for index, ins in enumerate(instructions) for register in ins.inputs
    }
    slots: dict[int, int] = {}
    free: list[int] = []
    used = 0
    result: list[Instruction] = []
    for index, ins in enumerate(instructions):
        dying = sorted({slots[register] for register in ins.inputs if last_use[register] == index})
        inputs = tuple(slots[register] for register in ins.inputs)
        if dying:
            out = dying.pop(0)
        elif free and not ins.op.accumulates:
            out = free.pop(0)
        else:
            out, used = used, used + 1
        if ins.in_place and out != inputs[0]:
            result.append(Instruction(ops.COPY_DEST, out, inputs=inputs))
            inputs = (out,)
        free = sorted([*free, *dying])
        slots[ins.out] = out
        result.append(Instruction(ins.op, out, ins.loads, inputs, ins.bits))
    return result, used


def _comes_as_byte(value: tirx.PrimExpr) -> bool:
    """Whether an integer of 8 bits is made as a byte, and not as a number."""
    return isinstance(value, tirx.BufferLoad | tirx.Cast)


def _wraps(value: tirx.PrimExpr) -> bool:
    """Whether an operation on integers of 8 bits may give a number that no byte holds."""
    if isinstance(value, tirx.Call) and isinstance(value.op, ir.Op):
        return value.op.name == "tirx.shift_left"
    return isinstance(value, _WRAPPING)


def _simplified(value: tirx.PrimExpr) -> tirx.PrimExpr:
    """`value` without conversions between floats and without bounds that bound nothing."""
    while (
        isinstance(value, tirx.Cast)
        and value.dtype in _FLOATS
        and value.value.dtype in (*_FLOATS, "bool")
    ):
        value = value.value
    if isinstance(value, tirx.Max | tirx.Min):
        unbounded = -math.inf if isinstance(value, tirx.Max) else math.inf
        for bound, other in ((value.a, value.b), (value.b, value.a)):
            if isinstance(bound, tirx.FloatImm) and bound.value == unbounded:
                return _simplified(other)
    if type(value) in _FOLDS and value.dtype in _FLOATS:
        a, b = _simplified(value.a), _simplified(value.b)
        if isinstance(a, tirx.FloatImm) and isinstance(b, tirx.FloatImm):
            return tirx.FloatImm("float32", _FOLDS[type(value)](a.value, b.value))
    return value


def _factored(kind: type, left: tirx.PrimExpr, right: tirx.PrimExpr) -> tirx.PrimExpr | None:
    """The sum or difference of two products by one number, as one product."""
    if not isinstance(left, tirx.Mul) or not isinstance(right, tirx.Mul):
        return None
    for a, number in ((left.a, left.b), (left.b, left.a)):
        for b, other in ((right.a, right.b), (right.b, right.a)):
            if _scalar_bits(number) is not None and same(number, other):
                return tirx.Mul(kind(a, b), number)
    return None


def _scalar_bits(value: tirx.PrimExpr) -> tirx.PrimExpr | None:
    """The bits of a float that is the same for all elements of a tile, None for anything else."""
    value = _simplified(value)
    match value:
        case tirx.FloatImm():
            return _bits(value.value)
        case tirx.IntImm(dtype="bool"):
            return _bits(float(value.value))
        case tirx.Var(dtype="float32"):
            return ops.FLOAT_BITS.call(value)
        case tirx.Cast() if value.dtype in _FLOATS and value.value.dtype == "int32":
            is_scalar = not tree.collect(value.value, tirx.BufferLoad)
            return ops.FLOAT_BITS.call(value.value) if is_scalar else None
    return None


def _bits(value: float) -> tirx.PrimExpr:
    return ops.FLOAT_BITS.call(tirx.const(value, "float32"))


def _is_zero(value: tirx.PrimExpr) -> bool:
    value = _simplified(value)
    return isinstance(value, tirx.FloatImm) and value.value == 0


def _room(value: tirx.PrimExpr) -> int:
    """Registers that `value` needs if nothing is shared: the numbers of Sethi and Ullman."""
    value = _simplified(value)
    rooms = sorted((_room(operand) for operand in _operands(value)), reverse=True)
    return max([1, *(room + held for held, room in enumerate(rooms))])


def _operands(value: tirx.PrimExpr) -> list[tirx.PrimExpr]:
    """What has to be in registers to compute `value`."""
    if _scalar_bits(value) is not None:
        return []
    match value:
        case tirx.Call(op=ir.Op()):
            return list(value.args)
        case tirx.Select():
            return [value.condition, value.true_value, value.false_value]
        case tirx.Not():
            return [value.a]
        case tirx.Cast():
            return [value.value]
    if type(value) not in (*_BINARY, *_INT_BINARY, *_COMPARISONS, *_LOGICAL):
        return []
    return [side for side in (value.a, value.b) if _scalar_bits(side) is None]
