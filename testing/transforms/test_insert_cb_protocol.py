"""InsertCbProtocol: pages go from the producer of a circular buffer to its consumer and back."""

import pytest
from helpers import assert_same as same
from helpers import check_unchanged, fragment, planned, scripted, shared, tensor

from tilelang_tt.transforms.insert_cb_protocol import InsertCbProtocol

BUFFERS = {
    "A": tensor(64, 64),
    "C": tensor(64, 64),
    "S": shared(32, 32),
    "O": shared(32, 32),
}
PLAN = {"S": {}, "O": {"producer": "compute", "consumer": "writer"}}


def on(engine, text):
    return f'with T.attr(0, "tt.engine", "{engine}"): {text}'


def pages(engine, call, cb):
    return on(engine, f"T.{call}({cb}.data, T.block_pages({cb}.data))")


def reserve(engine, cb):
    return pages(engine, "cb_reserve_back", cb)


def push(engine, cb):
    return pages(engine, "cb_push_back", cb)


def wait(engine, cb):
    return pages(engine, "cb_wait_front", cb)


def pop(engine, cb):
    return pages(engine, "cb_pop_front", cb)


READ = on("reader", "T.noc_read(A.data, 0, S.data, 0)")
READ_BARRIER = on("reader", "T.noc_read_barrier()")
MOVE = on("compute", "T.copy_tile(S.data, 0, 0)")
PACK = on("compute", "T.pack_tile(0, O.data, 0)")
WRITE = on("writer", "T.noc_write(C.data, 0, O.data, 0)")
WRITE_BARRIER = on("writer", "T.noc_write_barrier()")
FILL_S = [reserve("reader", "S"), READ, READ_BARRIER, push("reader", "S")]
DRAIN_S = [wait("compute", "S"), MOVE, pop("compute", "S")]
FILL_O = [reserve("compute", "O"), PACK, push("compute", "O")]
DRAIN_O = [wait("writer", "O"), WRITE, WRITE_BARRIER, pop("writer", "O")]


def lines(*parts, depth=0):
    texts = [text for part in parts for text in ([part] if isinstance(part, str) else part)]
    return "\n".join("    " * depth + text for text in texts)


def loop(*parts, var="k"):
    return f"for {var} in range(4):\n" + lines(*parts, depth=1)


PROTECTED = {
    "a sequence": (
        lines(READ, MOVE, PACK, WRITE),
        lines(FILL_S, DRAIN_S, FILL_O, DRAIN_O),
    ),
    "a loop in which a block is handed over": (
        loop(READ, MOVE),
        loop(FILL_S, DRAIN_S),
    ),
    "a block that is filled before a loop and used in it": (
        lines(READ, loop(MOVE)),
        lines(
            FILL_S,
            wait("compute", "S"),
            loop(MOVE),
            pop("compute", "S"),
        ),
    ),
    "a block that a loop fills": (
        lines(loop(PACK), WRITE),
        lines(reserve("compute", "O"), loop(PACK), push("compute", "O"), DRAIN_O),
    ),
    "several uses": (
        lines(READ, MOVE, PACK, MOVE, WRITE),
        lines(
            FILL_S,
            wait("compute", "S"),
            MOVE,
            reserve("compute", "O"),
            PACK,
            push("compute", "O"),
            MOVE,
            pop("compute", "S"),
            DRAIN_O,
        ),
    ),
    "a loop in which a block is handed over, among others": (
        lines(loop(READ, MOVE), PACK, WRITE),
        lines(loop(FILL_S, DRAIN_S), FILL_O, DRAIN_O),
    ),
    "several uses in a loop after the block is filled": (
        lines(READ, loop(MOVE, MOVE)),
        lines(FILL_S, wait("compute", "S"), loop(MOVE, MOVE), pop("compute", "S")),
    ),
    "a block that several statements fill": (
        lines(PACK, PACK, WRITE),
        lines(reserve("compute", "O"), PACK, PACK, push("compute", "O"), DRAIN_O),
    ),
    "a branch in which a block is handed over": (
        "if n == 0:\n" + lines(READ, MOVE, depth=1),
        "if n == 0:\n" + lines(FILL_S, DRAIN_S, depth=1),
    ),
    "a block for a branch": (
        lines(READ, "if n == 0:\n    " + MOVE),
        lines(FILL_S, wait("compute", "S"), "if n == 0:\n    " + MOVE, pop("compute", "S")),
    ),
}


@pytest.mark.parametrize("before, expected", PROTECTED.values(), ids=PROTECTED)
def test_protected(before, expected):
    func = planned(scripted(before, scalars=["n"], **BUFFERS), **PLAN)
    after = planned(scripted(expected, scalars=["n"], **BUFFERS), **PLAN)
    same(InsertCbProtocol().rewrite(func), after)


def test_two_statements_of_one_engine_take_turns():
    plan = {"L": {"producer": "compute", "consumer": "compute"}}
    fill, drain = on("compute", "T.pack_tile(0, L.data, 0)"), on("compute", "T.exp_tile(0)")
    drain = on("compute", "T.copy_tile(L.data, 0, 0)")
    engine = "compute"
    expected = lines(
        reserve(engine, "L"), fill, push(engine, "L"), wait(engine, "L"), drain, pop(engine, "L")
    )
    buffers = {"L": fragment(32, 32)}
    same(
        InsertCbProtocol().rewrite(planned(scripted(lines(fill, drain), **buffers), **plan)),
        planned(scripted(expected, **buffers), **plan),
    )


def test_a_statement_is_protected_from_outside_its_engine():
    """What is inside one engine's statement uses a buffer many times, and hands it over once."""
    many = (
        'with T.attr(0, "tt.engine", "compute"):\n    T.copy_tile(S.data, 0, 0)\n    T.exp_tile(0)'
    )
    expected = lines(FILL_S, wait("compute", "S"), many, pop("compute", "S"))
    same(
        InsertCbProtocol().rewrite(planned(scripted(lines(READ, many), **BUFFERS), **PLAN)),
        planned(scripted(expected, **BUFFERS), **PLAN),
    )


INSIDE = """\
with T.attr(0, "tt.engine", "compute"):
    T.pack_tile(0, O.data, 0)
    T.copy_tile(O.data, 0, 0)"""


@pytest.mark.parametrize(
    "body", [INSIDE, MOVE, "T.evaluate(0)", lines(on("compute", "T.exp_tile(0)"))]
)
def test_untouched(body):
    check_unchanged(InsertCbProtocol(), planned(scripted(body, **BUFFERS), **PLAN))
