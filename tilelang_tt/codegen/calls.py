"""How each `tt.*` operation is written in Metalium: the text of the call, and the header that
declares it.

In a text, `{name}` is the operand of that name.
"""

from __future__ import annotations

from dataclasses import dataclass

from tilelang_tt.ir import ops
from tilelang_tt.ir.ops import OpDef

DATAFLOW = "api/dataflow/dataflow_api.h"


@dataclass(frozen=True)
class Spelling:
    """A C++ statement with holes for the operands, and its header."""

    text: str
    header: str


def _plain(op: OpDef, header: str, callee: str = "") -> Spelling:
    """A call of the operation's own name with all of its operands."""
    holes = ", ".join(f"{{{name}}}" for name in op.operands)
    return Spelling(f"{callee or op.name}({holes});", header)


_CB = "api/compute/cb_api.h"
_REG = "api/compute/reg_api.h"
_STARTUP = "api/compute/compute_kernel_hw_startup.h"
_RECONFIG = "api/compute/reconfig_data_format.h"
_PACK = "api/compute/pack.h"
_MOVE = "api/compute/tile_move_copy.h"
_BCAST = "api/compute/bcast.h"
_BINARY = "api/compute/eltwise_binary.h"
_REDUCE = "api/compute/reduce.h"
_BINARY_SFPU = "api/compute/eltwise_binary_sfpu.h"
_MAX_MIN = "api/compute/binary_max_min.h"
_MATMUL = "api/compute/matmul.h"
_TRANSPOSE = "api/compute/transpose.h"
_UNARY = "api/compute/eltwise_unary/"
_API = "api/compute/compute_kernel_api.h"

_READ = """\
noc_async_read_page(
    {page}, {tensor}, get_write_ptr({cb}) + {cb_page:*} * {cb:bytes});"""
_RESERVE_AHEAD = """\
cb_reserve_back({cb}, 2 * {cb:pages});
const uint32_t {cb:next} = block_after(
    get_write_ptr({cb}), {cb:pages} * {cb:bytes}, {cb:first}, {cb:blocks});"""
_READ_AHEAD = """\
noc_async_read_page(
    {page}, {tensor}, {cb:next} + {cb_page:*} * {cb:bytes});"""
_WRITE = """\
noc_async_write_page(
    {page}, {tensor}, get_read_ptr({cb}) + {cb_page:*} * {cb:bytes});"""

