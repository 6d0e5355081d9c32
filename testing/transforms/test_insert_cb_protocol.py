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
    "U": shared(32, 32),
}
PLAN = {
    "S": {},
    "O": {"producer": "compute", "consumer": "writer"},
    "U": {"producer": "compute", "consumer": "compute"},
}


def on(engine, *texts):
    return f'with T.attr(0, "tt.engine", "{engine}"):\n' + lines(*texts, depth=1)


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


def lines(*parts, depth=0):
    texts = [text for part in parts for text in ([part] if isinstance(part, str) else part)]
    return "\n".join("    " * depth + line for text in texts for line in text.splitlines())


def loop(*parts, var="k", times="4"):
    return f"for {var} in range({times}):\n" + lines(*parts, depth=1)


def branch(then, other=()):
    otherwise = ["else:", lines(*other, depth=1)] if other else []
    return lines("if n == 0:", lines(*then, depth=1), *otherwise)


READ = on("reader", "T.noc_read(A.data, 0, S.data, 0)")
READ_BARRIER = on("reader", "T.noc_read_barrier()")
MOVE = on("compute", "T.copy_tile(S.data, 0, 0)")
PACK = on("compute", "T.pack_tile(0, O.data, 0)")
WRITE = on("writer", "T.noc_write(C.data, 0, O.data, 0)")
WRITE_BARRIER = on("writer", "T.noc_writes_flushed()")
MAKE = on("compute", "T.pack_tile(0, U.data, 0)")
USE = on("compute", "T.copy_tile(U.data, 0, 0)")
UPDATE = on("compute", "T.copy_tile(U.data, 0, 0)", "T.pack_tile(0, U.data, 0)")
BEGIN, END = on("compute", "begin(U)"), on("compute", "end(U)")
ONTO = on("compute", "onto(U)")
FILL_S = [reserve("reader", "S"), READ, READ_BARRIER, push("reader", "S")]
DRAIN_S = [wait("compute", "S"), MOVE, pop("compute", "S")]
FILL_O = [reserve("compute", "O"), PACK, push("compute", "O")]
DRAIN_O = [wait("writer", "O"), WRITE, WRITE_BARRIER, pop("writer", "O")]
FILL_U = [reserve("compute", "U"), MAKE, push("compute", "U")]
DRAIN_U = [wait("compute", "U"), USE, pop("compute", "U")]
DISCARD_U = [wait("compute", "U"), pop("compute", "U")]
REPLACE_U = [
    reserve("compute", "U"),
    wait("compute", "U"),
    UPDATE,
    push("compute", "U"),
    pop("compute", "U"),
]


def section(*texts):
    return 'with T.attr(0, "tt.dst_section", ""):\n' + lines(*texts, depth=1)


