"""Every `tt.*` operation the passes may create, declared as data.

A compute operation also says what the hardware must be set up for: the `init` call that goes before
it (with the operands it takes from the operation), and which of its circular buffers feed the
source registers A and B.
"""

from __future__ import annotations

from dataclasses import dataclass

import tvm.ir._ffi_api as _tvm_ir
from tvm import ir, tirx

_OPAQUE_EFFECT = 4  # tvm::tirx::CallEffectKind::kOpaque: never removed, moved or duplicated
_PURE_EFFECT = 1


@dataclass(frozen=True)
class OpDef:
    """One operation: its name without the `tt.` prefix, the names of its operands, its result.

    `unit` is the state an `init` belongs to: "fpu" (unpacker and matrix unit) or "sfpu" (vector
    unit). `src_a` and `src_b` name the circular buffers that feed the source registers; `fills` and
    `drains` name the one that a data-movement or pack operation writes or reads. One that
    `accumulates` adds to its destination, which must not have been written since the registers were
    acquired. An operation that `clobbers` a unit leaves it without a valid set-up. One that is
    `variadic` has any number of its last operand.
    """

    name: str
    operands: tuple[str, ...]
    summary: str
    result: str = "handle"
    pure: bool = False
    init: OpDef | None = None
    unit: str = ""
    src_a: str = ""
    src_b: str = ""
    fills: str = ""
    drains: str = ""
    accumulates: bool = False
    clobbers: str = ""
    is_variadic: bool = False

    def __post_init__(self) -> None:
        _tvm_ir.RegisterOp(self.qualified, self.summary)
        effect = _PURE_EFFECT if self.pure else _OPAQUE_EFFECT
        self.op.set_attr("TCallEffectKind", tirx.IntImm("int32", effect))
        self.op.set_attr("TScriptPrinterName", self.name)
        BY_NAME[self.qualified] = self

    @property
    def qualified(self) -> str:
        return f"tt.{self.name}"

    @property
    def op(self) -> ir.Op:
        return ir.Op.get(self.qualified)

    def call(self, *args: tirx.PrimExpr | int) -> tirx.Call:
        """Build the operation as an expression."""
        is_right = self.is_variadic or len(args) == len(self.operands)
        assert is_right, f"{self.qualified} takes {self.operands}"
        return tirx.call_intrin(self.result, self.op, *args)

    def stmt(self, *args: tirx.PrimExpr | int) -> tirx.Evaluate:
        """Build the operation as a statement."""
        return tirx.Evaluate(self.call(*args))

    @property
    def reads(self) -> tuple[str, ...]:
        """The operands that are circular buffers whose pages the operation reads."""
        return tuple(name for name in (self.src_a, self.src_b, self.drains) if name)

    def operand(self, call: tirx.Call, name: str) -> tirx.PrimExpr:
        """The argument of `call`, a use of this operation, that stands for the operand `name`."""
        return call.args[self.operands.index(name)]


BY_NAME: dict[str, OpDef] = {}


def definition(stmt: tirx.Stmt) -> OpDef | None:
    """The `tt.*` operation that a statement evaluates."""
    if (
        isinstance(stmt, tirx.Evaluate)
        and isinstance(stmt.value, tirx.Call)
        and isinstance(stmt.value.op, ir.Op)
    ):
        return BY_NAME.get(stmt.value.op.name)
    return None


# What the front end leaves; `TakeDirectives` takes it out. ----------------------------------------

DIRECTIVE = OpDef(
    "directive",
    ("kind", "of", "value"),
    "Ask for something about a buffer, given by its data variable, or a loop, by its own.",
)

# Data movement. A page of a tensor or of a circular buffer is one tile. ---------------------------

