"""MaterializeViews: a tile operation that takes a part of a buffer gets a copy of it."""

import pytest
from helpers import check, check_unchanged, fragment, scripted, shared, tensor

from tilelang_tt.transforms.materialize_views import MaterializeViews

BUFFERS = {
    "D": tensor(32, 64),
    "S": shared(2, 64, 64),
    "B": shared(64, 64),
    "C": fragment(32, 64, dtype="float32"),
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
    "a part that is written": "copy(D, S[1, 32:64, 0:64])",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(MaterializeViews(), scripted(body, **BUFFERS))