PROTECTED = {
    "a section of the registers around a loop": (
        lines(section(loop(READ, MOVE), PACK), WRITE),
        lines(section(loop(FILL_S, DRAIN_S), FILL_O), DRAIN_O),
    ),
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
    "a block that a loop makes step by step": (
        lines(BEGIN, loop(MAKE), END, USE),
        lines(reserve("compute", "U"), loop(MAKE), push("compute", "U"), DRAIN_U),
    ),
    "a block that several statements make": (
        lines(BEGIN, MAKE, MAKE, END, USE),
        lines(reserve("compute", "U"), MAKE, MAKE, push("compute", "U"), DRAIN_U),
    ),
    "a block that is made step by step for nobody": (
        lines(BEGIN, MAKE, END),
        lines(reserve("compute", "U"), MAKE, push("compute", "U"), DISCARD_U),
    ),
    "a block that is made step by step, again and again": (
        loop(BEGIN, loop(MAKE, var="l"), END, USE),
        loop(reserve("compute", "U"), loop(MAKE, var="l"), push("compute", "U"), DRAIN_U),
    ),
    "a block that is made of the old one, then step by step": (
        lines(MAKE, loop(UPDATE, ONTO, MAKE, END), USE),
        lines(
            FILL_U,
            loop(
                reserve("compute", "U"),
                wait("compute", "U"),
                UPDATE,
                pop("compute", "U"),
                MAKE,
                push("compute", "U"),
            ),
            DRAIN_U,
        ),
    ),
    "a block that either of two branches begins": (
        lines(branch([MAKE], [MAKE]), ONTO, loop(MAKE), END, USE),
        lines(
            branch([reserve("compute", "U"), MAKE], [reserve("compute", "U"), MAKE]),
            loop(MAKE),
            push("compute", "U"),
            DRAIN_U,
        ),
    ),
    "a block that is begun for nobody": (
        lines(MAKE, ONTO, MAKE, END),
        lines(reserve("compute", "U"), MAKE, MAKE, push("compute", "U"), DISCARD_U),
    ),
    "another block while one is made step by step": (
        lines(BEGIN, READ, MOVE, MAKE, END, USE),
        lines(reserve("compute", "U"), FILL_S, DRAIN_S, MAKE, push("compute", "U"), DRAIN_U),
    ),
    "a block that a loop fills again": (
        lines(PACK, loop(PACK), WRITE),
        lines(
            FILL_O,
            loop(WRITE_BARRIER, wait("writer", "O"), pop("writer", "O"), FILL_O),
            DRAIN_O,
        ),
    ),
    "a block that is filled for nobody": (lines(MAKE), lines(FILL_U, DISCARD_U)),
    "a block that is filled for nobody, before another": (
        lines(MAKE, MAKE, USE),
        lines(FILL_U, DISCARD_U, FILL_U, DRAIN_U),
    ),
    "a block that arrives for nobody": (
        lines(READ),
        lines(FILL_S, wait("compute", "S"), pop("compute", "S")),
    ),
    "a new value of the old one": (
        lines(MAKE, UPDATE, USE),
        lines(FILL_U, REPLACE_U, DRAIN_U),
    ),
    "a new value of the old one, for nobody": (
        lines(MAKE, UPDATE),
        lines(FILL_U, REPLACE_U, DISCARD_U),
    ),
    "a value that changes in each iteration": (
        lines(MAKE, loop(UPDATE), USE),
        lines(FILL_U, loop(REPLACE_U), DRAIN_U),
    ),
    "a value that changes in some iterations": (
        lines(MAKE, loop(branch([UPDATE])), USE),
        lines(FILL_U, loop(branch(REPLACE_U)), DRAIN_U),
    ),
    "a value for the next iteration": (
        lines(MAKE, loop(USE, MAKE, times="n")),
        lines(FILL_U, loop(DRAIN_U, FILL_U, times="n"), DISCARD_U),
    ),
    "a value that two loops change": (
        lines(MAKE, loop(USE, loop(UPDATE, var="l"))),
        lines(
            FILL_U,
            loop(wait("compute", "U"), USE, loop(REPLACE_U, var="l")),
            DISCARD_U,
        ),
    ),
    "a value of two branches": (
        lines(branch([MAKE], [MAKE]), USE),
        lines(branch(FILL_U, FILL_U), DRAIN_U),
    ),
    "a value that one branch replaces": (
        lines(MAKE, branch([MAKE]), USE),
        lines(FILL_U, branch([*DISCARD_U, *FILL_U]), DRAIN_U),
    ),
    "a value that one branch reads and the other replaces": (
        lines(MAKE, branch([USE], [MAKE, USE])),
        lines(FILL_U, branch(DRAIN_U, [*DISCARD_U, *FILL_U, *DRAIN_U])),
    ),
    "a value that a branch reads before all do": (
        lines(MAKE, branch([USE]), USE),
        lines(FILL_U, branch([wait("compute", "U"), USE]), DRAIN_U),
    ),
    "a value that both branches read before all do": (
        lines(MAKE, branch([USE], [USE]), USE),
        lines(
            FILL_U,
            branch([wait("compute", "U"), USE], [wait("compute", "U"), USE]),
            USE,
            pop("compute", "U"),
        ),
    ),
    "a value that both branches read before all do, the wait ahead of them": (
        lines(MAKE, USE, branch([USE], [USE]), USE),
        lines(FILL_U, wait("compute", "U"), USE, branch([USE], [USE]), USE, pop("compute", "U")),
    ),
    "a value that is read in a loop and after it": (
        lines(MAKE, loop(USE, times="n"), USE),
        lines(FILL_U, wait("compute", "U"), loop(USE, times="n"), USE, pop("compute", "U")),
    ),
    "a value that only the other branch reads": (
        lines(MAKE, branch([PACK, WRITE], [USE])),
        lines(FILL_U, branch([*DISCARD_U, *FILL_O, *DRAIN_O], DRAIN_U)),
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
    "a branch in which a block is handed over": (
        branch([READ, MOVE]),
        branch([*FILL_S, *DRAIN_S]),
    ),
    "a block for a branch": (
        lines(READ, branch([MOVE])),
        lines(FILL_S, branch(DRAIN_S, [wait("compute", "S"), pop("compute", "S")])),
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
    many = on("compute", "for t in range(4):", "    T.copy_tile(S.data, 0, 0)", "    T.exp_tile(0)")
    expected = lines(FILL_S, wait("compute", "S"), many, pop("compute", "S"))
    same(
        InsertCbProtocol().rewrite(planned(scripted(lines(READ, many), **BUFFERS), **PLAN)),
        planned(scripted(expected, **BUFFERS), **PLAN),
    )


@pytest.mark.parametrize("body", [USE, loop(USE), branch([USE]), lines(loop(MAKE), USE), UPDATE])
def test_a_read_before_any_write_is_a_mistake_of_the_compiler(body):
    with pytest.raises(AssertionError, match="U is read before it is written"):
        InsertCbProtocol().rewrite(planned(scripted(body, scalars=["n"], **BUFFERS), **PLAN))


@pytest.mark.parametrize("body", ["T.evaluate(0)", on("compute", "T.exp_tile(0)")])
def test_untouched(body):
    check_unchanged(InsertCbProtocol(), planned(scripted(body, **BUFFERS), **PLAN))


def test_what_a_statement_hands_over_itself_is_left_to_it():
    """U is made and taken by one statement, O handed over in pieces."""
    step = on("compute", "T.pack_tile(0, U.data, 0)")
    last = on(
        "compute",
        "T.cb_push_back(U.data, 1)",
        "T.cb_wait_front(U.data, 1)",
        "T.copy_tile(U.data, 0, 0)",
        "T.cb_reserve_back(O.data, 1)",
        "T.pack_tile(0, O.data, 0)",
        "T.cb_push_back(O.data, 1)",
        "T.cb_pop_front(U.data, 1)",
    )
    both = on("compute", "if k == 3:", lines(*last.splitlines()[1:]), "else:") + (
        "\n" + lines(*step.splitlines()[1:], depth=1)
    )
    store = on(
        "writer",
        "T.cb_wait_front(O.data, 1)",
        "T.noc_write(C.data, 0, O.data, 0)",
        "T.cb_pop_front(O.data, 1)",
    )
    begun = [on("compute", f"begin({name})") for name in ("U", "O")]
    before = lines(*begun, loop(both), on("compute", "end(O)"), store)
    after = lines(reserve("compute", "U"), loop(both), store)

    def function(text):
        return planned(scripted(text, **BUFFERS), **PLAN)

    same(InsertCbProtocol().rewrite(function(before)), function(after))