NOC_READ = OpDef(
    "noc_read",
    ("tensor", "page", "cb", "cb_page"),
    "Start reading a page into a circular buffer.",
    fills="cb",
)
RESERVE_AHEAD = OpDef(
    "cb_reserve_ahead",
    ("cb",),
    "Block until two blocks are free, the second for what is read ahead.",
)
NOC_READ_AHEAD = OpDef(
    "noc_read_ahead",
    ("tensor", "page", "cb", "cb_page"),
    "Start reading a page into the second of two free blocks.",
    fills="cb",
)
NOC_WRITE = OpDef(
    "noc_write",
    ("tensor", "page", "cb", "cb_page"),
    "Start writing a page from a circular buffer.",
    drains="cb",
)
MULTICAST_SEND = OpDef(
    "multicast_send",
    ("group", "cb", "pages"),
    "Write the pages that the next push publishes to the other cores of a group, once all have"
    " room.",
    fills="cb",
)
MULTICAST_RECEIVE = OpDef(
    "multicast_receive",
    ("group",),
    "Tell the sender of a group that there is room, and wait for its pages.",
)
MULTICAST_OFFER = OpDef(
    "multicast_offer",
    ("group",),
    "Tell the sender of a group that there is room for one more block.",
)
MULTICAST_AWAIT = OpDef(
    "multicast_await",
    ("group",),
    "Wait for the pages of a block that room was offered for.",
)
PART_RECEIVE = OpDef(
    "part_receive",
    ("peers", "peer", "cb"),
    "Tell a core of the team that there is room, and wait for its pages.",
    fills="cb",
)
PART_SEND = OpDef(
    "part_send",
    ("peers", "peer", "receivers", "cb", "there", "pages"),
    "Write pages into a circular buffer of a core of the team, once all receivers have room.",
    drains="cb",
)
BETWEEN_CORES = (
    *(MULTICAST_SEND, MULTICAST_RECEIVE, MULTICAST_OFFER, MULTICAST_AWAIT),
    *(PART_RECEIVE, PART_SEND),
)
"""What cores do with each other; the first operand says with which."""
NOC_READ_BARRIER = OpDef("noc_read_barrier", (), "Wait for every read this processor has started.")
NOC_WRITE_BARRIER = OpDef(
    "noc_write_barrier", (), "Wait for every write this processor has started."
)
NOC_WRITES_FLUSHED = OpDef(
    "noc_writes_flushed",
    (),
    "Wait until all that this processor writes has left its pages.",
)
NOC_ATOMIC_BARRIER = OpDef(
    "noc_atomic_barrier", (), "Wait for every signal this processor has sent."
)
TENSOR_TAKE = OpDef(
    "tensor_take",
    ("tensor",),
    "Wait until the writer has given the tensor back, then take it.",
)
TENSOR_GIVE = OpDef(
    "tensor_give",
    ("tensor",),
    "Give the tensor back to the reader once all writes have arrived.",
)

ZERO_PAGE = OpDef("zero_page", ("cb", "page"), "Fill a page with zeros.", fills="cb")
ZERO_PAGE_AHEAD = OpDef(
    "zero_page_ahead",
    ("cb", "page"),
    "Fill a page of the second of two free blocks with zeros.",
    fills="cb",
)
WRITE_AFFINE_TILE = OpDef(
    "write_affine_tile",
    ("cb", "page", "per_row", "per_column", "word", "encode"),
    "Write a tile whose elements are per_row * row + per_column * column.",
    fills="cb",
)

# Circular buffers. --------------------------------------------------------------------------------

CB_RESERVE_BACK = OpDef("cb_reserve_back", ("cb", "pages"), "Block until `pages` pages are free.")
CB_PUSH_BACK = OpDef("cb_push_back", ("cb", "pages"), "Publish `pages` pages to the consumer.")
CB_WAIT_FRONT = OpDef("cb_wait_front", ("cb", "pages"), "Block until `pages` pages are published.")
CB_POP_FRONT = OpDef("cb_pop_front", ("cb", "pages"), "Free `pages` pages for the producer.")
BLOCK_PAGES = OpDef(
    "block_pages",
    ("cb",),
    "The pages of one block of a circular buffer.",
    result="int32",
    pure=True,
)

ACCUMULATE_BEGIN = OpDef(
    "accumulate_begin", ("region",), "From here on gemms accumulate into the buffer in place."
)
ACCUMULATE_ONTO = OpDef(
    "accumulate_onto", ("region",), "From here on gemms add to the value that the buffer holds."
)
ACCUMULATE_END = OpDef("accumulate_end", ("region",), "The buffer holds its value.")

# Destination registers. ---------------------------------------------------------------------------

