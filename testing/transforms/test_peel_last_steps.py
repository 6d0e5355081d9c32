"""PeelLastSteps: what a loop does in its last step alone comes after it."""

import pytest
from helpers import check, check_unchanged, scripted, shared

from tilelang_tt.transforms.peel_last_steps import PeelLastSteps

BUFFERS = {"S": shared(32, 32)}


def function(body):
    return scripted(body, scalars=["n"], **BUFFERS)


STEP = (
    "    T.cb_wait_front(S.data, 1)\n"
    "    if k == {last}:\n        T.comment('last')\n"
    "    else:\n        T.pack_reconfig_l1_acc(S.data, k != {first})\n"
    "    T.cb_pop_front(S.data, 1)"
)
PEELED = (
    "for k in range({first}, {last}):\n"
    "    T.cb_wait_front(S.data, 1)\n"
    "    T.pack_reconfig_l1_acc(S.data, k != {first})\n"
    "    T.cb_pop_front(S.data, 1)\n"
    "T.cb_wait_front(S.data, 1)\n"
    "T.comment('last')\n"
    "T.cb_pop_front(S.data, 1)"
)


@pytest.mark.parametrize("first, last", [(0, 7), (2, 3)])
def test_peeled(first, last):
    where = {"first": first, "last": last}
    before = f"for k in range({first}, {last + 1}):\n" + STEP.format(**where)
    check(PeelLastSteps(), function(before), function(PEELED.format(**where)))


def test_a_branch_for_the_last_step_alone():
    before = "for k in range(4):\n    T.comment('a')\n    if k == 3:\n        T.comment('b')"
    after = "for k in range(3):\n    T.comment('a')\nT.comment('a')\nT.comment('b')"
    check(PeelLastSteps(), function(before), function(after))


def test_what_the_number_of_the_step_decides_is_decided():
    before = (
        "for k in range(4):\n    if k == 3:\n        T.pack_reconfig_l1_acc(S.data, k != 0)\n"
        "    else:\n        T.comment('a')"
    )
    after = "for k in range(3):\n    T.comment('a')\nT.pack_reconfig_l1_acc(S.data, T.bool(True))"
    check(PeelLastSteps(), function(before), function(after))


LEFT = {
    "another step": "for k in range(8):\n    if k == 6:\n        T.comment('x')",
    "one step": "for k in range(1):\n    if k == 0:\n        T.comment('x')",
    "steps that only a launch tells": (
        "for k in range(n):\n    if k == n - 1:\n        T.comment('x')"
    ),
    "a branch on something else": "for k in range(8):\n    if n == 7:\n        T.comment('x')",
}


@pytest.mark.parametrize("body", LEFT.values(), ids=LEFT)
def test_left_alone(body):
    check_unchanged(PeelLastSteps(), function(body))
