"""Statements in C++."""

import re

import pytest
from tvm import tirx

from tilelang_tt.codegen.calls import SPELLINGS, VALUES
from tilelang_tt.codegen.names import Scope
from tilelang_tt.codegen.stmt import Context, print_stmt
from tilelang_tt.diagnostics import UnprintableStmt
from tilelang_tt.ir import ops

i, n = tirx.Var("i", "int32"), tirx.Var("n", "int32")
cb, tensor = tirx.Var("cb", "handle"), tirx.Var("A", "handle")


def printed(stmt):
    scope = Scope()
    names = {n: scope.take("n"), cb: scope.take("cb_A"), tensor: scope.take("A")}
    facts = {kind: {cb: f"A_{kind}"} for kind in ("bytes", "pages", "blocks", "first", "next")}
    facts["taken"] = {tensor: "A_taken"}
    context = Context(names, facts, {"row": "row_group"}, scope)
    return list(print_stmt(stmt, context))


def push(pages):
    return ops.CB_PUSH_BACK.stmt(cb, pages)


def loop(var, first, extent, body):
    return tirx.For(var, first, extent, tirx.ForKind.SERIAL, body)


def test_a_loop():
    assert printed(loop(i, 0, n, push(i))) == [
        "for (int32_t i = 0; i < n; ++i) {",
        "  cb_push_back(cb_A, i);",
        "}",
    ]


def test_a_loop_that_does_not_start_at_zero():
    (head, _, _) = printed(loop(i, n, tirx.const(4, "int32"), push(i)))
    assert head == "for (int32_t i = n; i < n + 4; ++i) {"


def test_a_loop_variable_gets_a_name_of_its_own():
    outer, inner = tirx.Var("n", "int32"), tirx.Var("n", "int32")
    assert printed(loop(outer, 0, n, loop(inner, 0, outer, push(inner + outer)))) == [
        "for (int32_t n_1 = 0; n_1 < n; ++n_1) {",
        "  for (int32_t n_2 = 0; n_2 < n_1; ++n_2) {",
        "    cb_push_back(cb_A, n_2 + n_1);",
        "  }",
        "}",
    ]


def test_loops_one_after_the_other_may_share_a_name():
    first, second = tirx.Var("i", "int32"), tirx.Var("i", "int32")
    lines = printed(
        tirx.SeqStmt([loop(first, 0, 2, push(first)), loop(second, 0, 3, push(second))])
    )
    assert [line for line in lines if line.startswith("for")] == [
        "for (int32_t i = 0; i < 2; ++i) {",
        "for (int32_t i = 0; i < 3; ++i) {",
    ]


def test_a_branch():
    assert printed(tirx.IfThenElse(n < 1, push(1), None)) == [
        "if (n < 1) {",
        "  cb_push_back(cb_A, 1);",
        "}",
    ]
    assert printed(tirx.IfThenElse(n < 1, push(1), push(2)))[2:] == [
        "} else {",
        "  cb_push_back(cb_A, 2);",
        "}",
    ]


