"""LowerGemms: products become blocks of tile products."""

import dataclasses

import pytest
from helpers import (
    OPTIONS,
    assert_same,
    calls,
    check_unchanged,
    fragment,
    gemm,
    planned,
    scripted,
    shared,
)

from tilelang_tt.diagnostics import UnfitSubblock
from tilelang_tt.ir import attrs, ops
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.lower_gemms import LowerGemms

LOWER = LowerGemms(OPTIONS)


def test_a_product_fills_a_block_of_registers_and_packs_it():
    @T.prim_func(private=True)
    def before():
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            for k in range(4):
                gemm(A_s, B_s, C_l, clear=k == 0)

    @T.prim_func(private=True)
    def expected():
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            B_s = T.sblock_alloc_buffer((32, 64), "bfloat16", scope="shared.dyn")
            C_l = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            for k in range(4):
                T.pack_reconfig_l1_acc(C_l.data, k != 0)
                with T.attr(0, "tt.dst_section", "math, then pack"):
                    T.matmul_block(A_s.data, B_s.data, 0, 0, 0, 0, 2, 2, 1)
                    for r in range(2):
                        for c in range(2):
                            T.pack_tile(r * 2 + c, C_l.data, r * 2 + c)
                T.pack_reconfig_l1_acc(C_l.data, 0)

    assert_same(LOWER.rewrite(planned(before)), planned(expected))


def function(body, shapes, *, is_fp32=True, **orders):
    buffers = {
        "A_s": shared(*shapes[0]),
        "B_s": shared(*shapes[1]),
        "C_l": fragment(*shapes[2], dtype="float32"),
    }
    func = scripted(body, attributes={"tt.fp32_dest_acc": is_fp32}, **buffers)
    return planned(func, **{name: {"order": order} for name, order in orders.items()})


SECTION = 'with T.attr(0, "tt.dst_section", "math, then pack"):\n'
LOWERED = {
    "one tile": (
        "",
        [(32, 32), (32, 32), (32, 32)],
        {},
        SECTION + "    T.matmul_block(A_s.data, B_s.data, 0, 0, 0, 0, 1, 1, 1)\n"
        "    T.pack_tile(0, C_l.data, 0)",
    ),
    "a deep product": (
        "",
        [(64, 96), (96, 64), (64, 64)],
        {},
        SECTION + "    for kk in range(3):\n"
        "        T.matmul_block(A_s.data, B_s.data, kk, kk * 2, 0, 0, 2, 2, 3)\n"
        "    for r in range(2):\n        for c in range(2):\n"
        "            T.pack_tile(r * 2 + c, C_l.data, r * 2 + c)",
    ),
    "a result larger than the registers": (
        "",
        [(64, 32), (32, 128), (64, 128)],
        {},
        "for c in range(2):\n    "
        + SECTION
        + "        T.matmul_block(A_s.data, B_s.data, 0, c * 2, 0, 0, 2, 2, 1)\n"
        "        for r in range(2):\n            for q in range(2):\n"
        "                T.pack_tile(r * 2 + q, C_l.data, r * 4 + c * 2 + q)",
    ),
    "rows and columns of subblocks": (
        "",
        [(128, 64), (64, 128), (128, 128)],
        {},
        "for r in range(2):\n    for c in range(2):\n        "
        + SECTION
        + "            for kk in range(2):\n"
        "                T.matmul_block(\n"
        "                    A_s.data, B_s.data, r * 4 + kk, kk * 4 + c * 2, 0, 0, 2, 2, 2)\n"
        "            for p in range(2):\n                for q in range(2):\n"
        "                    T.pack_tile(\n"
        "                        p * 2 + q, C_l.data, r * 8 + p * 4 + c * 2 + q)",
    ),
    "a transposed operand kept by columns streams": (
        ", transpose_b=True",
        [(32, 64), (64, 64), (32, 64)],
        {"B_s": "column"},
        SECTION + "    for kk in range(2):\n"
        "        T.matmul_block(A_s.data, B_s.data, kk, kk * 2, 0, 1, 2, 1, 2)\n"
        "    for c in range(2): T.pack_tile(c, C_l.data, c)",
    ),
    "a transposed operand kept by rows goes column by column": (
        ", transpose_b=True",
        [(32, 64), (64, 64), (32, 64)],
        {},
        "for c in range(2):\n    " + SECTION + "        for kk in range(2):\n"
        "            T.matmul_block(A_s.data, B_s.data, kk, c * 2 + kk, 0, 1, 1, 1, 2)\n"
        "        T.pack_tile(0, C_l.data, c)",
    ),
    "a first operand kept by columns": (
        "",
        [(64, 96), (96, 32), (64, 32)],
        {"A_s": "column"},
        SECTION + "    for kk in range(3):\n"
        "        T.matmul_block(A_s.data, B_s.data, kk * 2, kk, 0, 0, 1, 2, 1)\n"
        "    for r in range(2): T.pack_tile(r, C_l.data, r)",
    ),
    "a result kept by columns": (
        "",
        [(64, 32), (32, 64), (64, 64)],
        {"C_l": "column"},
        SECTION + "    T.matmul_block(A_s.data, B_s.data, 0, 0, 0, 0, 2, 2, 1)\n"
        "    for r in range(2):\n        for c in range(2):\n"
        "            T.pack_tile(r * 2 + c, C_l.data, c * 2 + r)",
    ),
}


