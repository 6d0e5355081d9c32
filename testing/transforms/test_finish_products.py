"""FinishProducts: the last step of a sum completes it, piece by piece."""

import pytest
from helpers import DEVICE, check, check_unchanged, fragment, planned, scripted, shared, tensor

from tilelang_tt.transforms.finish_products import FinishProducts

FINISH = FinishProducts(DEVICE)
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


def function(*texts, parts=None, c_l=None, is_fp32=True, **more):
    body = lines(*texts)
    plan = {"C_l": INNER if c_l is None else c_l, "C_o": OUT}
    for name, count in (parts or {}).items():
        plan[name] = {**plan[name], "parts": count}
    attributes = {"tt.fp32_dest_acc": is_fp32}
    return planned(scripted(body, attributes=attributes, **{**BUFFERS, **more}), **plan)


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


def test_one_row_of_subblocks_is_handed_over_as_it_is():
    small = {"C_l": fragment(32, 128), "A_s": shared(32, 32), "A": tensor(32, 256)}
    load = on("reader", "copy(A[0:32, k * 32:k * 32 + 32], A_s)")
    store = on("writer", "copy(C_l, C[0:32, 0:128])")
    texts = (BEGIN, loop(load, on("compute", STEP)), END, store)
    check_unchanged(FINISH, function(*texts, c_l=OUT, is_fp32=False, **small))