SPELLINGS: dict[OpDef, Spelling] = {
    ops.NOC_READ: Spelling(_READ, DATAFLOW),
    ops.RESERVE_AHEAD: Spelling(_RESERVE_AHEAD, DATAFLOW),
    ops.NOC_READ_AHEAD: Spelling(_READ_AHEAD, DATAFLOW),
    ops.NOC_WRITE: Spelling(_WRITE, DATAFLOW),
    ops.ZERO_PAGE: Spelling(
        "zero_page(get_write_ptr({cb}) + {page:*} * {cb:bytes}, {cb:bytes});", DATAFLOW
    ),
    ops.ZERO_PAGE_AHEAD: Spelling(
        "zero_page({cb:next} + {page:*} * {cb:bytes}, {cb:bytes});", DATAFLOW
    ),
    ops.WRITE_AFFINE_TILE: Spelling(
        "write_affine_tile<{word}, {encode}>(\n"
        "    get_write_ptr({cb}) + {page:*} * {cb:bytes}, {per_row}, {per_column});",
        DATAFLOW,
    ),
    ops.MULTICAST_SEND: Spelling(
        "multicast_send({group:group}, get_write_ptr({cb}), {pages:*} * {cb:bytes});", DATAFLOW
    ),
    ops.MULTICAST_RECEIVE: Spelling("multicast_receive({group:group});", DATAFLOW),
    ops.PART_RECEIVE: Spelling("part_receive({peers:group}, {peer});", DATAFLOW),
    ops.PART_SEND: Spelling(
        "part_send({peers:group}, {peer}, {receivers}, get_read_ptr({cb}),\n"
        "          get_write_ptr({there}), {pages:*} * {cb:bytes});",
        DATAFLOW,
    ),
    ops.MULTICAST_OFFER: Spelling("multicast_offer({group:group});", DATAFLOW),
    ops.MULTICAST_AWAIT: Spelling("multicast_await({group:group});", DATAFLOW),
    ops.TENSOR_TAKE: Spelling("tensor_take({tensor:taken});", DATAFLOW),
    ops.TENSOR_GIVE: Spelling("tensor_give({tensor:taken});", DATAFLOW),
    ops.GIVE_SCALAR: Spelling("give_scalar({cb}, {value});", DATAFLOW),
    ops.NOC_READ_BARRIER: Spelling("noc_async_read_barrier();", DATAFLOW),
    ops.NOC_WRITE_BARRIER: Spelling("noc_async_write_barrier();", DATAFLOW),
    ops.NOC_WRITES_FLUSHED: Spelling("noc_async_writes_flushed();", DATAFLOW),
    ops.NOC_ATOMIC_BARRIER: Spelling("noc_async_atomic_barrier();", DATAFLOW),
    **{
        op: _plain(op, _CB)
        for op in (ops.CB_RESERVE_BACK, ops.CB_PUSH_BACK, ops.CB_WAIT_FRONT, ops.CB_POP_FRONT)
    },
    **{
        op: _plain(op, _REG)
        for op in (
            ops.TILE_REGS_ACQUIRE,
            ops.TILE_REGS_COMMIT,
            ops.TILE_REGS_WAIT,
            ops.TILE_REGS_RELEASE,
        )
    },
    ops.HW_STARTUP: _plain(ops.HW_STARTUP, _STARTUP),
    ops.HW_STARTUP_REVERSE: _plain(
        ops.HW_STARTUP_REVERSE, _STARTUP, "compute_kernel_hw_startup<SrcOrder::Reverse>"
    ),
    ops.RECONFIG_SRC_A: _plain(ops.RECONFIG_SRC_A, _RECONFIG),
    ops.RECONFIG_SRC_B: _plain(ops.RECONFIG_SRC_B, _RECONFIG),
    ops.RECONFIG_PACK: _plain(ops.RECONFIG_PACK, _RECONFIG),
    ops.PACK_ACCUMULATE: Spelling("pack_reconfig_l1_acc({enable});", _PACK),
    ops.PACK_TILE: Spelling("pack_tile<true>({dst}, {cb}, {page});", _PACK),
    ops.COPY_INIT: _plain(ops.COPY_INIT, _MOVE),
    ops.COPY_TILE: _plain(ops.COPY_TILE, _MOVE),
    ops.TRANSPOSE_INIT: _plain(ops.TRANSPOSE_INIT, _TRANSPOSE),
    ops.TRANSPOSE_TILE: _plain(ops.TRANSPOSE_TILE, _TRANSPOSE),
    ops.MATMUL_BLOCK_INIT: _plain(ops.MATMUL_BLOCK_INIT, _MATMUL),
    ops.MATMUL_BLOCK: _plain(ops.MATMUL_BLOCK, _MATMUL),
    ops.SCALAR_INIT: _plain(ops.SCALAR_INIT, _UNARY + "binop_with_scalar.h"),
    ops.FILL_INIT: _plain(ops.FILL_INIT, _UNARY + "fill.h"),
    ops.FILL_TILE: _plain(ops.FILL_TILE, _UNARY + "fill.h"),
    ops.COPY_DEST_INIT: _plain(ops.COPY_DEST_INIT, "api/compute/copy_dest_values.h"),
    ops.COPY_DEST: Spelling(
        "copy_dest_values<DataFormat::{format}>({x}, {out});", "api/compute/copy_dest_values.h"
    ),
}
_BROADCAST_TYPES = {"row": "ROW", "column": "COL", "scalar": "SCALAR"}
for _name, _broadcast in ops.UNARY_BROADCAST.items():
    _type = f"BroadcastType::{_BROADCAST_TYPES[_name]}"
    for _op in (_broadcast.tile, _broadcast.to_dest):
        SPELLINGS[_op] = _plain(_op, _BCAST, f"unary_bcast<{_type}>")
    assert _broadcast.tile.init is not None
    SPELLINGS[_broadcast.tile.init] = _plain(
        _broadcast.tile.init, _BCAST, f"unary_bcast_init<{_type}>"
    )