TILE_REGS_ACQUIRE = OpDef("tile_regs_acquire", (), "Math takes a free, zeroed half of DST.")
TILE_REGS_COMMIT = OpDef("tile_regs_commit", (), "Math hands its half of DST to the packer.")
TILE_REGS_WAIT = OpDef("tile_regs_wait", (), "The packer waits for a half of DST.")
TILE_REGS_RELEASE = OpDef("tile_regs_release", (), "The packer gives its half of DST back.")

# Set-up of the compute engine. --------------------------------------------------------------------

HW_STARTUP = OpDef(
    "compute_kernel_hw_startup", ("a", "b", "out"), "First call of a compute kernel."
)
HW_STARTUP_REVERSE = OpDef(
    "compute_kernel_hw_startup_reverse", ("a", "b", "out"), "The same before a matmul."
)
RECONFIG_SRC_A = OpDef(
    "reconfig_data_format_srca", ("cb",), "Set source register A to the format of `cb`."
)
RECONFIG_SRC_B = OpDef(
    "reconfig_data_format_srcb", ("cb",), "Set source register B to the format of `cb`."
)
RECONFIG_PACK = OpDef("pack_reconfig_data_format", ("cb",), "Set the packer to the format of `cb`.")
PACK_ACCUMULATE = OpDef(
    "pack_reconfig_l1_acc",
    ("cb", "enable"),
    "Make the packer add to what L1 holds in `cb`, or overwrite it.",
)
COPY_INIT = OpDef("copy_init", ("cb",), "Set up copy_tile.")
REDUCE_UNINIT = OpDef("reduce_uninit", (), "The packer writes whole tiles again.", clobbers="fpu")
TRANSPOSE_INIT = OpDef("transpose_init", ("cb",), "Set up transpose_tile.")
MATMUL_BLOCK_INIT = OpDef(
    "matmul_block_init", ("a", "b", "transpose", "ct", "rt", "kt"), "Set up matmul_block."
)

# Circular buffer to DST, on the matrix unit. ------------------------------------------------------

COPY_TILE = OpDef(
    "copy_tile", ("cb", "page", "dst"), "DST[dst] = page.", init=COPY_INIT, unit="fpu", src_a="cb"
)


@dataclass(frozen=True)
class UnaryBroadcast:
    """Spreading one row, column or element of a page over a tile of DST.

    `to_dest` is for a buffer whose 32 bits the unpacker writes to DST by way of source register A.
    """

    tile: OpDef
    to_dest: OpDef


def _unary_broadcast(name: str) -> UnaryBroadcast:
    what = {"row": "row 0", "column": "column 0", "scalar": "element [0, 0]"}[name]
    summary = f"DST[dst] = {what} of the page everywhere."
    init = OpDef(f"unary_bcast_{name}_init", ("cb",), f"Set up unary_bcast_{name}.")
    operands = ("cb", "page", "dst")
    return UnaryBroadcast(
        OpDef(f"unary_bcast_{name}", operands, summary, init=init, unit="fpu", src_b="cb"),
        OpDef(f"unary_bcast_{name}_to_dest", operands, summary, init=init, unit="fpu", src_a="cb"),
    )


BROADCASTS = ("row", "column", "scalar")
UNARY_BROADCAST = {name: _unary_broadcast(name) for name in BROADCASTS}
TRANSPOSE_TILE = OpDef(
    "transpose_tile",
    ("cb", "page", "dst"),
    "DST[dst] = page transposed.",
    init=TRANSPOSE_INIT,
    unit="fpu",
    src_a="cb",
)
MATMUL_BLOCK = OpDef(
    "matmul_block",
    ("a", "b", "page_a", "page_b", "dst", "transpose", "ct", "rt", "kt"),
    "DST[dst + r * ct + c] += A[page_a + r * kt] @ B[page_b + c], B transposed where `transpose`.",
    init=MATMUL_BLOCK_INIT,
    unit="fpu",
    src_a="b",
    src_b="a",
)


