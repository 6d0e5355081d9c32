"""LowerIndexArithmetic: floor division becomes what C++ has."""

import pytest
from helpers import check, check_unchanged, scripted, shared, tensor

from tilelang_tt.transforms.lower_index_arithmetic import LowerIndexArithmetic

OWN = {"tt.core_args": ["first", "count"]}
BUFFERS = {"A": tensor(64, "m"), "S": shared(32, 32)}


def function(page, loops="for b in T.serial(first, first + count):"):
    body = f"{loops}\n    T.noc_read(A.data, {page}, S.data, 0)"
    scalars = ["m", "n", "first", "count"]
    return scripted(body, scalars=scalars, attributes=OWN, **BUFFERS)


LOWERED = {
    "a block": ("b // 4", "T.Div(b, 4)"),
    "a remainder": ("b % 4", "T.Mod(b, 4)"),
    "both, nested": ("b // 4 % 3", "T.Mod(T.Div(b, 4), 3)"),
    "by a dynamic extent": ("b // m", "T.Div(b, m)"),
    "tiles of a dynamic extent": ("(m + 31) // 32", "T.Div(m + 31, 32)"),
    "of a scalar, which may be negative": ("n // 4", "T.floor_div(n, 4)"),
    "the remainder of a scalar": ("n % 4", "T.floor_mod(n, 4)"),
    "by a scalar": ("b // n", "T.floor_div(b, n)"),
    "of a difference": ("(b - 7) // 2", "T.floor_div(b - 7, 2)"),
}


@pytest.mark.parametrize("before, expected", LOWERED.values(), ids=LOWERED)
def test_lowered(before, expected):
    check(LowerIndexArithmetic(), function(before), function(expected))


def test_the_range_of_a_loop_is_known():
    loops = "for b in T.serial(8, 12):"
    check(
        LowerIndexArithmetic(),
        function("(b - 8) // 2", loops),
        function("T.Div(b - 8, 2)", loops),
    )


@pytest.mark.parametrize("page", ["b * 4 + 1", "n - b", "T.min(b, n)"])
def test_untouched(page):
    check_unchanged(LowerIndexArithmetic(), function(page))
