"""A TileLang program through the compiler and the mock, against the reference interpreter."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from tvm import tirx

from testing import reference
from testing.reference import dtypes
from tilelang_tt import pipeline
from tilelang_tt.codegen import artifact
from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.options import Options
from tilelang_tt.runtime import binding, mock_run

ARCHS = ("wormhole_b0", "blackhole")
Array = np.ndarray
VAGUE = 0.25
"""A bound larger than this share of the largest value says little about an element."""


@functools.cache
def built(
    factory: Callable[..., tirx.PrimFunc], *args: object, arch: str = ARCHS[0], **options: object
) -> tuple[tirx.PrimFunc, Artifact]:
    """The program `factory(*args)` and its kernels, once in a test session."""
    chosen = Options(arch=arch, execution="mock", **options)
    function = factory(*args)
    return function, artifact.build(pipeline.lower(function, chosen), "main", chosen)


def numbers(shape: tuple[int, ...], dtype: str, *, seed: int = 0, low: float = -2.0) -> Array:
    """Random numbers between `low` and 2."""
    values = np.random.default_rng(seed).uniform(low, 2, shape)
    return values.astype(dtypes.numpy_dtype(dtype))


def run(made: Artifact, arguments: list[Array | float]) -> dict[str, Array]:
    """Launch on the mock; the tensors that were written, by name."""
    mock_run.run(made, binding.bind(made.plan, binding.checked(made.plan, arguments)))
    by_name = dict(zip([param.name for param in made.plan.params], arguments, strict=True))
    return {tensor.name: by_name[tensor.name] for tensor in made.plan.tensors if tensor.is_written}


def check(
    factory: Callable[..., tirx.PrimFunc],
    *args: object,
    inputs: list[Array | float] | None = None,
    arch: str = ARCHS[0],
    sharp: float = 1.0,
    **options: object,
) -> dict[str, Array]:
    """Assert that the mock's results lie within the bounds of the reference.

    Args:
        factory: makes the program out of `args`.
        inputs: its arguments; random numbers where there are none.
        sharp: the share of the elements whose bound must say something.

    Returns:
        The results, by the names of the tensors.
    """
    function, made = built(factory, *args, arch=arch, **options)
    arguments = list(inputs or _random(made))
    expected = reference.run(function, arguments, registers=_registers(made))
    results = run(made, arguments)
    for name, actual in results.items():
        agreement = reference.compare(actual, expected[name])
        assert not agreement.wrong, f"{name}: {agreement.text}"
        value, error = expected[name].value, np.asarray(expected[name].error)
        size = np.abs(value[np.isfinite(value)]).max(initial=0.0)
        share = np.broadcast_to(error <= VAGUE * size, value.shape).mean()
        assert share >= sharp, f"{name}: the bounds say something about {share:.0%} of the elements"
    return results


def _registers(made: Artifact) -> str:
    if made.plan.fp32_dest_acc:
        return "float32"
    is_half = any(cb.dtype == "float16" for cb in made.plan.circular_buffers)
    return "float16" if is_half else "bfloat16"


def _random(made: Artifact) -> list[Array | float]:
    arguments: list[Array | float] = []
    for seed, param in enumerate(made.plan.params):
        assert param in made.plan.tensors, f"give a value for the scalar {param.name}"
        shape = tuple(int(extent) for extent in param.shape)
        arguments.append(numbers(shape, param.dtype, seed=seed))
    return arguments
