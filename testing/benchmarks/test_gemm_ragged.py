"""Products that no block divides."""

from benchmarks.gemm import ragged


def test_a_size_is_rounded_up_to_whole_blocks():
    assert ragged.padded((1, 128, 129)) == (128, 128, 192)


def test_a_ragged_product_takes_no_longer_than_the_padded_one():
    """Cycles are predicted, and so the same on every machine."""
    size = (250, 200, 100)
    assert ragged.cycles(size, "wormhole_b0") <= ragged.cycles(ragged.padded(size), "wormhole_b0")
