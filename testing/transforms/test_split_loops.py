"""SplitLoops: several cores share the loops of a block, and their parts meet."""

import re

import pytest
from helpers import asked, check, check_unchanged, fragment, scripted, shared, tensor, way
from tvm import tirx

from tilelang_tt.diagnostics import DirectiveRefused
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.options import Options
from tilelang_tt.transforms.split_loops import SplitLoops

SPLIT = SplitLoops(Options(split=True))
OWN = ["part", "parts", "children"]
BUFFERS = {
    "A": tensor(64, 640),
    "B": tensor(640, 64),
    "C": tensor(64, 64, dtype="float32"),
    "D": tensor(64, 640),
    "S": shared(64, 64),
    "R": shared(64, 64),
    "S2": shared(64, 64),
    "L": fragment(64, 64, dtype="float32"),
    "M": fragment(64, 64, dtype="float32"),
    "N": fragment(64, 64, dtype="float32"),
}


def nest(store, depth=0):
    indent = "    " * depth
    return f"for i in T.parallel(64):\n{indent}    for j in T.parallel(64): {store}\n{indent}"


def looped(*parts, count=10):
    lines = "".join(f"    {part.rstrip()}\n" for part in parts)
    return f"for k in range({count}):\n{lines}"


LOAD = "copy(A[0:64, k * 64:k * 64 + 64], S)"
LOAD_2 = LOAD.replace("S)", "S2)")
SHARED_LOAD = "copy(A[0:64, (k * parts + part) * 64:(k * parts + part) * 64 + 64], S)"
OWN_COUNT = "(10 + parts - 1 - part) // parts"
PRODUCT = "gemm(S, S, L, clear=k == 0)"


def taken(buffer, combined):
    return (
        f"for c in range(children):\n"
        f"    copy({buffer}_net[c, 0:64, 0:64], {buffer}_part, 'children')\n"
        f"    {nest(f'{buffer}[i, j] = {combined}', 1)}\n"
    )


def handed_on(buffer):
    return f"if part != 0:\n    copy({buffer}, {buffer}_net[0, 0:64, 0:64], 'parent')\n"


def on_part_0(*stmts):
    return "if part == 0:\n" + "".join(f"    {stmt}\n" for stmt in stmts)


