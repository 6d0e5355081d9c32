"""MaterializeViews: a tile operation on a part of a buffer gets a copy of it."""

import pytest
from helpers import check, check_unchanged, fragment, scripted, shared, tensor

from tilelang_tt.transforms.materialize_views import MaterializeViews

BUFFERS = {
    "D": tensor(32, 64),
    "S": shared(2, 64, 64),
    "B": shared(64, 64),
    "C": fragment(32, 64, dtype="float32"),
    "H": shared(32, 64),
    "W": shared(64, 32),
    "m": shared(32, 1),
}
PART = (
    "for i in T.parallel(32):\n"
    "    for j in T.parallel(64): S_part[i, j] = S[1, 32 + i, j]\n"
)  # fmt: skip
USES = {
    "a product": "gemm({}, B, C, clear=True)",
    "a store": "copy({}, D)",
    "a reduction": "reduce({}, m, 'sum', 1)",
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_part_is_copied(use):
    before = scripted(use.format("S[1, 32:64, 0:64]"), **BUFFERS)
    expected = scripted(PART + use.format("S_part"), **BUFFERS, S_part=shared(32, 64))
    check(MaterializeViews(), before, expected)


UNTOUCHED = {
    "whole operands": "gemm(B, B, B, clear=True)",
    "a part of a tensor": "copy(D[0:32, 0:32], m)",
}
BACK = (
    "for i in T.parallel(32):\n"
    "    for j in T.parallel(64): S[1, 32 + i, j] = S_part[i, j]\n"
)  # fmt: skip
RESULTS = {
    "a load": ("copy(D, {})", ""),
    "a transposition": ("transpose(W, {})", ""),
    "a product": ("gemm(H, B, {}, clear=True)", ""),
    "a product that accumulates": ("gemm(H, B, {})", PART),
    "a product that perhaps accumulates": ("gemm(H, B, {}, clear=n == 0)", PART),
}


@pytest.mark.parametrize("statement, first", RESULTS.values(), ids=RESULTS)
def test_a_part_is_made_by_itself(statement, first):
    before = scripted(statement.format("S[1, 32:64, 0:64]"), scalars=["n"], **BUFFERS)
    after = first + statement.format("S_part") + "\n" + BACK
    expected = scripted(after, scalars=["n"], **BUFFERS, S_part=shared(32, 64))
    check(MaterializeViews(), before, expected)


def test_a_part_of_the_result_and_one_of_an_operand():
    before = "gemm(S[1, 32:64, 0:64], B, S[1, 32:64, 0:64], clear=True)"
    after = PART + "gemm(S_part, B, S_part_1, clear=True)\n" + BACK.replace("part", "part_1")
    new = {"S_part": shared(32, 64), "S_part_1": shared(32, 64)}
    check(MaterializeViews(), scripted(before, **BUFFERS), scripted(after, **BUFFERS, **new))


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(MaterializeViews(), scripted(body, **BUFFERS))
