"""Which definitions of a buffer are one value."""

import pytest
from helpers import fragment, scripted, shared, tensor

from tilelang_tt.analysis import access, webs
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import is_global

BUFFERS = {
    "A": tensor(64, 64),
    "O": tensor(64, 64),
    "S": shared(64, 64),
    "L": fragment(64, 64),
    "G": fragment(64, 64, dtype="float32"),
}


def found(body):
    return webs.find(Frame.of(scripted(body, scalars=["n"], **BUFFERS)).body)


def described(body):
    """Each statement as "what it reads > what it writes", a value as its buffer and a number."""
    result = found(body)
    numbers: dict[int, str] = {}

    def name(web):
        buffer = result.buffer_of[web].name
        known = [text for text in numbers.values() if text.startswith(buffer)]
        return numbers.setdefault(web, f"{buffer}{len(known)}")

    def side(buffers):
        return "".join(sorted(buffers))

    lines = []
    for site in result.sites:
        reads = {
            name(result.read_by(site, buffer))
            for buffer in access.reads(site.view)
            if not is_global(buffer)
        }
        is_out = is_global(access.writes(site.view))
        lines.append(f"{side(reads)}>{'' if is_out else name(result.written_by(site))}")
    return " ".join(lines)


READ, STORE = "copy(A, S)", "copy(S, O)"
NEST = "for i in T.parallel(64):\n{0}    for j in T.parallel(64): "


def nest(store, depth=0):
    return (NEST + store).format("    " * depth)


WEBS = {
    "one value": (f"{READ}; {STORE}", ">S0 S0>"),
    "one after the other": (f"{READ}; {STORE}; {READ}; {STORE}", ">S0 S0> >S1 S1>"),
    "a new value of the old one": (f"{READ}\n{nest('S[i, j] = S[i, j] * S[i, j]')}\n{STORE}",
                                   ">S0 S0>S1 S1>"),
    "a value of two statements": (
        f"{READ}; transpose(S, L); gemm(S, L, G, clear=True)",
        ">S0 S0>L0 L0S0>G0",
    ),
    "two branches that are read after": (
        f"if n == 0: {READ}\nelse: {READ}\n{STORE}",
        ">S0 >S0 S0>",
    ),
    "a branch that may replace a value": (
        f"{READ}\nif n == 0: {READ}\n{STORE}",
        ">S0 >S0 S0>",
    ),
    "a branch that keeps its value to itself": (
        f"{READ}\nif n == 0:\n    {READ}\n    {STORE}\nelse: {STORE}",
        ">S0 >S1 S1> S0>",
    ),
    "branches that both replace a value": (
        f"{READ}; {STORE}\nif n == 0: {READ}\nelse: {READ}\n{STORE}",
        ">S0 S0> >S1 >S1 S1>",
    ),
    "a value of each iteration": (f"for k in range(4):\n    {READ}\n    {STORE}", ">S0 S0>"),
    "a value for the next iteration": (
        f"{READ}\nfor k in range(4):\n    {STORE}\n    {READ}",
        ">S0 S0> >S0",
    ),
    "a value that a loop changes": (
        f"{nest('G[i, j] = T.float32(0)')}\nfor k in range(4):\n    "
        f"{nest('G[i, j] = G[i, j] + T.float32(1)', 1)}\n{nest('L[i, j] = G[i, j]')}",
        ">G0 G0>G0 G0>L0",
    ),
    "a value that an inner loop changes for the outer one": (
        f"{READ}\nfor k in range(4):\n    {STORE}\n    for l in range(4):\n        {READ}",
        ">S0 S0> >S0",
    ),
    "a value from before a loop that makes its own": (
        f"{READ}; {STORE}\nfor k in range(4):\n    {READ}\n    {STORE}",
        ">S0 S0> >S1 S1>",
    ),
    "a value that comes back through two iterations": (
        f"{READ}; copy(A, L)\nfor k in range(4):\n    {STORE}\n"
        f"    {nest('S[i, j] = L[i, j]', 1)}\n    copy(A, L)",
        ">S0 >L0 S0> L0>S0 >L0",
    ),
    "an accumulation is one value": (
        f"{READ}; begin(G); gemm(S, S, G); gemm(S, S, G); end(G)\n{nest('L[i, j] = G[i, j]')}",
        ">S0 >G0 G0S0>G0 G0S0>G0 >G0 G0>L0",
    ),
    "an accumulation in a loop is one value": (
        f"{READ}; begin(G)\nfor k in range(4): gemm(S, S, G)\nend(G)\n{nest('L[i, j] = G[i, j]')}",
        ">S0 >G0 G0S0>G0 >G0 G0>L0",
    ),
    "a second accumulation is a second value": (
        f"{READ}; begin(G); gemm(S, S, G); end(G); begin(G); gemm(S, S, G); end(G)",
        ">S0 >G0 G0S0>G0 >G0 >G1 G1S0>G1 >G1",
    ),
    "a product after an accumulation makes a value": (
        f"{READ}; begin(G); gemm(S, S, G); end(G)\n{nest('L[i, j] = G[i, j]')}\n"
        "gemm(S, S, G, clear=True)",
        ">S0 >G0 G0S0>G0 >G0 G0>L0 S0>G1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("body, expected", WEBS.values(), ids=WEBS)
def test_webs(body, expected):
    assert described(body) == expected


STARTS = {
    "a loop that may not run": (f"for k in range(n): {READ}\n{STORE}", True),
    "a branch that may not be taken": (f"if n == 0: {READ}\n{STORE}", True),
    "one of two branches": (f"if n == 0: {READ}\nelse: copy(A, L)\n{STORE}", True),
    "an iteration before the first write": (
        f"for k in range(4):\n    if k > 0: {STORE}\n    {READ}",
        True,
    ),
    "both branches": (f"if n == 0: {READ}\nelse: {READ}\n{STORE}", False),
    "an axis of the grid, and a branch in it": (
        f"for k in T.serial(4, annotations={{'tt.grid_axis': 1}}):\n"
        f"    if n == 0: {READ}\n    {STORE}",
        True,
    ),
    "a value before the loop": (f"{READ}\nfor k in range(n): {READ}\n{STORE}", False),
    "a value that the loop uses itself": (f"for k in range(n):\n    {READ}\n    {STORE}", False),
}


@pytest.mark.parametrize("body, is_needed", STARTS.values(), ids=STARTS)
def test_a_value_that_may_be_read_before_it_is_written_needs_a_start(body, is_needed):
    result = found(body)
    (site, *_) = [s for s in result.sites if not is_global(access.writes(s.view))]
    assert result.needs_start(result.written_by(site)) is is_needed


def test_a_start_is_needed_by_one_value_of_a_buffer_only():
    result = found(f"{READ}; {STORE}\nif n == 0: {READ}\nelse: copy(A, L)\n{STORE}; copy(L, O)")
    assert [result.needs_start(web) for web in range(3)] == [False, False, True]
    assert [result.buffer_of[web].name for web in range(3)] == ["S", "S", "L"]


def test_what_certainly_is_undefined_is_reached_by_nothing():
    (site,) = found(STORE).sites
    assert list(site.reaching.values()) == [{webs.NOTHING}]


def test_blocks_of_the_grid_leave_each_other_nothing_but_what_was_there_before():
    loop = "for k in T.serial(4, annotations={'tt.grid_axis': 1}):\n    "
    body = f"{STORE}\n    {READ}"
    last = found(f"{loop}{body}").sites[0]
    assert list(last.reaching.values()) == [{webs.NOTHING}]
    assert described(f"{READ}\n{loop}{body}") == ">S0 S0> >S0"
