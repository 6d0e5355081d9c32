"""DeferStores: a writer that also loads stores a block during the next one."""

import pytest
from helpers import check, check_unchanged, planned, scripted, shared, tensor

from tilelang_tt.transforms.defer_stores import DeferStores

BUFFERS = {
    "A": tensor(64, 64),
    "C": tensor(64, 64),
    "S": shared(32, 32),
    "R": shared(32, 32),
}
LOAD = "T.noc_read(A.data, turn * 8 + k, S.data, 0)\n        T.cb_push_back(S.data, 1)"
STORE = "T.noc_write(C.data, turn, R.data, 0)"


def function(body, **plan):
    return planned(scripted(body, scalars=["n"], **BUFFERS), **plan)


def turns(loads=8, load=LOAD, store=STORE, before="T.comment('x')", extent="n"):
    return (
        f"for turn in range({extent}):\n"
        f"    {before}\n"
        f"    for k in range({loads}):\n"
        f"        {load}\n"
        f"    {store}"
    )


def deferred(loads, due):
    late = STORE.replace("turn", "turn - 1")
    last = STORE.replace("turn", "n - 1")
    return (
        "for turn in range(n):\n"
        "    T.comment('x')\n"
        f"    for k in range({loads}):\n"
        f"        {LOAD}\n"
        f"        if k == {due} and turn > 0:\n"
        f"            {late}\n"
        "if n > 0:\n"
        f"    {last}"
    )


@pytest.mark.parametrize("loads, depth, due", [(8, 2, 1), (8, 3, 1), (2, 3, 1), (1, 1, 0)])
def test_as_many_loads_come_first_as_the_buffer_holds(loads, depth, due):
    plan = {"S": {"depth": depth}, "R": {"depth": 5}}
    check(
        DeferStores(),
        function(turns(loads), **plan),
        function(deferred(loads, due), **plan),
    )


def test_what_is_received_is_loaded():
    receive = "T.multicast_receive('column')\n        T.cb_push_back(S.data, 1)"
    plan = {"S": {"depth": 2}}
    before = function(turns(load=receive), **plan)
    after = function(deferred(8, 1).replace(LOAD, receive), **plan)
    check(DeferStores(), before, after)


LEFT = {
    "no loads": turns(load="T.comment('y')"),
    "no stores": turns(store=""),
    "a store before the loads": turns(before=STORE),
    "loads that may not run": turns(loads="n"),
    "loads whose number differs from turn to turn": turns(loads="turn + 1", extent=4),
    "a tensor that is read and written": turns(store=STORE.replace("C.", "A.")),
    "stores that the reader waits for": turns(store=STORE + "; T.tensor_give(C.data)"),
    "loads without a loop": "for turn in range(n):\n    T.noc_read(A.data, 0, S.data, 0)\n    "
    + STORE,
    "no turns": STORE.replace("turn", "0"),
}


@pytest.mark.parametrize("body", LEFT.values(), ids=LEFT)
def test_left_alone(body):
    check_unchanged(DeferStores(), function(body))
