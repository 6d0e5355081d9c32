"""AccumulateInPlace: products add up on a value that was just made."""

import pytest
from helpers import check, check_unchanged, fragment, scripted, shared

from tilelang_tt.transforms.accumulate_in_place import AccumulateInPlace

BUFFERS = {
    "S": shared(64, 64),
    "L": fragment(64, 64),
    "G": fragment(64, 64, dtype="float32"),
    "H": fragment(64, 64, dtype="float32"),
}


def program(body):
    return scripted(body, scalars=["n"], **BUFFERS)


def nest(store, depth=0):
    inner = "    " * depth
    return f"for i in T.parallel(64):\n{inner}    for j in T.parallel(64): {store}"


def looped(*parts):
    return "for k in range(4):\n    " + "\n    ".join(parts)


SCALE = "G[i, j] = G[i, j] * T.float32(2)"
FILL = nest("G[i, j] = T.float32(1)")
BRACKETED = {
    "a value that is rescaled": (
        looped(nest(SCALE, 1), "gemm(S, S, G)"),
        looped(nest(SCALE, 1), "onto(G)", "gemm(S, S, G)", "end(G)"),
    ),
    "a value that takes several products": (
        f"{FILL}\ngemm(S, S, G); gemm(S, S, G)",
        f"{FILL}\nonto(G); gemm(S, S, G); gemm(S, S, G); end(G)",
    ),
    "a value that takes the products of a loop": (
        f"{FILL}\nfor k in range(n): gemm(S, S, G)",
        f"{FILL}\nonto(G)\nfor k in range(n): gemm(S, S, G)\nend(G)",
    ),
    "products under a condition": (
        f"{nest(SCALE)}\nif n == 0: gemm(S, S, G)",
        f"{nest(SCALE)}\nonto(G)\nif n == 0: gemm(S, S, G)\nend(G)",
    ),
    "other statements in between": (
        f"{nest(SCALE)}\ncopy(L, S); gemm(S, S, G); copy(L, S)",
        f"{nest(SCALE)}\nonto(G); copy(L, S); gemm(S, S, G); end(G); copy(L, S)",
    ),
    "up to the first statement that reads it": (
        f"{nest(SCALE)}\ngemm(S, S, G)\n{nest('L[i, j] = G[i, j]')}\ngemm(S, S, G)",
        f"{nest(SCALE)}\nonto(G); gemm(S, S, G); end(G)\n{nest('L[i, j] = G[i, j]')}\n"
        "gemm(S, S, G)",
    ),
    "up to the first product that overwrites": (
        f"{nest(SCALE)}\ngemm(S, S, G); gemm(S, S, G, clear=n == 0)",
        f"{nest(SCALE)}\nonto(G); gemm(S, S, G); end(G); gemm(S, S, G, clear=n == 0)",
    ),
    "two values at once": (
        f"{nest(SCALE)}\n{nest(SCALE.replace('G', 'H'))}\ngemm(S, S, G); gemm(S, S, H)",
        f"{nest(SCALE)}\nonto(G)\n{nest(SCALE.replace('G', 'H'))}\nonto(H); gemm(S, S, G); "
        "end(G); gemm(S, S, H); end(H)",
    ),
}


@pytest.mark.parametrize("before, expected", BRACKETED.values(), ids=BRACKETED)
def test_bracketed(before, expected):
    check(AccumulateInPlace(), program(before), program(expected))


UNTOUCHED = {
    "a new value that takes one product": f"{FILL}\ngemm(S, S, G)",
    "a value that nothing is added to": f"{nest(SCALE)}\ngemm(S, S, H)",
    "a value that is read first": (f"{nest(SCALE)}\n{nest('L[i, j] = G[i, j]')}\ngemm(S, S, G)"),
    "a product of the value itself": f"{nest(SCALE)}\ngemm(S, G, G)",
    "a product into a part": f"{nest(SCALE)}\ngemm(S, S[0:64, 0:32], G[0:64, 0:32])",
    "a product that overwrites": f"{nest(SCALE)}\ngemm(S, S, G, clear=n == 0)",
    "one product in the loop after": looped("gemm(S, S, G)", nest(SCALE, 1)),
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(AccumulateInPlace(), program(body))
