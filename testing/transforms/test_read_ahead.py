"""ReadAhead: a sender reads the next block while it sends one."""

import pytest
from helpers import check, check_unchanged, planned, scripted, shared, tensor

from tilelang_tt.transforms.read_ahead import ReadAhead

BUFFERS = {"A": tensor(512, 512), "S": shared(32, 64), "R": shared(32, 64)}
PAGES = "T.block_pages({cb}.data)"


def function(body, depth=3, **more):
    plan = {"S": {"depth": depth}, "R": {"depth": depth}}
    return planned(scripted(body, scalars=["n", "row"], **BUFFERS), **plan)


def lines(text, depth):
    return "\n".join("    " * depth + line for line in text.splitlines())


def read(at, cb="S", ahead=""):
    return (
        f"if row < 3:\n    T.noc_read{ahead}(A.data, row * 16 + {at}, {cb}.data, 0)\n"
        f"else:\n    T.zero_page{ahead}({cb}.data, 0)"
    )


def reserve(cb="S"):
    return f"T.cb_reserve_back({cb}.data, {PAGES.format(cb=cb)})"


def push(cb="S"):
    return f"T.cb_push_back({cb}.data, {PAGES.format(cb=cb)})"


def shared_load(reads, receives, cb="S", condition="row == 0", sent=""):
    return (
        f"{reserve(cb)}\nif {condition}:\n{lines(reads, 1)}\n"
        f"    T.multicast_send('row', {cb}.data, 2)\n{sent}"
        f"else:\n{lines(receives, 1)}\n{push(cb)}"
    )


def load(at="k", cb="S", condition="row == 0"):
    reads = f"{read(at, cb)}\nT.noc_read_barrier()"
    sent = "    T.noc_writes_flushed()\n"
    return shared_load(reads, "T.multicast_receive('row')", cb, condition, sent)


def loop(body, first=0, end="n"):
    return f"for k in range({first}, {end}):\n{lines(body, 1)}"


def first(at, runs="n > 0", cb="S"):
    asked = (
        f"{reserve(cb)}\nif row == 0:\n{lines(read(at, cb), 1)}\n"
        "else:\n    T.multicast_offer('row')"
    )
    return f"if {runs}:\n{lines(asked, 1)}" if runs else asked


def first_alone(at, cb):
    """Where the group shares more than this block."""
    return f"if n > 0:\n    if row == 0:\n        {reserve(cb)}\n{lines(read(at, cb), 2)}"


def sends(following, first, cb):
    """What a sender does before it sends, and after."""
    ahead = f"T.cb_reserve_ahead({cb}.data)\n{read('(k + 1)', cb, '_ahead')}"
    before, after = (
        f"if k {order} {first} and {following}:\n{lines(ahead, 1)}" for order in (">", "<=")
    )
    return f"T.noc_read_barrier()\n{before}", f"{lines(after, 1)}\n"


def overlapped_alone(following="k + 1 < n", cb="S", first=0):
    reads, sent = sends(following, first, cb)
    return shared_load(reads, "T.multicast_receive('row')", cb, sent=sent)


def overlapped(following="k + 1 < n", cb="S", first=0):
    reads, sent = sends(following, first, cb)
    offer = f"T.cb_reserve_back({cb}.data, 4)\nT.multicast_offer('row')"
    receives = f"if {following}:\n{lines(offer, 1)}\nT.multicast_await('row')"
    return shared_load(reads, receives, cb, sent=sent)


AHEAD = {
    "a loop": (loop(load()), f"{first(0)}\n{loop(overlapped())}"),
    "a loop from another start": (
        loop(load(), 2, 8),
        f"{first(2, '')}\n{loop(overlapped('k + 1 < 8', first=2), 2, 8)}",
    ),
    "two buffers of one group": (
        loop(f"{load()}\n{load(cb='R')}"),
        f"{first_alone(0, 'S')}\n{first_alone(0, 'R')}\n"
        + loop(f"{overlapped_alone()}\n{overlapped_alone(cb='R')}"),
    ),
    "a loop in a loop": (
        f"for turn in range(4):\n{lines(loop(load()), 1)}",
        f"for turn in range(4):\n{lines(first(0), 1)}\n{lines(loop(overlapped()), 1)}",
    ),
    "a buffer that is filled elsewhere as well": (
        f"{loop(load())}\n{reserve()}\n{read('n')}\nT.noc_read_barrier()\n{push()}",
        f"{first(0)}\n{loop(overlapped())}\nT.noc_writes_flushed()\n"
        f"{reserve()}\n{read('n')}\nT.noc_read_barrier()\n{push()}",
    ),
    "with other things in the loop": (
        loop(f"T.comment('x')\n{load()}\nT.comment('y')"),
        f"{first(0)}\n{loop('T.comment(' + repr('x') + ')' + chr(10) + overlapped())}\n"
        "    T.comment('y')",
    ),
}


@pytest.mark.parametrize("before, after", AHEAD.values(), ids=AHEAD)
def test_the_next_block_is_read_ahead(before, after):
    check(ReadAhead(), function(before), function(after))


LEFT = {
    "a buffer of two blocks": (loop(load()), 2),
    "a block without a loop": (load("n"), 3),
    "a buffer that is filled twice": (loop(f"{load()}\n{load('k + 1')}"), 3),
    "a sender that changes": (loop(load(condition="row == k")), 3),
    "a load that is not shared": (
        loop(f"{reserve()}\n{read('k')}\nT.noc_read_barrier()\n{push()}"),
        3,
    ),
    "a loop of pages": (loop("T.noc_read(A.data, k, S.data, k)"), 3),
}


@pytest.mark.parametrize("body, depth", LEFT.values(), ids=LEFT)
def test_left_alone(body, depth):
    check_unchanged(ReadAhead(), function(body, depth))