ADDED = "{0}[i, j] + {0}_part[i, j]"
CASES = {
    "a product": (
        f"begin(L)\n{looped(LOAD, PRODUCT)}end(L)\ncopy(L, C)",
        f"begin(L)\n{looped(SHARED_LOAD, PRODUCT, count=OWN_COUNT)}end(L)\n"
        + taken("L", ADDED.format("L"))
        + handed_on("L")
        + on_part_0("copy(L, C)"),
        "L",
    ),
    "a product in a loop inside": (
        f"begin(L)\n{looped(LOAD, 'for n in range(2): gemm(S, S, L, clear=T.And(k == 0, n == 0))')}"
        "end(L)\ncopy(L, C)",
        "begin(L)\n"
        + looped(
            SHARED_LOAD,
            "for n in range(2): gemm(S, S, L, clear=T.And(k == 0, n == 0))",
            count=OWN_COUNT,
        )
        + "end(L)\n"
        + taken("L", ADDED.format("L"))
        + handed_on("L")
        + on_part_0("copy(L, C)"),
        "L",
    ),
    "products onto zeros": (
        f"{nest('L[i, j] = T.float32(0)')}\nonto(L)\n{looped(LOAD, 'gemm(S, S, L)')}end(L)\n"
        "copy(L, C)",
        f"{nest('L[i, j] = T.float32(0)')}\nonto(L)\n"
        f"{looped(SHARED_LOAD, 'gemm(S, S, L)', count=OWN_COUNT)}end(L)\n"
        + taken("L", ADDED.format("L"))
        + handed_on("L")
        + on_part_0("copy(L, C)"),
        "L",
    ),
    "a sum that begins with something": (
        f"copy(C, M)\n{nest('L[i, j] = M[i, j]')}\n"
        + looped(LOAD, nest("L[i, j] = L[i, j] + T.Cast('float32', S[i, j])", 1))
        + "copy(L, C)",
        "if part == 0:\n    copy(C, M)\n    "
        + nest("L[i, j] = M[i, j]", 1)
        + "\nelse:\n    "
        + nest("L[i, j] = T.float32(0)", 1)
        + "\n"
        + looped(
            SHARED_LOAD,
            nest("L[i, j] = L[i, j] + T.Cast('float32', S[i, j])", 1),
            count=OWN_COUNT,
        )
        + taken("L", ADDED.format("L"))
        + handed_on("L")
        + on_part_0("copy(L, C)"),
        "L",
    ),
    "a maximum that all need": (
        nest("L[i, j] = T.float32('-inf')")
        + "\n"
        + looped(LOAD, nest("L[i, j] = T.max(L[i, j], T.Cast('float32', S[i, j]))", 1))
        + looped(
            LOAD_2,
            nest("R[i, j] = S2[i, j] - T.Cast('bfloat16', L[i, j])", 1),
            STORE := ("copy(R, D[0:64, k * 64:k * 64 + 64])"),
        ),
        nest("L[i, j] = T.float32('-inf')")
        + "\n"
        + looped(
            SHARED_LOAD,
            nest("L[i, j] = T.max(L[i, j], T.Cast('float32', S[i, j]))", 1),
            count=OWN_COUNT,
        )
        + taken("L", "T.max(L[i, j], L_part[i, j])")
        + handed_on("L")
        + "    copy(L_back[0, 0:64, 0:64], L_came, 'parent')\n    "
        + nest("L_all[i, j] = L_came[i, j]", 1)
        + "\nelse:\n    "
        + nest("L_all[i, j] = L[i, j]", 1)
        + "\nfor c in range(children):\n    "
        + "copy(L_all, L_back[c, 0:64, 0:64], 'children')\n"
        + looped(
            SHARED_LOAD.replace("S)", "S2)"),
            nest("R[i, j] = S2[i, j] - T.Cast('bfloat16', L_all[i, j])", 1),
            STORE.replace("k * 64", "(k * parts + part) * 64"),
            count=OWN_COUNT,
        ),
        "L down",
    ),
}


def made(body, new):
    """`body` with the buffers that a shared loop needs for its result."""
    names = {"L": ["part"], "L down": ["part", "came", "all"]}[new]
    buffers = {f"L_{name}": fragment(64, 64, dtype="float32") for name in names}
    names = ["net"] if new == "L" else ["net", "back"]
    ways = {f"L_{name}": way(64, 64, dtype="float32") for name in names}
    recorded = {"kind": "teams", "columns": [], "rows": [], "parts": 10}
    attributes = {"tt.added": ["C"], "tt.core_args": OWN, "tt.partition": recorded}
    return scripted(body, scalars=OWN, attributes=attributes, **BUFFERS, **buffers, **ways)


@pytest.mark.parametrize("body, expected, new", CASES.values(), ids=CASES)
def test_shared(body, expected, new):
    before = scripted(body, attributes={"tt.added": ["C"]}, **BUFFERS)
    check(SPLIT, before, made(expected, new), idempotent=False)


def test_what_is_stored_between_the_loops_is_stored_by_part_0():
    body = f"begin(L)\n{looped(LOAD, PRODUCT)}end(L)\ncopy(L, C)\n" + looped(
        LOAD_2, "copy(S2, D[0:64, k * 64:k * 64 + 64])"
    )
    body += "copy(L, C)"
    text = SPLIT.rewrite(scripted(body, **BUFFERS)).script()
    at = text.index("T.copy(T.region(L_all[0, 0], 1, 64, 64), T.region(C")
    assert text[:at].rstrip().endswith("if part == 0:")