CALLS = {
    "a read": (
        ops.NOC_READ.stmt(tensor, n + 1, cb, n + 2),
        ["noc_async_read_page(", "    n + 1, A, get_write_ptr(cb_A) + (n + 2) * A_bytes);"],
    ),
    "room for two blocks": (
        ops.RESERVE_AHEAD.stmt(cb),
        [
            "cb_reserve_back(cb_A, 2 * A_pages);",
            "const uint32_t A_next = block_after(",
            "    get_write_ptr(cb_A), A_pages * A_bytes, A_first, A_blocks);",
        ],
    ),
    "a read ahead": (
        ops.NOC_READ_AHEAD.stmt(tensor, n, cb, n + 2),
        ["noc_async_read_page(", "    n, A, A_next + (n + 2) * A_bytes);"],
    ),
    "zeros ahead": (
        ops.ZERO_PAGE_AHEAD.stmt(cb, n),
        ["zero_page(A_next + n * A_bytes, A_bytes);"],
    ),
    "a write": (
        ops.NOC_WRITE.stmt(tensor, n, cb, n * 2),
        ["noc_async_write_page(", "    n, A, get_read_ptr(cb_A) + n * 2 * A_bytes);"],
    ),
    "a barrier": (ops.NOC_READ_BARRIER.stmt(), ["noc_async_read_barrier();"]),
    "the pages of a block": (
        ops.CB_WAIT_FRONT.stmt(cb, ops.BLOCK_PAGES.call(cb)),
        ["cb_wait_front(cb_A, A_pages);"],
    ),
    "packing": (ops.PACK_TILE.stmt(n, cb, n * 2), ["pack_tile<true>(n, cb_A, n * 2);"]),
    "accumulating": (
        ops.PACK_ACCUMULATE.stmt(cb, tirx.NE(n, 0)),
        ["pack_reconfig_l1_acc(n != 0);"],
    ),
    "a row": (
        ops.UNARY_BROADCAST["row"].tile.stmt(cb, 0, n),
        ["unary_bcast<BroadcastType::ROW>(cb_A, 0, n);"],
    ),
    "a column straight to DST": (
        ops.UNARY_BROADCAST["column"].to_dest.stmt(cb, 0, n),
        ["unary_bcast<BroadcastType::COL>(cb_A, 0, n);"],
    ),
    "an element": (
        ops.UNARY_BROADCAST["scalar"].tile.stmt(cb, 0, n),
        ["unary_bcast<BroadcastType::SCALAR>(cb_A, 0, n);"],
    ),
    "a product with a row": (
        ops.FPU_BINARY["row"]["mul"].stmt(cb, cb, 0, n, 1),
        ["mul_tiles_bcast_rows(cb_A, cb_A, 0, n, 1);"],
    ),
    "a difference with a column": (
        ops.FPU_BINARY["column"]["sub"].stmt(cb, cb, 0, n, 1),
        ["sub_tiles_bcast_cols(cb_A, cb_A, 0, n, 1);"],
    ),
    "the set-up of a sum with an element": (
        ops.FPU_BINARY["scalar"]["add"].init.stmt(cb, cb),
        ["add_bcast_scalar_init(cb_A, cb_A);"],
    ),
    "the sum of rows": (
        ops.REDUCE["sum", "row"].stmt(cb, cb, n, 1, cb),
        ["reduce_tile<PoolType::SUM, ReduceDim::REDUCE_ROW>(cb_A, cb_A, n, 0, 1);"],
    ),
    "the set-up of the maximum of columns": (
        ops.REDUCE["max", "column"].init.stmt(cb, cb, cb),
        ["reduce_init<PoolType::MAX, ReduceDim::REDUCE_COL>(cb_A, cb_A, cb_A);"],
    ),
    "a choice": (
        ops.WHERE.stmt(0, 1, 2, 0, tirx.StringImm("Float16_b")),
        ["where_tile<DataFormat::Float16_b>(0, 1, 2, 0);"],
    ),
    "a comparison with a constant": (
        ops.SFPU_SCALAR["lt"].stmt(0, ops.FLOAT_BITS.call(tirx.const(2.0, "float32"))),
        ["unary_lt_tile(0, 0x40000000u /* 2 */);"],
    ),
    "the set-up of rounding": (ops.SFPU_UNARY["floor"].init.stmt(), ["rounding_op_tile_init();"]),
    "a number made when the kernel runs": (
        ops.FILL_TILE.stmt(0, ops.FLOAT_BITS.call(n * 2)),
        ["fill_tile_bitcast(0, float_bits(n * 2));"],
    ),
    "a tile of indices": (
        ops.WRITE_AFFINE_TILE.stmt(
            cb, 0, -1, 1, tirx.StringImm("uint16_t"), tirx.StringImm("bfloat16_bits")
        ),
        [
            "write_affine_tile<uint16_t, bfloat16_bits>(",
            "    get_write_ptr(cb_A) + 0 * A_bytes, -1, 1);",
        ],
    ),
    "a copy in DST": (
        ops.COPY_DEST.stmt(0, 1, tirx.StringImm("Float32")),
        ["copy_dest_values<DataFormat::Float32>(0, 1);"],
    ),
    "a constant": (
        ops.FILL_TILE.stmt(0, ops.FLOAT_BITS.call(tirx.const(1.0, "float32"))),
        ["fill_tile_bitcast(0, 0x3f800000u /* 1 */);"],
    ),
    "a comment": (ops.COMMENT.stmt(tirx.StringImm("a.py:3: x")), ["// a.py:3: x"]),
    "nothing": (tirx.Evaluate(0), []),
}


@pytest.mark.parametrize("stmt, lines", CALLS.values(), ids=CALLS)
def test_call(stmt, lines):
    assert printed(stmt) == lines


def test_every_operation_that_a_kernel_may_hold_has_a_spelling():
    expressions = {ops.BLOCK_PAGES, ops.FLOAT_BITS, ops.FLOOR_DIV, ops.FLOOR_MOD, ops.SCALAR}
    marks = {
        ops.ACCUMULATE_BEGIN,
        ops.ACCUMULATE_ONTO,
        ops.ACCUMULATE_END,
        ops.DIRECTIVE,
    }  # gone before there are kernels
    statements = set(ops.BY_NAME.values()) - expressions - marks - {ops.COMMENT}
    assert set(SPELLINGS) | set(VALUES) == statements


@pytest.mark.parametrize("op", {**SPELLINGS, **VALUES}, ids=lambda op: op.name)
def test_the_holes_of_a_spelling_are_operands(op):
    spelling = {**SPELLINGS, **VALUES}[op]
    holes = re.findall(r"\{(\w+)", spelling.text)
    assert set(holes) <= set(op.operands)
    assert spelling.header.endswith(".h")
    assert spelling.text.endswith(";") == (op in SPELLINGS)


@pytest.mark.parametrize(
    "stmt",
    [
        tirx.Evaluate(tirx.call_intrin("int32", "tirx.tvm_storage_sync", "shared")),
        tirx.AttrStmt(tirx.const(0, "int32"), "tt.engine", tirx.StringImm("reader"), push(1)),
        tirx.While(n < 1, push(1)),
        tirx.BufferStore(tirx.decl_buffer((1,), "int32"), n, [0]),
    ],
    ids=lambda stmt: type(stmt).__name__,
)
def test_what_has_no_cpp_is_refused(stmt):
    with pytest.raises(UnprintableStmt, match=r"TT9001: no C\+\+ is defined for"):
        printed(stmt)


def test_a_tensor_is_taken_by_its_semaphore():
    assert printed(ops.TENSOR_TAKE.stmt(tensor)) == ["tensor_take(A_taken);"]
    assert printed(ops.TENSOR_GIVE.stmt(tensor)) == ["tensor_give(A_taken);"]