def _fpu_binary(name: str, broadcast: str = "") -> OpDef:
    suffix = f"_bcast_{broadcast}" if broadcast else ""
    init = OpDef(f"{name}{suffix}_init", ("a", "b"), f"Set up {name}_tiles{suffix}.")
    return OpDef(
        f"{name}_tiles{suffix}",
        ("a", "b", "page_a", "page_b", "dst"),
        f"DST[dst] = {name} of two pages{f', the {broadcast} of b for all' if broadcast else ''}.",
        init=init,
        unit="fpu",
        src_a="a",
        src_b="b",
        accumulates=name == "mul",  # the multiplier knows no other way
    )


FPU_BINARY = {
    broadcast: {name: _fpu_binary(name, broadcast) for name in ("add", "sub", "mul")}
    for broadcast in ("", *BROADCASTS)
}
"""By what of the second operand stands for all, "" for none, and by name."""


def _reduce(kind: str, dim: str) -> OpDef:
    init = OpDef(
        f"reduce_{kind}_{dim}_init",
        ("cb", "scaler", "out"),
        f"Set up reduce_{kind}_{dim}, for the packer too.",
    )
    return OpDef(
        f"reduce_{kind}_{dim}",
        ("cb", "scaler", "page", "dst", "out"),
        f"DST[dst] joined with the {kind} of each {dim} of the page, times the scaler.",
        init=init,
        unit="fpu",
        src_a="cb",
        src_b="scaler",
        accumulates=True,
    )


REDUCE = {(kind, dim): _reduce(kind, dim) for kind in ("sum", "max") for dim in ("row", "column")}

# DST to DST, on the vector unit. ------------------------------------------------------------------


def _sfpu_binary(name: str) -> OpDef:
    init = OpDef(f"{name}_tile_init", (), f"Set up {name}_tile.")
    summary = f"DST[out] = {name} of DST[x] and DST[y]."
    return OpDef(f"{name}_tile", ("x", "y", "out"), summary, init=init, unit="sfpu")


def _sfpu_unary(name: str) -> OpDef:
    init = OpDef(f"{name}_tile_init", (), f"Set up {name}_tile.")
    return OpDef(
        f"{name}_tile", ("dst",), f"DST[dst] = {name} of DST[dst].", init=init, unit="sfpu"
    )


COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
SCALAR_INIT = OpDef("binop_with_scalar_tile_init", (), "Set up the operations with a scalar.")
FILL_INIT = OpDef("fill_tile_init", (), "Set up fill_tile.")
COPY_DEST_INIT = OpDef("copy_dest_values_init", (), "Set up copy_dest_values.")


def _sfpu_scalar(name: str, init: OpDef) -> OpDef:
    summary = f"DST[dst] = {name} of DST[dst] and a float32, given as its bits."
    called = f"unary_{name}_tile" if name in COMPARISONS else f"{name}_unary_tile"
    return OpDef(called, ("dst", "bits"), summary, init=init, unit="sfpu")


SFPU_BINARY = {
    name: _sfpu_binary(f"{name}_binary")
    for name in ("add", "sub", "mul", "div", "power", *COMPARISONS)
} | {name: _sfpu_binary(f"binary_{name}") for name in ("max", "min")}


def _sfpu_reduce(dtype: str, kind: str, dim: str) -> OpDef:
    name = f"sfpu_reduce_{kind}_{dim}_{dtype}"
    summary = (
        f"The first element of each {dim} of DST[dst], {dtype}, = its {kind}, others undefined."
    )
    init = OpDef(f"{name}_init", (), f"Set up {name}.")
    return OpDef(name, ("dst",), summary, init=init, unit="sfpu")


