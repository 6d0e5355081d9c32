"""Instruction selection and register allocation for element-wise expressions.

An expression over tiles becomes a list of instructions on virtual registers (`select`), each a
`tt.*` operation; then the registers become slots of DST (`allocate`). Equal subexpressions are
computed once. A conversion between floats costs nothing: DST carries the value, and packing rounds
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tvm import tirx

from tilelang_tt.diagnostics import UnsupportedExpression
from tilelang_tt.ir import ops
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
}
_FLOATS = ("float32", "float16", "bfloat16")
SUPPORTED = (
    "+ - * / max min exp exp2 log sqrt rsqrt tanh sigmoid abs, constants and float32 scalars"
)


@dataclass(frozen=True)
class Operand:
    """A tile read from a circular buffer; `row` where its row 0 stands for every row."""

    load: tirx.BufferLoad
    row: bool
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
) -> list[Instruction]:
    """The instructions that compute `value`; the last one's result is the value.

    A product on the matrix unit takes a slot of DST for itself; without `fpu_products` all products
    are the vector unit's, which shares slots.
    """
    selector = _Selector(classify, stmt, fpu_products)
    selector.lower(value)
    return selector.instructions


def slots_needed(value: tirx.PrimExpr) -> int:
    """Slots of DST that `value` takes if every operand is loaded into one; an upper bound."""
    instructions = select(value, lambda load: Operand(load, row=False, fpu_format=""))
    return allocate(instructions)[1]


@dataclass
class _Selector:
    classify: Classify
    stmt: tirx.Stmt | None
    fpu_products: bool
    instructions: list[Instruction] = field(default_factory=list)
    known: list[tuple[tirx.PrimExpr, int]] = field(default_factory=list)

    def lower(self, value: tirx.PrimExpr) -> int:
        """The register that holds `value`."""
        value = _strip_casts(value)
        if value.dtype not in _FLOATS:
            raise self._refusal(value)
        for seen, register in self.known:
            if same(seen, value):
                return register
        register = self._compute(value)
        self.known.append((value, register))
        return register

    def _compute(self, value: tirx.PrimExpr) -> int:
        if (bits := _scalar_bits(value)) is not None:
            return self._emit(ops.FILL_TILE, bits=bits)
        if isinstance(value, tirx.BufferLoad):
            operand = self.classify(value)
            return self._emit(ops.BCAST_ROW if operand.row else ops.COPY_TILE, loads=(value,))
        if type(value) in _BINARY:
            return self._binary(
                _BINARY[type(value)], _strip_casts(value.a), _strip_casts(value.b), value
            )
        if isinstance(value, tirx.Call) and value.op.name in _CALLS:
            return self._emit(
                ops.SFPU_UNARY[_CALLS[value.op.name]], inputs=(self.lower(value.args[0]),)
            )
        raise self._refusal(value)

    def _binary(
        self, name: str, left: tirx.PrimExpr, right: tirx.PrimExpr, value: tirx.PrimExpr
    ) -> int:
        if _scalar_bits(left) is not None and _scalar_bits(right) is not None:
            raise self._refusal(value)
        if name in _COMMUTATIVE and _scalar_bits(left) is not None:
            left, right = right, left
        if (scalar := self._with_scalar(name, left, right)) is not None:
            return scalar
        if (tiles := self._on_fpu(name, left, right)) is not None:
            return tiles
        return self._emit(ops.SFPU_BINARY[name], inputs=self._both(left, right))

    def _with_scalar(self, name: str, left: tirx.PrimExpr, right: tirx.PrimExpr) -> int | None:
        bits = _scalar_bits(right)
        if bits is not None:
            if name == "max" and _is_zero(right):
                return self._emit(ops.SFPU_UNARY["relu"], inputs=(self.lower(left),))
            if name in ops.SFPU_SCALAR:
                return self._emit(ops.SFPU_SCALAR[name], inputs=(self.lower(left),), bits=bits)
        elif name == "sub" and (bits := _scalar_bits(left)) is not None:
            return self._emit(ops.SFPU_SCALAR["rsub"], inputs=(self.lower(right),), bits=bits)
        return None

    def _on_fpu(self, name: str, left: tirx.PrimExpr, right: tirx.PrimExpr) -> int | None:
        """The matrix unit reads both operands from circular buffers, in one pass, where it can do
        so exactly."""
        is_offered = name in ops.FPU_BINARY and (self.fpu_products or name != "mul")
        if not is_offered or not all(isinstance(x, tirx.BufferLoad) for x in (left, right)):
            return None
        a, b = self.classify(left), self.classify(right)
        if a.row and not b.row and name in _COMMUTATIVE:
            a, b = b, a
        if a.row or not a.fpu_format or a.fpu_format != b.fpu_format:
            return None
        table = ops.FPU_BINARY_ROWS if b.row else ops.FPU_BINARY
        return self._emit(table[name], loads=(a.load, b.load))

    def _both(self, left: tirx.PrimExpr, right: tirx.PrimExpr) -> tuple[int, int]:
        """Registers of both; the one that needs more room is computed first."""
        if _depth(right) > _depth(left):
            second = self.lower(right)
            return self.lower(left), second
        return self.lower(left), self.lower(right)

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


def _strip_casts(value: tirx.PrimExpr) -> tirx.PrimExpr:
    while isinstance(value, tirx.Cast) and value.dtype in _FLOATS and value.value.dtype in _FLOATS:
        value = value.value
    return value


def _scalar_bits(value: tirx.PrimExpr) -> tirx.PrimExpr | None:
    """The bits of a float that is the same for all elements, None for anything else."""
    value = _strip_casts(value)
    if isinstance(value, tirx.FloatImm):
        return ops.FLOAT_BITS.call(tirx.const(value.value, "float32"))
    if isinstance(value, tirx.Var) and value.dtype == "float32":
        return ops.FLOAT_BITS.call(value)
    return None


def _is_zero(value: tirx.PrimExpr) -> bool:
    value = _strip_casts(value)
    return isinstance(value, tirx.FloatImm) and value.value == 0


def _depth(value: tirx.PrimExpr) -> int:
    value = _strip_casts(value)
    if type(value) in _BINARY:
        return 1 + max(_depth(value.a), _depth(value.b))
    if isinstance(value, tirx.Call):
        return 1 + max((_depth(arg) for arg in value.args), default=0)
    return 0
