"""FinishProducts: the last step of a sum completes it, piece by piece."""

import dataclasses

import pytest
from helpers import OPTIONS, check, check_unchanged, fragment, planned, scripted, shared, tensor
from tvm import tirx

from tilelang_tt.diagnostics import SumOutsideRegisters
from tilelang_tt.ir import attrs, tree
from tilelang_tt.transforms.finish_products import FinishProducts

FINISH = FinishProducts(OPTIONS)
BUFFERS = {
    "A": tensor(128, 256),
    "V": tensor(128, 128),
    "C": tensor(128, 128),
    "A_s": shared(128, 32),
    "B_s": shared(32, 128),
    "V_s": shared(128, 128),
    "C_l": fragment(128, 128, dtype="float32"),
    "C_o": shared(128, 128),
}
OUT = {"producer": "compute", "consumer": "writer"}
INNER = {"producer": "compute", "consumer": "compute", "unpack_to_dest": True}


def lines(*texts, depth=0):
    return "\n".join("    " * depth + line for text in texts for line in text.splitlines())


def on(engine, *texts):
    return f'with T.attr(0, "tt.engine", "{engine}"):\n' + lines(*texts, depth=1)


def finish(condition, *texts):
    return f'with T.attr(0, "tt.finish", {condition}):\n' + lines(*texts, depth=1)


def parallel(value, out="C_o"):
    return (
        f"for i in T.parallel(128):\n    for j in T.parallel(128):\n        {out}[i, j] = {value}"
    )


def function(*texts, parts=None, c_l=None, is_fp32=True, scalars=(), **more):
    body = lines(*texts)
    plan = {"C_l": INNER if c_l is None else c_l, "C_o": OUT}
    for name, count in (parts or {}).items():
        plan[name] = {**plan[name], "parts": count}
    attributes = {"tt.fp32_dest_acc": is_fp32}
    return planned(
        scripted(body, attributes=attributes, scalars=scalars, **{**BUFFERS, **more}), **plan
    )


STEP = "gemm(A_s, B_s, C_l, clear=k == 0)"
LOAD = on("reader", "copy(A[0:128, k * 32:k * 32 + 32], A_s)")
STORE = on("writer", "copy(C_o, C[0:128, 0:128])")
STORE_SUM = on("writer", "copy(C_l, C[0:128, 0:128])")
BEGIN, END = on("compute", "begin(C_l)"), on("compute", "end(C_l)")
BEGIN_OUT, END_OUT = on("compute", "begin(C_o)"), on("compute", "end(C_o)")
CAST = "T.bfloat16(C_l[i, j])"
LOAD_V = on("reader", "copy(V[0:128, 0:128], V_s)")


def loop(*texts, extent="8"):
    return f"for k in range({extent}):\n" + lines(*texts, depth=1)


def steps(*last):
    """The loop, in the last step of which `last` is done with the product."""
    inside = finish("k == 7", STEP, *last) if last else STEP
    return loop(LOAD, on("compute", inside))


SUM = (BEGIN, steps(), END)
IN_BF16 = {"C_l": fragment(128, 128)}


def test_a_stored_sum_is_handed_over_by_rows_of_subblocks():
    before = function(*SUM, STORE_SUM, c_l=OUT, is_fp32=False, **IN_BF16)
    done = loop(LOAD, on("compute", finish("k == 7", STEP)))
    after = (BEGIN, done, END, STORE_SUM)
    expected = function(*after, c_l=OUT, is_fp32=False, parts={"C_l": 2}, **IN_BF16)
    check(FINISH, before, expected)


EPILOGUES = {
    "a conversion": (CAST, 2),
    "an activation": ("T.bfloat16(T.max(C_l[i, j], T.float32(0.0)))", 2),
    "what takes two registers": ("T.bfloat16(C_l[i, j] * T.exp(C_l[i, j]))", 4),
}


@pytest.mark.parametrize("value, parts", EPILOGUES.values(), ids=EPILOGUES)
def test_a_nest_joins_the_last_step(value, parts):
    before = function(*SUM, on("compute", parallel(value)), STORE)
    after = (BEGIN, BEGIN_OUT, steps(parallel(value)), END_OUT, STORE)
    check(FINISH, before, function(*after, parts={"C_o": parts}))


WITH_V = "T.bfloat16(C_l[i, j] + T.float32(V_s[i, j]))"


@pytest.mark.parametrize("where", ["before", "between"])
def test_what_else_the_nest_reads_is_loaded_before_the_sum(where):
    early, late = ([LOAD_V], []) if where == "before" else ([], [LOAD_V])
    before = function(*early, *SUM, *late, on("compute", parallel(WITH_V)), STORE)
    after = (LOAD_V, BEGIN, BEGIN_OUT, steps(parallel(WITH_V)), END_OUT, STORE)
    check(FINISH, before, function(*after, parts={"C_o": 4}))