@pytest.mark.parametrize("flags, shapes, orders, expected", LOWERED.values(), ids=LOWERED)
def test_lowered(flags, shapes, orders, expected):
    before = function(f"gemm(A_s, B_s, C_l, clear=True{flags})", shapes, **orders)
    assert_same(LOWER.rewrite(before), function(expected, shapes, **orders))


@pytest.mark.parametrize("clear, calls_made", [("True", 0), ("False", 2), ("k == 0", 2)])
def test_the_packer_adds_only_where_the_accumulator_is_not_cleared(clear, calls_made):
    body = f"for k in range(2): gemm(A_s, B_s, C_l, clear={clear})"
    after = LOWER.rewrite(function(body, [(32, 32)] * 3))
    enables = [call.args[1] for call in calls(after, ops.PACK_ACCUMULATE)]
    assert len(enables) == calls_made
    if enables:
        assert str(enables[0]) == {"False": "T.bool(True)", "k == 0": "k != 0"}[clear]
        assert enables[1].value == 0


@pytest.mark.parametrize("is_fp32, tiles", [(True, 4), (False, 8)])
def test_the_number_of_registers_follows_the_mode(is_fp32, tiles):
    after = LOWER.rewrite(
        function("gemm(A_s, B_s, C_l, clear=True)", [(128, 32), (32, 128), (128, 128)])
        .without_attr(attrs.FP32_DEST)
        .with_attr(attrs.FP32_DEST, is_fp32)
    )
    (product,) = calls(after, ops.MATMUL_BLOCK)
    ct, rt = (ops.MATMUL_BLOCK.operand(product, name) for name in ("ct", "rt"))
    assert int(ct) * int(rt) == tiles


@pytest.mark.parametrize("body", ["copy(A_s, C_l)", "transpose(A_s, C_l)"])
def test_untouched(body):
    check_unchanged(LOWER, function(body, [(64, 64)] * 3))


def finished(body, size, out, parts, is_fp32=True):
    """A sum in C_l, of which a nest may make C_o."""
    buffers = {
        "A_s": shared(size, 32),
        "B_s": shared(32, 64),
        "C_l": fragment(size, 64, dtype="float32" if is_fp32 else "bfloat16"),
        "C_o": shared(size, 64),
    }
    func = scripted(body, attributes={"tt.fp32_dest_acc": is_fp32}, **buffers)
    plan = {"C_l": {"unpack_to_dest": is_fp32}}
    plan[out] = {**plan.get(out, {}), "parts": parts}
    return planned(func, **plan)


STEP = (
    "T.pack_reconfig_l1_acc(C_l.data, k != 0)\n"
    "for r in range({rows}):\n    "
    + SECTION
    + "        T.matmul_block(A_s.data, B_s.data, r * {height}, 0, 0, 0, 2, {height}, 1)\n"
    "        for p in range({height}):\n            for q in range(2):\n"
    "                T.pack_tile(p * 2 + q, C_l.data, r * {pages} + p * 2 + q)\n"
    "T.pack_reconfig_l1_acc(C_l.data, 0)"
)