SFPU_REDUCE = {
    (dtype, *pair): _sfpu_reduce(dtype, *pair) for dtype in ("float32", "int32") for pair in REDUCE
}
"""By dtype, kind and dimension."""
WHERE = OpDef(
    "where_tile",
    ("condition", "yes", "no", "out", "format"),
    "DST[out] = DST[yes] where DST[condition] is not 0, else DST[no].",
    init=OpDef("where_tile_init", (), "Set up where_tile."),
    unit="sfpu",
)
SFPU_SCALAR = {name: _sfpu_scalar(name, SCALAR_INIT) for name in ("add", "sub", "mul", "rsub")} | {
    name: _sfpu_scalar(name, OpDef(f"unary_{name}_tile_init", (), f"Set up unary_{name}_tile."))
    for name in COMPARISONS
}
SFPU_UNARY = {
    name: _sfpu_unary(name)
    for name in (
        *("relu", "exp", "exp2", "log", "sqrt", "rsqrt", "tanh", "sigmoid", "abs", "recip"),
        *("negative", "erf", "floor", "ceil", "trunc", "sin", "cos", "log1p"),
    )
}
INT_BINARY = {
    name: OpDef(
        f"{name}_int",
        ("x", "y", "out"),
        f"DST[out] = {name} of the int32 in DST[x] and DST[y].",
        init=OpDef(f"{name}_int_init", (), f"Set up {name}_int."),
        unit="sfpu",
    )
    for name in (
        *("add", "sub", "mul", "max", "min", "and", "or", "xor", "shift_left", "shift_right"),
        *("floor_div", "floor_mod", "trunc_div", "trunc_mod"),
        *COMPARISONS,
    )
}
FILL_INT = OpDef(
    "fill_tile_int", ("dst", "value"), "DST[dst] = an int32.", init=FILL_INIT, unit="sfpu"
)


def _typecast(source: str, target: str) -> OpDef:
    return OpDef(
        f"typecast_{source}_{target}",
        ("dst",),
        f"DST[dst], {source}, as {target}.",
        init=OpDef(f"typecast_{source}_{target}_init", (), "Set up the conversion."),
        unit="sfpu",
    )


BYTES = ("int8", "uint8")
"""Dtypes whose elements stand in DST as bytes, which conversions make of numbers and back."""


def computed_in(dtype: str) -> str:
    """What numbers of `dtype` are computed in."""
    return "int32" if dtype in BYTES else dtype


TYPECAST = {
    pair: _typecast(*pair)
    for pair in (
        ("float32", "int32"),
        ("int32", "float32"),
        *((wide, byte) for byte in BYTES for wide in ("float32", "int32")),
        *(("int8", wide) for wide in ("float32", "int32")),  # a byte of uint8 is its number
    )
}
FILL_TILE = OpDef(
    "fill_tile_bitcast",
    ("dst", "bits"),
    "DST[dst] = a float32, given as its bits.",
    init=FILL_INIT,
    unit="sfpu",
)
COPY_DEST = OpDef(
    "copy_dest_values",
    ("x", "out", "format"),
    "DST[out] = DST[x], of this format.",
    init=COPY_DEST_INIT,
    unit="sfpu",
)
FLOAT_BITS = OpDef(
    "float_bits",
    ("value",),
    "The bits of a float32 as an unsigned integer.",
    result="uint32",
    pure=True,
)

# DST to circular buffer. --------------------------------------------------------------------------

PACK_TILE = OpDef(
    "pack_tile", ("dst", "cb", "page"), "Write DST[dst] to a reserved page.", fills="cb"
)

# Scalar control. ----------------------------------------------------------------------------------

SCALAR = OpDef(
    "scalar",
    ("name", "varies"),
    "A number that the program has read from memory: the name that it is bound to, then the loop"
    " variables that it varies with.",
    result="int32",
    pure=True,
    is_variadic=True,
)
FLOOR_DIV = OpDef(
    "floor_div", ("a", "b"), "a / b rounded down, for b > 0.", result="int32", pure=True
)
FLOOR_MOD = OpDef(
    "floor_mod", ("a", "b"), "a - b * floor_div(a, b), for b > 0.", result="int32", pure=True
)

READ_SCALAR = OpDef(
    "read_scalar",
    ("tensor", "page", "element", "by", "cb", "slot", "word"),
    "An element of a page of a tensor, divided by a number; the page is read into one of the"
    " circular buffer, unless it is there.",
    result="int32",
)
GIVE_SCALAR = OpDef(
    "give_scalar", ("cb", "value"), "Hand a number to the compute engine.", fills="cb"
)
TAKE_SCALAR = OpDef(
    "take_scalar", ("cb",), "The next number that the reader hands over.", result="int32"
)

# Text. --------------------------------------------------------------------------------------------

COMMENT = OpDef("comment", ("text",), "A line of text that explains the statement after it.")