_POOLS = {"sum": "SUM", "max": "MAX"}
_REDUCE_DIMS = {"row": "REDUCE_ROW", "column": "REDUCE_COL"}
for (_kind, _dim), _op in ops.REDUCE.items():
    _how = f"<PoolType::{_POOLS[_kind]}, ReduceDim::{_REDUCE_DIMS[_dim]}>"
    SPELLINGS[_op] = Spelling(
        f"reduce_tile{_how}({{cb}}, {{scaler}}, {{page}}, 0, {{dst}});", _REDUCE
    )
    assert _op.init is not None
    SPELLINGS[_op.init] = _plain(_op.init, _REDUCE, f"reduce_init{_how}")
SPELLINGS[ops.REDUCE_UNINIT] = _plain(ops.REDUCE_UNINIT, _REDUCE)
_UNARY_HEADERS = {
    "relu": _UNARY + "relu.h",
    "exp": _UNARY + "exp.h",
    "exp2": _API,
    "log": _API,
    "sqrt": _UNARY + "sqrt.h",
    "rsqrt": _UNARY + "rsqrt.h",
    "tanh": _API,
    "sigmoid": _API,
    "abs": _API,
    "recip": _UNARY + "recip.h",
    "negative": _UNARY + "negative.h",
    "erf": _UNARY + "erf_erfc.h",
    "floor": _UNARY + "rounding.h",
    "ceil": _UNARY + "rounding.h",
    "trunc": _UNARY + "rounding.h",
    "sin": _UNARY + "trigonometry.h",
    "cos": _UNARY + "trigonometry.h",
    "log1p": _UNARY + "log1p.h",
}
_ROUNDING = ("floor", "ceil", "trunc")


def _with_init(op: OpDef, header: str) -> dict[OpDef, Spelling]:
    assert op.init is not None, op
    return {op: _plain(op, header), op.init: _plain(op.init, header)}


for _name, _op in ops.SFPU_UNARY.items():
    SPELLINGS |= _with_init(_op, _UNARY_HEADERS[_name])
    if _name in _ROUNDING:  # one set-up for all
        assert _op.init is not None
        SPELLINGS[_op.init] = _plain(_op.init, _UNARY_HEADERS[_name], "rounding_op_tile_init")
for _name, _op in ops.SFPU_BINARY.items():
    SPELLINGS |= _with_init(_op, _MAX_MIN if _name in ("max", "min") else _BINARY_SFPU)
for _name, _op in ops.SFPU_SCALAR.items():
    _header = "comp.h" if _name in ops.COMPARISONS else "binop_with_scalar.h"
    SPELLINGS |= _with_init(_op, _UNARY + _header)
