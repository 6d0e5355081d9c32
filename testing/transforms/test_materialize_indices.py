"""MaterializeIndices: what is made of places becomes tiles and numbers."""

import pytest
import tilelang.language as tl
from helpers import at, check, check_unchanged, fragment, scripted, shared, until

from tilelang_tt.diagnostics import UnsupportedExpression
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.materialize_indices import MaterializeIndices


def check_once(before, expected):
    """The numbers of whole tiles that the pass leaves are made of places, too: it runs once."""
    check(MaterializeIndices(), before, expected, idempotent=False)


def test_a_causal_mask():
    @T.prim_func(private=True)
    def before(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            P = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            for b in range(n):
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        P[i, j] = T.if_then_else(b * 64 + i >= j, S[i, j], T.float32(0))

    @T.prim_func(private=True)
    def expected(n: T.int32):
        T.func_attr({"tt.fp32_dest_acc": True})
        with T.sblock("tilelang_root"):
            S = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            P = T.sblock_alloc_buffer((64, 64), "float32", scope="local.fragment")
            index = T.sblock_alloc_buffer((32, 32), "float32", scope="shared.dyn")
            for i in T.parallel(32):
                for j in T.parallel(32):
                    index[i, j] = T.Cast("float32", i - j)
            for b in range(n):
                for i in T.parallel(64):
                    for j in T.parallel(64):
                        P[i, j] = T.if_then_else(
                            index[i % 32, j % 32]
                            + T.Cast(
                                "float32",
                                T.max(T.min(b * 64 + i // 32 * 32 - j // 32 * 32, 64), -64),
                            )
                            >= T.float32(0),
                            S[i, j],
                            T.float32(0),
                        )

    check_once(before, expected)


BUFFERS = {
    "F": fragment(64, 96, dtype="float32"),
    "S": shared(64, 96),
    "V": fragment(64, 1, dtype="float32"),
    "Z": fragment(32, 32, dtype="float32"),
}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(96): "
TILE = "for i in T.parallel(32):\n    for j in T.parallel(32): {}[i, j] = T.Cast({!r}, {})\n"


def index(value, *, name="index", dtype="float32"):
    return TILE.format(name, dtype, value)


def cast(value, dtype="float32"):
    return f"T.Cast({dtype!r}, {value})"


def clamped(number, bound=64):
    return f"T.max(T.min({number}, {bound}), -{bound})"


ROWS, COLUMNS = "i // 32 * 32", "j // 32 * 32"
HERE = "index[i % 32, j % 32]"
MADE = {
    "rows": (f"F[i, j] = {cast('i')}", index("i"), f"F[i, j] = {HERE} + {cast(ROWS)}"),
    "columns": (f"F[i, j] = {cast('j')}", index("j"), f"F[i, j] = {HERE} + {cast(COLUMNS)}"),
    "steps": (
        f"F[i, j] = {cast('i * 3 - j * 2 + n')}",
        index("i * 3 - j * 2"),
        f"F[i, j] = {HERE} + {cast('i // 32 * 96 + n - j // 32 * 64')}",
    ),
    "a number of the whole block": (
        f"F[i, j] = F[i, j] * {cast('n * 2 + 1')}",
        "",
        f"F[i, j] = F[i, j] * {cast('n * 2 + 1')}",
    ),
    "a number in the type of the values": (
        f"S[i, j] = S[i, j] * {cast('n + 1', 'bfloat16')}",
        "",
        f"S[i, j] = S[i, j] * {cast(cast('n + 1'), 'bfloat16')}",
    ),
    "a comparison of numbers": (
        "F[i, j] = T.if_then_else(n < 3, F[i, j], T.float32(0))",
        "",
        f"F[i, j] = T.if_then_else({cast('n - 3')} < T.float32(0), F[i, j], T.float32(0))",
    ),
    "two comparisons of one tile": (
        "F[i, j] = T.if_then_else(T.And(i >= j, i - j < n), F[i, j], T.float32(0))",
        index("i - j"),
        f"F[i, j] = T.if_then_else(T.And({HERE} + {cast(clamped(f'{ROWS} - {COLUMNS}'))} >="
        f" T.float32(0), {HERE} + {cast(clamped(f'{ROWS} - n - {COLUMNS}'))} < T.float32(0)),"
        " F[i, j], T.float32(0))",
    ),
    "comparisons of floats stay": (
        "F[i, j] = T.if_then_else(F[i, j] < T.float32(1), F[i, j], T.float32(0))",
        "",
        "F[i, j] = T.if_then_else(F[i, j] < T.float32(1), F[i, j], T.float32(0))",
    ),
}


def function(body, is_fp32=True, **more):
    attributes = {"tt.fp32_dest_acc": is_fp32}
    return scripted(body, scalars=["n"], attributes=attributes, **BUFFERS, **more)


@pytest.mark.parametrize("before, tile, after", MADE.values(), ids=MADE)
def test_made(before, tile, after):
    new = {"index": shared(32, 32, dtype="float32")} if tile else {}
    check_once(function(NEST + before), function(tile + NEST + after, **new))


def test_each_pair_of_steps_has_one_tile():
    rows, columns = f"F[i, j] = {cast('i')}", f"F[i, j] = F[i, j] + {cast('j')}"
    before = f"{NEST}{rows}\n{NEST}{columns}\n{NEST}{rows}"
    there = "index_1[i % 32, j % 32]"
    made = f"F[i, j] = {HERE} + {cast(ROWS)}"
    after = (
        index("i") + index("j", name="index_1") + f"{NEST}{made}\n"
        f"{NEST}F[i, j] = F[i, j] + ({there} + {cast(COLUMNS)})\n{NEST}{made}"
    )
    tiles = {name: shared(32, 32, dtype="float32") for name in ("index", "index_1")}
    check_once(function(before), function(after, **tiles))


def test_a_vector_of_indices():
    before = f"for i in T.parallel(64): V[i, 0] = {cast('i')}"
    after = index("i") + f"for i in T.parallel(64): V[i, 0] = index[i % 32, 0] + {cast(ROWS)}"
    new = {"index": shared(32, 32, dtype="float32")}
    check_once(function(before), function(after, **new))


@pytest.mark.parametrize(
    "dtype, rows, columns, bound",
    [("bfloat16", 1, 1, 64), ("bfloat16", 1, 3, 128), ("float16", 7, 2, 288)],
)
def test_numbers_are_clamped_to_what_the_registers_hold_exactly(dtype, rows, columns, bound):
    """Far from where the comparison turns, the number alone decides."""
    buffers = {"X": shared(64, 96, dtype=dtype)}
    zero = f"T.{dtype}(0)"
    number = f"i // 32 * {32 * rows} + n - j // 32 * {32 * columns}"
    left, right = (var if k == 1 else f"{var} * {k}" for var, k in (("i", rows), ("j", columns)))

    def make(body, **more):
        attributes = {"tt.fp32_dest_acc": False}
        return scripted(body, scalars=["n"], attributes=attributes, **buffers, **more)

    before = f"{NEST}X[i, j] = T.if_then_else(n + {left} >= {right}, X[i, j], {zero})"
    after = (
        index(f"{left} - {right}", dtype=dtype) + f"{NEST}X[i, j] = T.if_then_else("
        f"{HERE} + {cast(clamped(number, bound), dtype)} >= {zero}, X[i, j], {zero})"
    )
    check_once(make(before), make(after, index=shared(32, 32, dtype=dtype)))


UNTOUCHED = {
    "a tile of places": (
        f"for i in T.parallel(32):\n    for j in T.parallel(32): Z[i, j] = {cast('i - j')}"
    ),
    "no places": NEST + "F[i, j] = F[i, j] + F[i, j]",
    "other statements": "copy(S, S)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(MaterializeIndices(), function(body))


def test_a_tile_of_places_that_is_also_written_otherwise_is_no_index_tile():
    nest = "for i in T.parallel(32):\n    for j in T.parallel(32): Z[i, j] = "
    other = f"\n{nest}Z[i, j] * T.float32(2)"
    after = index("i - j") + nest + f"{HERE} + {cast(f'{ROWS} - {COLUMNS}')}" + other
    check_once(
        function(nest + cast("i - j") + other),
        function(after, index=shared(32, 32, dtype="float32")),
    )


REFUSED = {
    "a product of places": (f"F[i, j] = {cast('i * j')}", True, r"TT1007: .*i \* j[\s\S]*linear"),
    "a step that is not known": (
        f"F[i, j] = {cast('i * n')}",
        True,
        r"TT1007: .*i \* n[\s\S]*linear",
    ),
    "a quotient": (f"F[i, j] = {cast('i // 2')}", True, r"TT1007: .*i // 2[\s\S]*linear"),
    "large steps in narrow registers": (
        "S[i, j] = T.if_then_else(i * 8 >= j, S[i, j], T.bfloat16(0))",
        False,
        r"TT1007: [\s\S]*smaller steps",
    ),
}


@pytest.mark.parametrize("store, is_fp32, message", REFUSED.values(), ids=REFUSED)
def test_refused(store, is_fp32, message):
    with pytest.raises(UnsupportedExpression, match=message):
        MaterializeIndices().rewrite(function(NEST + store, is_fp32))


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def kernel(C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            C_l = tl.alloc_fragment((64, 64), "float32")
            for i, j in tl.Parallel(64, 64):  # <- loop
                C_l[i, j] = tl.Cast("float32", i * j)  # <- product
            tl.copy(C_l, C)

    with pytest.raises(
        UnsupportedExpression, match=at("TT1007", __file__, "# <- loop", "# <- product")
    ):
        MaterializeIndices().rewrite(until(kernel, MaterializeIndices.name))
