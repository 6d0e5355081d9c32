"""Attention."""

from __future__ import annotations

from testing.mock_validation.bench import Bench, case

SDPA = "transformer/sdpa/device/kernels/compute/sdpa.cpp"


@case("attention", "scaled dot product, forward", (SDPA,), missing="api/compute/reduce_custom.h")
def sdpa(bench: Bench) -> None:
    """The kernel programs the vector unit in SFPI, the device compiler's own vector language, and
    calls the low-level kernel library beside the compute API."""
    bench.program.circular_buffer(0, "bfloat16", 2)
    bench.kernel("compute", SDPA, {(0, 0): ()})