def indented(text, depth):
    return "\n".join("    " * depth + line for line in text.splitlines())


def test_a_finished_sum_leaves_by_rows_of_subblocks():
    step = STEP.format(rows=2, height=4, pages=8)
    before = (
        "for k in range(4):\n"
        '    with T.attr(0, "tt.finish", k == 3):\n'
        "        gemm(A_s, B_s, C_l, clear=k == 0)"
    )
    last = step.replace("r * 8 + p * 2 + q)", "p * 2 + q)\n    T.cb_push_back(C_l.data, 8)")
    after = f"for k in range(4):\n    if k == 3:\n{indented(last, 2)}\n    else:\n"
    after += indented(step, 2)
    given, expected = (finished(text, 256, "C_l", 2, is_fp32=False) for text in (before, after))
    assert_same(LOWER.rewrite(given), expected)


def test_a_nest_is_made_of_a_sum_that_is_taken_back():
    before = (
        "for k in range(4):\n"
        '    with T.attr(0, "tt.finish", k == 3):\n'
        "        gemm(A_s, B_s, C_l, clear=k == 0)\n"
        "        for i in T.parallel(128):\n            for j in T.parallel(64):\n"
        "                C_o[i, j] = T.bfloat16(T.exp(C_l[i, j]))"
    )
    tiles = "        for p in range(2):\n            for q in range(2):\n                "
    last = (
        "T.cb_push_back(C_l.data, T.block_pages(C_l.data))\n"
        "T.cb_wait_front(C_l.data, T.block_pages(C_l.data))\n"
        "for r in range(2):\n"
        "    T.cb_reserve_back(C_o.data, 4)\n    "
        + SECTION
        + tiles
        + "T.copy_tile(C_l.data, r * 4 + p * 2 + q, p * 2 + q)\n"
        "        T.matmul_block(A_s.data, B_s.data, r * 2, 0, 0, 0, 2, 2, 1)\n"
        + tiles
        + "T.exp_tile(p * 2 + q)\n"
        + tiles
        + "T.pack_tile(p * 2 + q, C_o.data, p * 2 + q)\n"
        "    T.cb_push_back(C_o.data, 4)\n"
        "T.cb_pop_front(C_l.data, T.block_pages(C_l.data))"
    )
    step = STEP.format(rows=2, height=2, pages=4)
    after = f"for k in range(4):\n    if k == 3:\n{indented(last, 2)}\n    else:\n"
    after += indented(step, 2)
    given, expected = (finished(text, 128, "C_o", 2) for text in (before, after))
    assert_same(LOWER.rewrite(given), expected)


def held(*texts, out="C_l"):
    """A sum that stays in the registers, of which a nest may make C_o."""
    return finished("\n".join(texts), 64, out, 1, is_fp32=True)


def on(engine, text):
    return f'with T.attr(0, "tt.engine", "{engine}"):\n{indented(text, 1)}'


def in_section(*texts):
    return SECTION + "\n".join(indented(text, 1) for text in texts)


LOOP = "for k in range(4):\n" + indented(on("compute", "{}"), 1)
ADDS = LOOP.format("gemm(A_s, B_s, C_l, clear=k == 0)")
PRODUCTS = LOOP.format("T.matmul_block(A_s.data, B_s.data, 0, 0, 0, 0, 2, 2, 1)")
TILES = "for r in range(2):\n    for c in range(2):\n        "


def test_a_sum_that_stays_in_the_registers_is_packed_once():
    packed = on("compute", TILES + "T.pack_tile(r * 2 + c, C_l.data, r * 2 + c)")
    expected = held(in_section(PRODUCTS, packed))
    assert_same(LOWER.rewrite(held(in_section(ADDS))), expected)


