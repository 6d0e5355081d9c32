"""SplitMasks: masks are left out where a block needs none."""

import pytest
from helpers import check, check_unchanged, fragment, scripted

from tilelang_tt.transforms.split_masks import SplitMasks

BUFFERS = {"S": fragment(64, 32, dtype="float32"), "P": fragment(64, 32, dtype="float32")}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(32):\n        P[i, j] = {}\n"


def program(body):
    return scripted(body, scalars=["b", "k"], **BUFFERS)


def branch(condition, simple, masked):
    def indented(value):
        return "".join(f"    {line}\n" for line in NEST.format(value).splitlines())

    return f"if {condition}:\n{indented(simple)}else:\n{indented(masked)}"


def choice(condition, yes="S[i, j]", no="T.float32(0)"):
    return f"T.if_then_else({condition}, {yes}, {no})"


SPLIT = {
    "a causal mask": ("b + i >= k + j", "31 <= b - k"),
    "one that compares the other way": ("k + j <= b + i", "k - b <= -31"),
    "a strict one": ("b + i > k + j", "31 < b - k"),
    "less than": ("k + j < b", "k - b < -31"),
    "one whose step is not one": ("b >= i * 2 + j", "157 <= b"),
}


@pytest.mark.parametrize(("mask", "condition"), SPLIT.values(), ids=SPLIT)
def test_split(mask, condition):
    value = choice(mask)
    expected = branch(condition, "S[i, j]", value)
    check(SplitMasks(), program(NEST.format(value)), program(expected))


def test_the_side_that_is_an_infinity_is_not_tried():
    value = choice("k + j >= b", no="S[i, j]", yes='T.float32("-inf")')
    expected = branch("k - b < -31", "S[i, j]", value)
    check(SplitMasks(), program(NEST.format(value)), program(expected))


def test_zeros_that_are_left_are_not_added():
    value = choice("b + i >= k + j", yes="T.float32(0)", no='T.float32("-inf")') + " + S[i, j]"
    expected = branch("31 <= b - k", "S[i, j]", value)
    check(SplitMasks(), program(NEST.format(value)), program(expected))


def test_a_conjunction_is_decided_by_both():
    value = choice("b + i >= k + j and k + j < b")
    expected = branch("31 <= b - k and k - b < -31", "S[i, j]", value)
    check(SplitMasks(), program(NEST.format(value)), program(expected))


def test_the_programs_own_branches_are_looked_into():
    value = choice("b + i >= k + j")
    split = "".join(
        f"    {line}\n" for line in branch("31 <= b - k", "S[i, j]", value).splitlines()
    )
    nest = "".join(f"    {line}\n" for line in NEST.format(value).splitlines())
    head = "if b == 0:\n    gemm(S, P, P)\nelse:\n"
    check(SplitMasks(), program(head + nest), program(head + split))


UNTOUCHED = {
    "a comparison of data": choice("S[i, j] > T.float32(0)"),
    "a comparison that is one for the block": choice("b >= k"),
    "an equality": choice("b + i == k + j"),
    "a disjunction": choice("b + i >= k + j or k >= b"),
    "what is not linear": choice("i * i >= b"),
    "what is decided at once": choice("i >= j - 40"),
    "two that no block is certain of": choice("b <= i and i < b + 32"),
    "no choice": "S[i, j]",
}


@pytest.mark.parametrize("value", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(value):
    check_unchanged(SplitMasks(), program(NEST.format(value)))


def test_a_mask_that_no_iteration_does_without_is_left():
    nest = "".join(f"    {line}\n" for line in NEST.format(choice("i < q * 8")).splitlines())
    check_unchanged(SplitMasks(), program(f"for q in range(8):\n{nest}"))