def test_a_team_has_no_more_parts_than_iterations_or_cores():
    body = f"begin(L)\n{looped(LOAD, PRODUCT, count='{}')}end(L)\ncopy(L, C)"
    wide = {**BUFFERS, "A": tensor(64, 64000)}
    for count, grid, parts in [(3, None, 3), (1000, None, 64), (1000, (2, 1), 2)]:
        options = Options(split=True, grid=grid)
        func = SplitLoops(options).rewrite(scripted(body.format(count), **wide))
        assert attrs.partition(func).parts == parts


SCALED = nest("L[i, j] = L[i, j] * T.float32(2)", 1)
ZEROS = nest("L[i, j] = T.float32(0)") + "\n"
TWICE = nest("L[i, j] = L[i, j] + L[i, j]", 1)
MOVED = nest("L[i, j] = L[i, 0] + T.Cast('float32', S[i, j])", 1)
SUM = nest("L[i, j] = L[i, j] + T.Cast('float32', S[i, j])", 1)
UNTOUCHED = {
    "no loop": "copy(A[0:64, 0:64], S); copy(S, D[0:64, 0:64])",
    "a loop of one iteration": f"begin(L)\n{looped(LOAD, PRODUCT, count=1)}end(L)\ncopy(L, C)",
    "a value that is scaled": f"{ZEROS}{looped(LOAD, SCALED)}copy(L, C)",
    "a value that is added to itself": f"{ZEROS}{looped(LOAD, TWICE)}copy(L, C)",
    "another element": f"{ZEROS}{looped(LOAD, MOVED)}copy(L, C)",
    "a sum that is read on the way": ZEROS
    + looped(LOAD, SUM, nest("M[i, j] = L[i, j]", 1), "copy(M, C)")
    + "copy(L, C)",
    "the last of several values": looped(LOAD) + "copy(S, D[0:64, 0:64])",
    "stores to one place": looped(LOAD, "copy(S, D[0:64, 0:64])"),
    "a value that goes from one iteration to the next": "copy(A[0:64, 0:64], R)\n"
    + looped(LOAD, "copy(R, D[0:64, k * 64:k * 64 + 64])", nest("R[i, j] = S[i, j]", 1)),
    "a value that goes on from the second iteration": looped(
        "if k > 0:\n        copy(R, D[0:64, k * 64:k * 64 + 64])",
        LOAD,
        nest("R[i, j] = S[i, j]", 1),
    ),
    "a sum to which a product adds that no loop holds": "copy(B[0:64, 0:64], S2)\nbegin(L)\n"
    + looped(LOAD, PRODUCT)
    + "gemm(S2, S2, L)\nend(L)\ncopy(L, C)",
    "a tensor that is loaded and stored": looped(LOAD, "copy(S, A[0:64, k * 64:k * 64 + 64])"),
    "a tensor that engines hand over": "T.tensor_take(D.data)\n"
    + looped(LOAD, "copy(S, D[0:64, k * 64:k * 64 + 64])")
    + "T.tensor_give(D.data)",
    "a sum of which a part is read before": ZEROS
    + nest("M[i, j] = L[i, j]")
    + "\ncopy(M, C)\n"
    + looped(LOAD, SUM)
    + "copy(L, C)",
    "a sum that begins with part of a block": f"{ZEROS}"
    "for i in T.parallel(32):\n    for j in T.parallel(64): L[i, j] = T.float32(1)\n"
    + looped(LOAD, SUM)
    + "copy(L, C)",
    "a loop that does not begin at 0": f"{ZEROS}{looped(LOAD, SUM, count='1, 9')}copy(L, C)",
    "a loop of unknown length": f"{ZEROS}{looped(LOAD, SUM, count='n')}copy(L, C)",
    "a sum of bytes": nest("W[i, j] = T.int8(0)")
    + "\n"
    + looped("copy(V[0:64, k * 64:k * 64 + 64], X)", nest("W[i, j] = W[i, j] + X[i, j]", 1))
    + "copy(W, Z)",
    "products that begin afresh in the second iteration": "begin(L)\n"
    + looped(LOAD, "gemm(S, S, L, clear=k == 1)")
    + "end(L)\ncopy(L, C)",
}


