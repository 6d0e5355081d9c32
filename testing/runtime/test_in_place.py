"""The mock works on the user's memory itself where it can."""

import numpy as np
import pytest
import tilelang.language as T

from runtime.programs import compiled
from tilelang_tt import mock
from tilelang_tt.runtime import binding, mock_run

BLOCKS = 8


def shifted(width=64):
    """Each block of C is the block of A before it; one core has all of them."""

    @T.prim_func
    def shifted(
        A: T.Tensor((BLOCKS * 32, width), "bfloat16"), C: T.Tensor((BLOCKS * 32, width), "bfloat16")
    ):
        with T.Kernel(BLOCKS - 1, threads=128) as bx:
            S = T.alloc_shared((32, 64), "bfloat16")
            T.copy(A[bx * 32, 0], S)
            T.copy(S, C[(bx + 1) * 32, 0])

    return compiled(shifted, grid=(1, 1))


def seen(monkeypatch):
    """The buffers of the runs to come."""
    buffers = []
    run = mock.Executable.run
    monkeypatch.setattr(
        mock.Executable,
        "run",
        lambda self, given, **options: buffers.extend(given) or run(self, given, **options),
    )
    return buffers


def numbered(artifact):
    shape = artifact.plan.params[0].shape
    return np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)


def run(artifact, *arguments):
    mock_run.run(artifact, binding.bind(artifact.plan, binding.checked(artifact.plan, arguments)))


@pytest.mark.parametrize("width", [64, 48])
def test_whole_tiles_are_not_copied(width, monkeypatch):
    artifact = shifted(width)
    a, c = numbered(artifact), np.zeros(artifact.plan.params[0].shape, np.uint16)
    buffers = seen(monkeypatch)
    run(artifact, a, c)
    for buffer, tensor in zip(buffers, (a, c), strict=True):
        assert np.may_share_memory(buffer.data, tensor) == (width == 64)
    np.testing.assert_array_equal(c[32:], a[:-32])


def test_tensors_of_one_memory_are_two_on_the_device(monkeypatch):
    artifact = shifted()
    a = numbered(artifact)
    before = a.copy()
    buffers = seen(monkeypatch)
    run(artifact, a, a)
    assert not any(np.may_share_memory(buffer.data, a) for buffer in buffers)
    np.testing.assert_array_equal(a[32:], before[:-32])


def test_an_input_may_be_read_only():
    artifact = shifted()
    a, c = numbered(artifact), np.zeros(artifact.plan.params[0].shape, np.uint16)
    a.flags.writeable = False
    run(artifact, a, c)
    np.testing.assert_array_equal(c[32:], a[:-32])
