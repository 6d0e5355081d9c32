"""LowerElementwise: nests become operations on tiles of DST."""

import pytest
import tilelang.language as tl
from helpers import (
    DEVICE,
    assert_same,
    at,
    calls,
    check_unchanged,
    fragment,
    planned,
    scripted,
    shared,
    transpose,
    until,
)

from tilelang_tt.diagnostics import DstOverflow, UnsupportedExpression
from tilelang_tt.ir import ops
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.lower_elementwise import LowerElementwise

LOWER = LowerElementwise(DEVICE)


def test_operations_run_over_all_tiles_in_turn():
    @T.prim_func(private=True)
    def before():
        T.func_attr({"tt.fp32_dest_acc": False})
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            C_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            for i in T.parallel(64):
                for j in T.parallel(64):
                    C_s[i, j] = A_s[i, j] + B_s[i, j]

    @T.prim_func(private=True)
    def expected():
        T.func_attr({"tt.fp32_dest_acc": False})
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            C_s = T.sblock_alloc_buffer((64, 64), "bfloat16", scope="shared.dyn")
            with T.attr(0, "tt.dst_section", "math, then pack"):
                for t in range(4):
                    T.add_tiles(A_s.data, B_s.data, t, t, t)
                for t in range(4):
                    T.pack_tile(t, C_s.data, t)

    assert_same(LOWER.rewrite(planned(before)), planned(expected))