def test_a_product_without_a_loop_is_finished_at_once():
    product = "gemm(A_s, B_s, C_l, clear=True)"
    load = on("reader", "copy(A[0:128, 0:32], A_s)")
    before = function(load, on("compute", product), on("compute", parallel(CAST)), STORE)
    done = on("compute", finish("T.bool(True)", product, parallel(CAST)))
    check(FINISH, before, function(load, done, STORE, parts={"C_o": 2}))


NEST = on("compute", parallel(CAST))
LEFT = {
    "a sum that something else reads too": (
        *SUM,
        NEST,
        STORE,
        on("compute", parallel(CAST, "V_s")),
    ),
    "a result that something else reads too": (
        *SUM,
        NEST,
        STORE,
        on("compute", parallel("C_o[i, j]", "V_s")),
    ),
    "a result that is made twice": (
        on("compute", parallel("V_s[i, j]")),
        STORE,
        *SUM,
        NEST,
    ),
    "what the loop makes": (
        BEGIN,
        loop(LOAD, on("reader", "copy(V[0:128, 0:128], V_s)"), on("compute", STEP)),
        END,
        on("compute", parallel(WITH_V)),
        STORE,
    ),
    "what is computed after the sum": (
        *SUM,
        on("compute", parallel("T.bfloat16(1.0)", "V_s")),
        on("compute", parallel(WITH_V)),
        STORE,
    ),
    "a transposed sum": (*SUM, on("compute", parallel("T.bfloat16(C_l[j, i])")), STORE),
    "one step": (
        BEGIN,
        loop(LOAD, on("compute", STEP), extent="1"),
        END,
        NEST,
        STORE,
    ),
    "two products in a step": (
        BEGIN,
        loop(LOAD, on("compute", STEP), on("compute", "gemm(A_s, B_s, C_l)")),
        END,
        NEST,
        STORE,
    ),
    "a product in a branch": (
        BEGIN,
        loop(LOAD, "if k < 4:\n" + lines(on("compute", STEP), depth=1)),
        END,
        NEST,
        STORE,
    ),
    "a sum onto what is there": (on("compute", "onto(C_l)"), steps(), END, NEST, STORE),
}


@pytest.mark.parametrize("texts", LEFT.values(), ids=LEFT)
def test_left_alone(texts):
    check_unchanged(FINISH, function(*texts))


def test_registers_of_16_bits_do_not_take_a_sum_back():
    c_l = {**INNER, "unpack_to_dest": False}
    check_unchanged(FINISH, function(*SUM, NEST, STORE, is_fp32=False, c_l=c_l))


def section(*texts):
    return 'with T.attr(0, "tt.dst_section", "math, then pack"):\n' + lines(*texts, depth=1)


def finishing(**options):
    return FinishProducts(dataclasses.replace(OPTIONS, **options))


SMALL = {
    "A": tensor(64, 256),
    "C": tensor(64, 64),
    "A_s": shared(64, 32),
    "B_s": shared(32, 64),
    "V_s": shared(64, 64),
    "C_l": fragment(64, 64, dtype="float32"),
    "C_o": shared(64, 64),
}
SMALL_LOAD = on("reader", "copy(A[0:64, k * 32:k * 32 + 32], A_s)")
SMALL_LOAD_V = on("reader", "copy(V[0:64, 0:64], V_s)")
SMALL_STORE = on("writer", "copy(C_o, C[0:64, 0:64])")
SMALL_LOOP = loop(SMALL_LOAD, on("compute", STEP))
SMALL_SUM = (BEGIN, SMALL_LOOP, END)


def small(value):
    return on("compute", parallel(value).replace("128", "64"))


@pytest.mark.parametrize("accumulate", [None, "dst"])
def test_a_sum_of_one_subblock_stays_in_the_registers(accumulate):
    store = on("writer", "copy(C_l, C[0:64, 0:64])")
    more = {**SMALL, "C_l": fragment(64, 64), "c_l": OUT, "is_fp32": False}
    before = function(*SMALL_SUM, store, **more)
    expected = function(section(SMALL_LOOP), store, **more)
    check(finishing(accumulate=accumulate), before, expected)


@pytest.mark.parametrize("extent", ["1", "n"])
def test_a_sum_of_any_number_of_steps_stays_there(extent):
    steps = loop(SMALL_LOAD, on("compute", STEP), extent=extent)
    more = {**SMALL, "scalars": ["n"]}
    store = on("writer", "copy(C_l, C[0:64, 0:64])")
    check(
        FINISH, function(BEGIN, steps, END, store, **more), function(section(steps), store, **more)
    )


def test_a_nest_is_made_of_it_there():
    nest = small(WITH_V)
    small_v = {**SMALL, "C_l": fragment(64, 32, dtype="float32")}
    small_v |= {"B_s": shared(32, 32), "V_s": shared(64, 32), "C_o": shared(64, 32)}
    narrow = nest.replace("j in T.parallel(64)", "j in T.parallel(32)")
    load, store = (text.replace("0:64]", "0:32]") for text in (SMALL_LOAD_V, SMALL_STORE))
    before = function(*SMALL_SUM, load, narrow, store, **small_v)
    check(FINISH, before, function(load, section(SMALL_LOOP, narrow), store, **small_v))


