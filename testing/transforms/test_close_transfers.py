"""CloseTransfers: a kernel waits for what it has sent."""

import pytest
from helpers import check, check_unchanged, scripted, shared, tensor

from tilelang_tt.transforms.close_transfers import CloseTransfers

BUFFERS = {"A": tensor(64, 64), "S": shared(32, 32)}
CLOSED = "\nT.noc_write_barrier()\nT.noc_atomic_barrier()"


@pytest.mark.parametrize(
    "body",
    [
        "T.multicast_send('row', S.data, 1)",
        "T.multicast_receive('row')",
        "for k in range(4): T.multicast_receive('all')",
        "T.part_receive('children', 0, S.data)",
        "T.part_send('parent', 0, 1, S.data, S.data, 1)",
    ],
)
def test_closed(body):
    check(CloseTransfers(), scripted(body, **BUFFERS), scripted(body + CLOSED, **BUFFERS))


def test_a_kernel_whose_writes_have_only_left_waits_for_them():
    body = "T.noc_write(A.data, 0, S.data, 0)\nT.noc_writes_flushed()"
    expected = f"{body}\nT.noc_write_barrier()"
    check(CloseTransfers(), scripted(body, **BUFFERS), scripted(expected, **BUFFERS))


def test_a_kernel_that_only_reads_and_writes_tensors_is_left_alone():
    body = "T.noc_read(A.data, 0, S.data, 0)\nT.noc_write(A.data, 0, S.data, 0)"
    check_unchanged(CloseTransfers(), scripted(body, **BUFFERS))