BYTES = {
    "V": tensor(64, 640, dtype="int8"),
    "X": shared(64, 64, dtype="int8"),
    "W": shared(64, 64, dtype="int8"),
    "Z": tensor(64, 64, dtype="int8"),
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(SPLIT, scripted(body, scalars=["n"], **BUFFERS, **BYTES))


BLOCK = f"begin(L)\n{looped(LOAD, PRODUCT, count=100)}end(L)\ncopy(L, C)"
WIDE = {**BUFFERS, "A": tensor(64, 6400)}


@pytest.mark.parametrize(
    "split, blocks, is_shared", [(None, 1, True), (None, 33, False), (False, 1, False)]
)
def test_loops_are_shared_where_cores_are_idle_and_it_pays(split, blocks, is_shared):
    func = scripted(BLOCK, grid={"bx": blocks}, **WIDE)
    after = SplitLoops(Options(split=split)).rewrite(func)
    assert (attrs.PARTITION in (after.attrs or {})) == is_shared


def test_short_loops_are_not_shared():
    func = scripted(f"begin(L)\n{looped(LOAD, PRODUCT, count=2)}end(L)\ncopy(L, C)", **BUFFERS)
    check_unchanged(SplitLoops(Options()), func)


def test_a_grid_of_unknown_size_is_not_shared():
    func = scripted(BLOCK, grid={"bx": "n"}, scalars=["n"], **WIDE)
    check_unchanged(SplitLoops(Options()), func)


def asking(body, *wishes, grid=None, options=None, buffers=BUFFERS, more=()):
    """What the pass makes of a program whose n-th loop over k has the n-th directive, a number of
    parts, and others the names of that."""
    marked = body
    for number in range(len(wishes)):
        marked = marked.replace(
            "for k in range(",
            f"for k in T.serial(annotations={{'tt.directives': [{number}]}}, stop=",
            1,
        )
    marked = re.sub(
        r"T.serial\((annotations=[^)]*?), stop=([^)]*)\):", r"T.serial(\2, \1):", marked
    )
    found = asked(*(("split", "k", parts) for parts in wishes), *more)
    func = scripted(marked, grid=grid, scalars=["n"], attributes=found, **buffers)
    return SplitLoops(options or Options()).rewrite(func)


@pytest.mark.parametrize("split", [None, False, True])
@pytest.mark.parametrize("wish, parts", [(2, 2), (7, 7), (0, 10)])
def test_the_program_may_split_a_loop(wish, parts, split):
    after = asking(
        f"begin(L)\n{looped(LOAD, PRODUCT)}end(L)\ncopy(L, C)", wish, options=Options(split=split)
    )
    assert attrs.partition(after).parts == parts


TWO = f"begin(L)\n{looped(LOAD, PRODUCT)}end(L)\ncopy(L, C)\n" + looped(
    LOAD_2, "copy(S2, D[0:64, k * 64:k * 64 + 64])", count=5
)


def shared_loops(func):
    """The iterations of the loops that a team shares."""
    loops = tree.collect(func.body, tirx.For)
    return [loop for loop in loops if loop.loop_var.name == "k" and "part" in str(loop.extent)]


@pytest.mark.parametrize(
    "wishes, count", [((5,), 2), ((6,), 1), ((5, 1), 1), ((1, 5), 1), ((1, 1), 0)]
)
def test_other_loops_are_shared_along_unless_the_program_says_no(wishes, count):
    assert len(shared_loops(asking(TWO, *wishes, options=Options(split=True)))) == count


def test_cores_that_are_to_share_loads_share_no_loops():
    grid = {"bx": 1}
    product = BLOCK
    for on, is_shared in [(0, True), (1, False)]:
        func = scripted(product, grid=grid, attributes=asked(("multicast", "S", on)), **WIDE)
        after = SplitLoops(Options()).rewrite(func)
        assert (attrs.PARTITION in after.attrs) == is_shared


LARGEST = nest("L[i, j] = T.max(L[i, j], T.Cast('float32', S[i, j]))", 1)
NOT_SPLIT = {
    "a value that is scaled": (
        f"{ZEROS}{looped(LOAD, SCALED)}copy(L, C)",
        "an iteration needs the 'L' of the one before, of which",
    ),
    "a sum that is read on the way": (
        ZEROS
        + looped(LOAD, SUM, nest("R[i, j] = L[i, j]", 1), "copy(R, D[0:64, k * 64:k * 64 + 64])")
        + "copy(L, C)",
        "an iteration needs the 'L' of the one before, of which",
    ),
    "products that begin afresh": (
        UNTOUCHED["products that begin afresh in the second iteration"],
        "makes no sum, maximum or minimum",
    ),
    "a sum and a maximum": (
        f"{ZEROS}{looped(LOAD, SUM, LARGEST)}copy(L, C)",
        "'L' is combined in different ways: sum, max",
    ),
    "stores to one place": (UNTOUCHED["stores to one place"], "store to parts of 'D'"),
    "a tensor that is loaded and stored": (
        UNTOUCHED["a tensor that is loaded and stored"],
        "'A' is both loaded and stored",
    ),
    "a tensor that engines hand over": (
        UNTOUCHED["a tensor that engines hand over"],
        "parts of a tensor that",
    ),
    "a sum of which a part is read before": (
        UNTOUCHED["a sum of which a part is read before"],
        "what the loop begins with in 'L' is not made for it alone",
    ),
    "a sum of bytes": (UNTOUCHED["a sum of bytes"], "parts of 'W', of int8, cannot be combined"),
    "a loop of unknown length": (
        UNTOUCHED["a loop of unknown length"],
        "the number of its iterations, n, is not known",
    ),
    "a loop in another": (
        "for t in range(2):\n    "
        + looped(LOAD, "copy(S, D[0:64, 0:64])").replace("\n", "\n    ")
        + "T.evaluate(0)",
        "it stands in another loop or branch",
    ),
    "a loop that is gone": (
        "copy(A[0:64, 0:64], S); copy(S, D[0:64, 0:64])",
        "no loop over blocks",
    ),
}


def refusal(*args, **options):
    with pytest.raises(DirectiveRefused, match=r"TT4006: directives.split\(k\)") as caught:
        asking(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize("body, why", NOT_SPLIT.values(), ids=NOT_SPLIT)
def test_what_cannot_be_split_is_refused(body, why):
    text = refusal(body, 0, buffers={**BUFFERS, **BYTES})
    assert why in text
    assert "--> p.py:1:1" in text


def test_an_axis_of_the_grid_is_cut_not_split():
    func = scripted(BLOCK, grid={"k2": 4}, attributes=asked(("split", "k", 2)), **WIDE)
    frame = Frame.of(func)
    (loop,) = frame.loops
    marks = {attrs.DIRECTIVES: [0]}
    marked = tirx.For(loop.loop_var, loop.min, loop.extent, loop.kind, loop.body, None, marks)
    with pytest.raises(DirectiveRefused, match="it is an axis of the grid"):
        SplitLoops(Options()).rewrite(frame.with_loops([marked]).build())


def test_parts_are_bounded_by_iterations_cores_and_each_other():
    body = f"begin(L)\n{looped(LOAD, PRODUCT)}end(L)\ncopy(L, C)"
    assert "the loop has 10 iterations" in refusal(body, 11)
    grid = {"bx": 16}
    assert attrs.partition(asking(body, 4, grid=grid)).parts == 4
    assert "at most 4 cores for each of the 16 blocks" in refusal(body, 5, grid=grid)
    assert attrs.partition(asking(body, 5, grid={"bx": "n"})).parts == 5
    assert "the loop over k is split in 4, and one team runs both" in refusal(TWO, 4, 5)
    assert attrs.partition(asking(TWO, 4, 0)).parts == 4