SPELLINGS |= _with_init(ops.WHERE, _UNARY + "where.h")
SPELLINGS[ops.WHERE] = Spelling(
    "where_tile<DataFormat::{format}>({condition}, {yes}, {no}, {out});", _UNARY + "where.h"
)
_INT_CALLS = {
    "add": ("add_int_tile", "add_int_sfpu.h", "add_int_tile_init"),
    "sub": ("sub_int_tile", "sub_int_sfpu.h", "sub_int_tile_init"),
    "mul": ("mul_int_tile", "mul_int_sfpu.h", "mul_int_tile_init<DataFormat::Int32>"),
    "max": ("binary_max_int32_tile", "binary_max_min.h", "binary_max_int32_tile_init"),
    "min": ("binary_min_int32_tile", "binary_max_min.h", "binary_min_int32_tile_init"),
    "and": ("bitwise_and_binary_tile", "binary_bitwise_sfpu.h", "binary_bitwise_tile_init"),
    "or": ("bitwise_or_binary_tile", "binary_bitwise_sfpu.h", "binary_bitwise_tile_init"),
    "xor": ("bitwise_xor_binary_tile", "binary_bitwise_sfpu.h", "binary_bitwise_tile_init"),
    "shift_left": ("binary_left_shift_tile", "binary_shift.h", "binary_shift_tile_init"),
    "shift_right": ("binary_right_shift_tile", "binary_shift.h", "binary_shift_tile_init"),
    "floor_div": ("div_int32_floor_tile", "div_int32_floor.h", "div_int32_floor_tile_init"),
    "trunc_div": ("div_int32_trunc_tile", "div_int32_floor.h", "div_int32_trunc_tile_init"),
    "floor_mod": ("remainder_int32_tile", "binary_remainder.h", "remainder_int32_tile_init"),
    "trunc_mod": ("fmod_int32_tile", "binary_fmod.h", "fmod_int32_tile_init"),
} | {
    name: (f"{name}_int_tile", "binary_comp.h", f"{name}_int_tile_init<DataFormat::Int32>")
    for name in ops.COMPARISONS
}
"""Call, header and set-up of each operation on int32; some calls are of that type only."""
for _name, _op in ops.INT_BINARY.items():
    _call, _header, _init = _INT_CALLS[_name]
    _format = "" if "int32" in _call else "<DataFormat::Int32>"
    assert _op.init is not None
    SPELLINGS[_op] = _plain(_op, f"api/compute/{_header}", _call + _format)
    SPELLINGS[_op.init] = _plain(_op.init, f"api/compute/{_header}", _init)
SPELLINGS[ops.FILL_INT] = Spelling(
    "fill_tile_int<DataFormat::Int32>({dst}, {value});", _UNARY + "fill.h"
)
_FORMATS = {"float32": "Float32", "int32": "Int32", "int8": "Int8", "uint8": "UInt8"}
for (_dtype, _kind, _dim), _op in ops.SFPU_REDUCE.items():
    _how = f"PoolType::{_POOLS[_kind]}, DataFormat::{_FORMATS[_dtype]}"
    _callee = f"sfpu_reduce<{_how}, ReduceDim::{_REDUCE_DIMS[_dim]}>"
    SPELLINGS[_op] = _plain(_op, _API, _callee)
    assert _op.init is not None
    SPELLINGS[_op.init] = _plain(_op.init, _API, f"sfpu_reduce_init<{_how}>")
for (_from, _to), _op in ops.TYPECAST.items():
    _pair = ", ".join(
        f"static_cast<uint32_t>(DataFormat::{_FORMATS[dtype]})" for dtype in (_from, _to)
    )
    assert _op.init is not None
    SPELLINGS[_op] = _plain(_op, _UNARY + "typecast.h", f"typecast_tile<{_pair}>")
    SPELLINGS[_op.init] = _plain(_op.init, _UNARY + "typecast.h", f"typecast_tile_init<{_pair}>")
_BROADCAST_NAMES = {"row": "rows", "column": "cols", "scalar": "scalar"}
for _broadcast, _binary in ops.FPU_BINARY.items():
    for _name, _op in _binary.items():
        if not _broadcast:
            SPELLINGS |= _with_init(_op, _BINARY)
            continue
        _suffix = f"_bcast_{_BROADCAST_NAMES[_broadcast]}"
        assert _op.init is not None, _op
        SPELLINGS[_op] = _plain(_op, _BCAST, f"{_name}_tiles{_suffix}")
        SPELLINGS[_op.init] = _plain(_op.init, _BCAST, f"{_name}{_suffix}_init")

VALUES: dict[OpDef, Spelling] = {
    ops.READ_SCALAR: Spelling(
        "read_scalar<{word}>(\n    {tensor:held}, {tensor}, {page}, {element}, {by})", DATAFLOW
    ),
    ops.TAKE_SCALAR: Spelling("take_scalar({cb})", _CB),
}
"""Calls whose results get a name."""