def test_what_is_made_of_it_there_leaves_it_no_buffer():
    nest = (
        "for i in T.parallel(64):\n    for j in T.parallel(64):\n"
        "        C_o[i, j] = T.bfloat16(T.exp(C_l[i, j]))"
    )
    made = TILES + "T.exp_tile(r * 2 + c)\n" + TILES + "T.pack_tile(r * 2 + c, C_o.data, r * 2 + c)"
    before = held(in_section(ADDS, on("compute", nest)), out="C_o")
    expected = held(in_section(PRODUCTS, on("compute", made)), out="C_o")
    frame = Frame.of(expected)
    kept = [buffer for buffer in frame.buffers if buffer.name != "C_l"]
    plan = attrs.circular_buffers(frame)
    expected = attrs.with_circular_buffers(
        Frame.of(frame.build(buffers=kept)), {each.data: plan[each.data] for each in kept}
    )
    assert_same(LOWER.rewrite(before), expected)


def test_a_section_without_products_is_left_alone():
    text = SECTION + "    T.exp_tile(0)\n    T.pack_tile(0, C_l.data, 0)"
    check_unchanged(LOWER, held(text))


def test_the_subblock_is_the_users():
    lowering = LowerGemms(dataclasses.replace(OPTIONS, subblock=(1, 2)))
    after = lowering.rewrite(
        function("gemm(A_s, B_s, C_l, clear=True)", [(64, 32), (32, 64), (64, 64)])
    )
    (product,) = calls(after, ops.MATMUL_BLOCK)
    ct, rt = (int(ops.MATMUL_BLOCK.operand(product, name)) for name in ("ct", "rt"))
    assert (rt, ct) == (1, 2)


UNFIT = {
    "it does not divide": ((2, 3), "", "'C_l' has 2x4 tiles, which it does not divide"),
    "it is too large": ((2, 4), "", "that takes 8 destination registers, 4 are there"),
    "one column at a time": ((2, 2), ", transpose_b=True", "'B_s' is kept so that one column"),
}


@pytest.mark.parametrize("subblock, flags, why", UNFIT.values(), ids=UNFIT)
def test_a_subblock_that_does_not_fit_is_refused(subblock, flags, why):
    shapes = [(64, 32), (128, 32) if flags else (32, 128), (64, 128)]
    func = function(f"gemm(A_s, B_s, C_l, clear=True{flags})", shapes)
    with pytest.raises(UnfitSubblock, match=f"TT4008: the option subblock says .*{why}"):
        LowerGemms(dataclasses.replace(OPTIONS, subblock=subblock)).rewrite(func)


def test_a_subblock_has_room_for_what_is_made_of_it():
    text = (
        'with T.attr(0, "tt.finish", T.bool(True)):\n'
        "    gemm(A_s, B_s, C_l, clear=True)\n"
        "    for i in T.parallel(128):\n        for j in T.parallel(64):\n"
        "            C_o[i, j] = T.bfloat16(C_l[i, j] * T.exp(C_l[i, j]))"
    )
    with pytest.raises(UnfitSubblock, match="takes 8 destination registers, 2 for a tile, 4 are"):
        LowerGemms(dataclasses.replace(OPTIONS, subblock=(2, 2))).rewrite(
            finished(text, 128, "C_o", 2)
        )


def test_the_sum_is_where_the_nest_expects_it():
    nest = (
        "for i in T.parallel(32):\n    for j in T.parallel(64):\n"
        "        C_o[i, j] = T.bfloat16(T.max(T.exp(V_s[i, j]), C_l[i, j]))"
    )
    buffers = {"A_s": shared(32, 32), "B_s": shared(32, 64), "C_o": shared(32, 64)}
    buffers |= {name: fragment(32, 64, dtype="float32") for name in ("C_l", "V_s")}
    text = in_section(ADDS, on("compute", nest))
    before = planned(
        scripted(text, attributes={"tt.fp32_dest_acc": True}, **buffers),
        C_l={"unpack_to_dest": True},
        V_s={"unpack_to_dest": True},
    )
    after = LOWER.rewrite(before)
    (product,), (loaded,) = calls(after, ops.MATMUL_BLOCK), calls(after, ops.COPY_TILE)
    assert int(ops.MATMUL_BLOCK.operand(product, "dst")) == 2
    assert str(ops.COPY_TILE.operand(loaded, "dst")) == "c"