def test_a_nest_that_finds_no_room_there_stays_behind():
    before = function(*SMALL_SUM, small(WITH_V), SMALL_STORE, **SMALL)
    check(FINISH, before, function(section(SMALL_LOOP), small(WITH_V), SMALL_STORE, **SMALL))


def test_registers_of_16_bits_hold_a_nest_on_a_sum_of_16_bits():
    nest = small("T.max(C_l[i, j], T.bfloat16(0.0))")
    more = {**SMALL, "C_l": fragment(64, 64), "c_l": {**INNER, "unpack_to_dest": False}}
    before = function(*SMALL_SUM, nest, SMALL_STORE, is_fp32=False, **more)
    expected = function(section(SMALL_LOOP, nest), SMALL_STORE, is_fp32=False, **more)
    check(FINISH, before, expected)


SMALL_NEST = small(CAST)
OUTSIDE = {
    "a block of several subblocks": ((*SUM, NEST, STORE), {}, "4x4 tiles, of which they take 2x2"),
    "a subblock that the user wants smaller": (
        (*SMALL_SUM, SMALL_NEST, SMALL_STORE),
        {**SMALL, "subblock": (1, 2)},
        "2x2 tiles, of which they take 1x2",
    ),
    "what else is computed in the loop": (
        (
            BEGIN,
            loop(SMALL_LOAD, on("compute", STEP), small("T.bfloat16(0.0)").replace("C_o", "V_s")),
            END,
            SMALL_NEST,
            SMALL_STORE,
        ),
        SMALL,
        "'V_s' is computed in the same loop",
    ),
    "two products": (
        (BEGIN, loop(on("compute", STEP), on("compute", "gemm(A_s, B_s, C_l)")), END, SMALL_NEST),
        SMALL,
        "one product in each step",
    ),
    "a value that is added to": (
        (on("compute", "onto(C_l)"), SMALL_LOOP, END, SMALL_NEST),
        SMALL,
        "one product in each step",
    ),
    "a sum that begins anew": (
        (BEGIN, SMALL_LOOP.replace("k == 0", "k % 4 == 0"), END, SMALL_NEST),
        SMALL,
        "begin anew",
    ),
    "a float32 sum in registers of 16 bits": (
        (*SMALL_SUM, SMALL_NEST, SMALL_STORE),
        {**SMALL, "is_fp32": False, "c_l": {**INNER, "unpack_to_dest": False}},
        "16 bits",
    ),
}


@pytest.mark.parametrize("texts, more, why", OUTSIDE.values(), ids=OUTSIDE)
def test_a_sum_that_cannot_stay_there_is_refused_only_if_it_must(texts, more, why):
    subblock = more.get("subblock")
    func = function(*texts, **{name: each for name, each in more.items() if name != "subblock"})
    sections = [
        attr.attr_key
        for attr in tree.collect(finishing(subblock=subblock).rewrite(func).body, tirx.AttrStmt)
    ]
    assert attrs.SECTION not in sections
    with pytest.raises(SumOutsideRegisters, match=f"TT4009: the sum in 'C_l' .*{why}"):
        finishing(subblock=subblock, accumulate="dst").rewrite(func)


def test_a_sum_in_l1_is_finished_as_the_user_wants():
    small_nest = parallel(CAST).replace("128", "64")
    before = function(*SMALL_SUM, on("compute", small_nest), SMALL_STORE, **SMALL)
    last = loop(SMALL_LOAD, on("compute", finish("k == 7", STEP, small_nest)))
    expected = function(BEGIN, BEGIN_OUT, last, END_OUT, SMALL_STORE, **SMALL)
    check(finishing(accumulate="l1"), before, expected)


def test_a_subblock_of_the_user_decides_on_the_pieces():
    before = function(*SUM, STORE_SUM, c_l=OUT, is_fp32=False, **IN_BF16)
    done = loop(LOAD, on("compute", finish("k == 7", STEP)))
    after = (BEGIN, done, END, STORE_SUM)
    expected = function(*after, c_l=OUT, is_fp32=False, parts={"C_l": 4}, **IN_BF16)
    check(finishing(subblock=(1, 4)), before, expected)


def test_one_row_of_subblocks_is_handed_over_as_it_is():
    small = {"C_l": fragment(32, 512), "B_s": shared(32, 512)}
    small |= {"A_s": shared(32, 32), "A": tensor(32, 256), "C": tensor(32, 512)}
    load = on("reader", "copy(A[0:32, k * 32:k * 32 + 32], A_s)")
    store = on("writer", "copy(C_l, C[0:32, 0:512])")
    texts = (BEGIN, loop(load, on("compute", STEP)), END, store)
    check_unchanged(FINISH, function(*texts, c_l=OUT, is_fp32=False, **small))