def test_a_transposition_turns_every_tile():
    @T.prim_func(private=True)
    def before():
        T.func_attr({"tt.fp32_dest_acc": False})
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((2, 96, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((2, 64, 96), "bfloat16", scope="shared.dyn")
            transpose(A_s, B_s)

    @T.prim_func(private=True)
    def expected():
        T.func_attr({"tt.fp32_dest_acc": False})
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((2, 96, 64), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((2, 64, 96), "bfloat16", scope="shared.dyn")
            for b in range(2):
                for r in range(2):
                    with T.attr(0, "tt.dst_section", "math, then pack"):
                        for t in range(3):
                            T.transpose_tile(A_s.data, b * 6 + t * 2 + r, t)
                        for t in range(3):
                            T.pack_tile(t, B_s.data, b * 6 + r * 3 + t)

    assert_same(LOWER.rewrite(planned(before)), planned(expected))


def function(value, shape, *, is_fp32=False, dst="O", orders=(), **buffers):
    indices = "ijkl"[: len(shape)]
    loops = "".join(
        "    " * depth + f"for {var} in T.parallel({extent}):\n"
        for depth, (var, extent) in enumerate(zip(indices, shape, strict=True))
    )
    body = loops + "    " * len(shape) + f"{dst}[{', '.join(indices)}] = {value}"
    return lowered(body, is_fp32=is_fp32, orders=orders, **buffers)


def lowered(body, *, is_fp32=False, orders=(), scalars=("n",), **buffers):
    func = scripted(body, scalars=scalars, attributes={"tt.fp32_dest_acc": is_fp32}, **buffers)
    return planned(func, **{name: {"order": "column"} for name in orders})


SECTION = 'with T.attr(0, "tt.dst_section", "math, then pack"):\n'
TILES = {"S": shared(64, 64), "O": shared(64, 64)}
ONE = {"S": shared(32, 32), "O": shared(32, 32)}
LOWERED = {
    "a tile": (
        ("S[i, j] * S[i, j]", (32, 32)),
        {},
        ONE,
        SECTION + "    T.mul_tiles(S.data, S.data, 0, 0, 0)\n    T.pack_tile(0, O.data, 0)",
    ),
    "several operations per tile": (
        ("T.exp(S[i, j]) + S[i, j]", (64, 64)),
        {},
        TILES,
        SECTION
        + "    for t in range(4): T.copy_tile(S.data, t, t * 2)\n"
        + "    for t in range(4): T.copy_dest_values(t * 2, t * 2 + 1, 'Float16_b')\n"
        + "    for t in range(4): T.exp_tile(t * 2 + 1)\n"
        + "    for t in range(4): T.add_binary_tile(t * 2 + 1, t * 2, t * 2)\n"
        + "    for t in range(4): T.pack_tile(t * 2, O.data, t)",
    ),
    "more tiles than registers": (
        ("S[i, j] - S[i, j]", (128, 96)),
        {},
        {"S": shared(128, 96), "O": shared(128, 96)},
        "for chunk in range(2):\n    "
        + SECTION
        + "        for t in range(6):\n"
        + "            T.sub_tiles(S.data, S.data, chunk * 6 + t, chunk * 6 + t, t)\n"
        + "        for t in range(6): T.pack_tile(t, O.data, chunk * 6 + t)",
    ),
    "a row for all rows": (
        ("S[i, j] + V[0, j]", (64, 64)),
        {},
        {**TILES, "V": shared(1, 64)},
        SECTION
        + "    for t in range(4): T.add_tiles_bcast_row(S.data, V.data, t, t % 2, t)\n"
        + "    for t in range(4): T.pack_tile(t, O.data, t)",
    ),
    "a column for all columns": (
        ("S[i, j] - V[i, 0]", (64, 64)),
        {},
        {**TILES, "V": shared(64, 1)},
        SECTION
        + "    for t in range(4): T.sub_tiles_bcast_column(S.data, V.data, t, t % 4 // 2, t)\n"
        + "    for t in range(4): T.pack_tile(t, O.data, t)",
    ),
    "an element for all": (
        ("S[i, j] * V[0, 0]", (64, 64)),
        {},
        {**TILES, "V": shared(1, 1)},
        SECTION
        + "    for t in range(4): T.mul_tiles_bcast_scalar(S.data, V.data, t, 0, t)\n"
        + "    for t in range(4): T.pack_tile(t, O.data, t)",
    ),
    "a column of each of a batch": (
        ("S[i, j, k] + V[i, j, 0]", (2, 64, 64)),
        {},
        {"S": shared(2, 64, 64), "V": shared(2, 64, 1), "O": shared(2, 64, 64)},
        SECTION
        + "    for t in range(8): T.add_tiles_bcast_column(S.data, V.data, t, t % 8 // 2, t)\n"
        + "    for t in range(8): T.pack_tile(t, O.data, t)",
    ),
    "a choice": (
        ("T.if_then_else(S[i, j] > R[i, j], S[i, j], T.bfloat16(0))", (32, 32)),
        {},
        {**ONE, "R": shared(32, 32)},
        SECTION + "    T.copy_tile(S.data, 0, 0)\n"
        "    T.copy_tile(R.data, 0, 1)\n"
        "    T.gt_binary_tile(0, 1, 1)\n"
        "    T.fill_tile_bitcast(2, T.float_bits(T.float32(0)))\n"
        "    T.where_tile(1, 0, 2, 0, 'Float16_b')\n"
        "    T.pack_tile(0, O.data, 0)",
    ),
    "a number that differs from tile to tile": (
        ("S[i, j] + T.Cast('bfloat16', i // 32 * 32 - j // 32 * 64 + n)", (96, 64)),
        {},
        {"S": shared(96, 64), "O": shared(96, 64)},
        SECTION
        + "    for t in range(6): T.copy_tile(S.data, t, t)\n"
        + "    for t in range(6):\n"
        + "        T.add_unary_tile(t, T.float_bits(t % 6 // 2 * 32 + n - t % 2 * 64))\n"
        + "    for t in range(6): T.pack_tile(t, O.data, t)",
    ),
    "a number that differs from chunk to chunk": (
        ("S[i, j] * T.Cast('bfloat16', i // 32)", (512, 32)),
        {},
        {"S": shared(512, 32), "O": shared(512, 32)},
        "for chunk in range(2):\n    "
        + SECTION
        + "        for t in range(8): T.copy_tile(S.data, chunk * 8 + t, t)\n"
        + "        for t in range(8): T.mul_unary_tile(t, T.float_bits((chunk * 8 + t) % 16))\n"
        + "        for t in range(8): T.pack_tile(t, O.data, chunk * 8 + t)",
    ),
    "a number of a batch": (
        ("S[i, j, k] * T.Cast('bfloat16', i + j // 32)", (3, 64, 32)),
        {},
        {"S": shared(3, 64, 32), "O": shared(3, 64, 32)},
        SECTION
        + "    for t in range(6): T.copy_tile(S.data, t, t)\n"
        + "    for t in range(6): T.mul_unary_tile(t, T.float_bits(t % 6 // 2 + t % 2))\n"
        + "    for t in range(6): T.pack_tile(t, O.data, t)",
    ),
    "an index tile": (
        ("T.Cast('bfloat16', i - j * 2)", (32, 32)),
        {},
        {"O": shared(32, 32)},
        "T.write_affine_tile(O.data, 0, 1, -2, 'uint16_t', 'bfloat16_bits')",
    ),
    "an index tile of columns": (
        ("T.Cast('float32', j)", (32, 32)),
        {},
        {"O": shared(32, 32, dtype="float32")},
        "T.write_affine_tile(O.data, 0, 0, 1, 'uint32_t', 'float_bits')",
    ),
    "an index tile of rows": (
        ("T.Cast('float16', i)", (32, 32)),
        {},
        {"O": shared(32, 32, dtype="float16")},
        "T.write_affine_tile(O.data, 0, 1, 0, 'uint16_t', 'float16_bits')",
    ),
    "vectors among themselves": (
        ("V[i, j] + V[i, j]", (1, 64)),
        {},
        {"V": shared(1, 64), "O": shared(1, 64)},
        SECTION
        + "    for t in range(2): T.add_tiles(V.data, V.data, t, t, t)\n"
        + "    for t in range(2): T.pack_tile(t, O.data, t)",
    ),
    "one tile for all": (
        ("S[i, j] + Z[i % 32, j % 32]", (64, 64)),
        {},
        {**TILES, "Z": shared(32, 32)},
        SECTION
        + "    for t in range(4): T.add_tiles(S.data, Z.data, t, 0, t)\n"
        + "    for t in range(4): T.pack_tile(t, O.data, t)",
    ),
    "a buffer kept by columns": (
        ("S[i, j] + R[i, j]", (64, 96)),
        {"orders": ["R"]},
        {"S": shared(64, 96), "R": shared(64, 96), "O": shared(64, 96)},
        SECTION
        + "    for t in range(6): T.add_tiles(S.data, R.data, t, t % 3 * 2 + t % 6 // 3, t)\n"
        + "    for t in range(6): T.pack_tile(t, O.data, t)",
    ),
    "a result kept by columns": (
        ("S[i, j] + S[i, j]", (64, 96)),
        {"orders": ["O"]},
        {"S": shared(64, 96), "O": shared(64, 96)},
        SECTION
        + "    for t in range(6): T.add_tiles(S.data, S.data, t, t, t)\n"
        + "    for t in range(6): T.pack_tile(t, O.data, t % 3 * 2 + t % 6 // 3)",
    ),
    "a matrix for each of a batch": (
        ("S[i, j, k] * R[j, k]", (2, 64, 64)),
        {},
        {"S": shared(2, 64, 64), "R": shared(64, 64), "O": shared(2, 64, 64)},
        SECTION
        + "    for t in range(8): T.mul_tiles(S.data, R.data, t, t % 4, t)\n"
        + "    for t in range(8): T.pack_tile(t, O.data, t)",
    ),
    "a matrix for all of a batch, with its dimension of one": (
        ("S[i, j, k] * R[0, j, k]", (2, 64, 64)),
        {},
        {"S": shared(2, 64, 64), "R": shared(1, 64, 64), "O": shared(2, 64, 64)},
        SECTION
        + "    for t in range(8): T.mul_tiles(S.data, R.data, t, t % 4, t)\n"
        + "    for t in range(8): T.pack_tile(t, O.data, t)",
    ),
    "a matrix for each of the inner of two batches": (
        ("S[i, j, k, l] * R[j, k, l]", (2, 3, 32, 32)),
        {},
        {"S": shared(2, 3, 32, 32), "R": shared(3, 32, 32), "O": shared(2, 3, 32, 32)},
        SECTION
        + "    for t in range(6): T.mul_tiles(S.data, R.data, t, t % 3, t)\n"
        + "    for t in range(6): T.pack_tile(t, O.data, t)",
    ),
    "a scalar": (
        ("S[i, j] * T.bfloat16(2)", (32, 32)),
        {},
        ONE,
        SECTION + "    T.copy_tile(S.data, 0, 0)\n"
        "    T.mul_unary_tile(0, T.float_bits(T.float32(2)))\n"
        "    T.pack_tile(0, O.data, 0)",
    ),
    "a constant": (
        ("T.bfloat16(3)", (32, 32)),
        {},
        ONE,
        SECTION + "    T.fill_tile_bitcast(0, T.float_bits(T.float32(3)))\n"
        "    T.pack_tile(0, O.data, 0)",
    ),
}


@pytest.mark.parametrize("nest, options, buffers, expected", LOWERED.values(), ids=LOWERED)
def test_lowered(nest, options, buffers, expected):
    before = function(*nest, **options, **buffers)
    after = lowered(expected, orders=options.get("orders", ()), **buffers)
    assert_same(LOWER.rewrite(before), after)
    assert_same(LOWER.rewrite(after), after)


@pytest.mark.parametrize(
    "dtype, is_fp32, op",
    [
        ("bfloat16", False, ops.FPU_BINARY[""]["add"]),
        ("float16", True, ops.FPU_BINARY[""]["add"]),
        ("float32", True, ops.SFPU_BINARY["add"]),
        ("float32", False, ops.SFPU_BINARY["add"]),
    ],
)
def test_the_matrix_unit_computes_what_it_reads_exactly(dtype, is_fp32, op):
    buffers = {name: shared(32, 32, dtype=dtype) for name in "SRO"}
    after = LOWER.rewrite(function("S[i, j] + R[i, j]", (32, 32), is_fp32=is_fp32, **buffers))
    assert len(calls(after, op)) == 1


@pytest.mark.parametrize(
    "dtype, is_fp32, name",
    [
        ("bfloat16", False, "Float16_b"),
        ("float16", False, "Float16"),
        ("float16", True, "Float32"),
        ("float32", True, "Float32"),
    ],
)
def test_a_copy_in_dst_names_its_format(dtype, is_fp32, name):
    buffers = {key: shared(32, 32, dtype=dtype) for key in "SO"}
    value = "T.exp(S[i, j]) / S[i, j]"
    after = LOWER.rewrite(function(value, (32, 32), is_fp32=is_fp32, **buffers))
    (copied,) = calls(after, ops.COPY_DEST)
    assert ops.COPY_DEST.operand(copied, "format").value == name


def test_one_buffer_of_16_bits_decides_the_format_of_16_bit_registers():
    buffers = {"S": shared(32, 32, dtype="float16"), "O": shared(32, 32, dtype="float32")}
    value = "T.Cast('float32', T.exp(S[i, j]) / S[i, j])"
    (copied,) = calls(LOWER.rewrite(function(value, (32, 32), **buffers)), ops.COPY_DEST)
    assert ops.COPY_DEST.operand(copied, "format").value == "Float16"


@pytest.mark.parametrize(
    "broadcast, shape, access",
    [
        ("row", (1, 32), "V[0, j]"),
        ("column", (32, 1), "V[i, 0]"),
        ("scalar", (1, 1), "V[0, 0]"),
    ],
)
def test_a_vector_whose_32_bits_go_straight_to_dst_is_broadcast_there(broadcast, shape, access):
    buffers = {"S": shared(32, 32, dtype="float32"), "O": shared(32, 32, dtype="float32")}
    vector = {"V": shared(*shape, dtype="float32")}
    before = function(f"S[i, j] / {access}", (32, 32), is_fp32=True, **buffers, **vector)
    to_dest = {"unpack_to_dest": True}
    direct = planned(before, V=to_dest, S=to_dest)
    spread = ops.UNARY_BROADCAST[broadcast]
    for func, op in ((before, spread.tile), (direct, spread.to_dest)):
        after = LOWER.rewrite(func)
        assert len(calls(after, op)) == len(calls(after, ops.COPY_TILE)) == 1


def test_products_move_to_the_vector_unit_where_registers_are_short():
    products = [f"B{n}[i, j] * B{n + 1}[i, j]" for n in range(0, 10, 2)]
    value = products[0]
    for product in products[1:]:
        value = f"({value}) / ({product})"
    buffers = {name: shared(32, 32) for name in [*(f"B{n}" for n in range(10)), "O"]}
    wide = LOWER.rewrite(function(value, (32, 32), **buffers))
    narrow = LOWER.rewrite(function(value, (32, 32), is_fp32=True, **buffers))
    assert len(calls(wide, ops.FPU_BINARY[""]["mul"])) == 5
    assert len(calls(narrow, ops.FPU_BINARY[""]["mul"])) == 0
    assert len(calls(narrow, ops.SFPU_BINARY["mul"])) == 5


@pytest.mark.parametrize("is_fp32, together", [(False, 8), (True, 4)])
def test_as_many_tiles_as_dst_holds_are_worked_on_together(is_fp32, together):
    buffers = {"S": shared(128, 128), "O": shared(128, 128)}
    after = LOWER.rewrite(function("S[i, j] + S[i, j]", (128, 128), is_fp32=is_fp32, **buffers))
    chunks = after.body.block.body
    assert chunks.extent.value == 16 // together


@pytest.mark.parametrize("body", ["copy(S, O)", "gemm(S, S, O)"])
def test_untouched(body):
    check_unchanged(LOWER, lowered(body, **TILES))


def test_an_expression_that_needs_too_many_registers_is_refused():
    leaves = [f"T.exp(B{n}[i, j])" for n in range(16)]
    while len(leaves) > 1:
        leaves = [f"({a} / {b})" for a, b in zip(leaves[::2], leaves[1::2], strict=True)]
    buffers = {f"B{n}": shared(32, 32, dtype="float32") for n in range(16)}
    func = function(leaves[0], (32, 32), is_fp32=True, **buffers, O=shared(32, 32, dtype="float32"))
    with pytest.raises(DstOverflow, match=r"TT4003: .* needs 5 destination registers, 4 are there"):
        LOWER.rewrite(func)


def test_an_expression_without_lowering_is_refused_at_its_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            C_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, A_s)
            for i, j in tl.Parallel(64, 64):  # <- loop
                C_s[i, j] = tl.acos(A_s[i, j])  # <- assignment
            tl.copy(C_s, C)

    pattern = at("TT1007: T.acos(", __file__, "# <- loop", "# <- assignment")
    with pytest.raises(UnsupportedExpression, match=pattern):
        LOWER.rewrite(until(kernel, LOWER.name))


def test_fragments_are_like_shared_buffers():
    buffers = {"S": fragment(32, 32), "O": fragment(32, 32)}
    after = lowered(
        SECTION + "    T.add_tiles(S.data, S.data, 0, 0, 0)\n    T.pack_tile(0, O.data, 0)",
        **buffers,
    )
    assert_same(LOWER.rewrite(function("S[i, j] + S[i, j]", (32, 32), **buffers)), after)
