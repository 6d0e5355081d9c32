"""Kernels on integers of 8 bits on the mock, against numpy, which cuts results as they do."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import tilelang.language as T
import torch

from testing.kernels import programs
from testing.kernels.programs import compiled

ARCHS = ("wormhole_b0", "blackhole")
BYTES = ("int8", "uint8")
OTHERS = ("float32", "bfloat16", "float16", "int32")
SHAPE = (70, 96)
BLOCK = (32, 64)


def numbers(dtype, shape=SHAPE, seed=0):
    """Every number of an integer dtype is as likely as any other."""
    info = np.iinfo(dtype)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    return torch.from_numpy(drawn)


def target(arch):
    return f"tenstorrent/{arch}"


# Conversions. -------------------------------------------------------------------------------------


def convert(m, a, b, *, to):
    return T.Cast(to, a)


def converted(source, to, arch):
    f = functools.partial(convert, to=to)
    kernel = compiled(
        programs.parallel, f, SHAPE, BLOCK, str(source.dtype)[6:], to, target=target(arch)
    )
    return kernel(source, source)


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("byte, to", [*itertools.product(BYTES, OTHERS), BYTES, BYTES[::-1]])
def test_from_bytes(byte, to, arch):
    source = numbers(byte)
    assert torch.equal(converted(source, to, arch), source.to(getattr(torch, to)))


FRACTIONS = {"int8": [-128.0, -127.75, -1.5, -0.75, 127.5], "uint8": [0.25, 127.5, 128.5, 255.75]}


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("source, byte", [*itertools.product(OTHERS, BYTES)])
def test_to_bytes(source, byte, arch):
    """Fractions are dropped."""
    dtype = getattr(torch, source)
    values = numbers(byte).to(dtype)
    if dtype.is_floating_point:
        values += torch.rand(SHAPE) * values.sign() * 0.9 * (values.abs() < 127)
        values[0, : len(FRACTIONS[byte])] = torch.tensor(FRACTIONS[byte])
    assert torch.equal(
        converted(values.to(dtype), byte, arch), values.to(dtype).to(getattr(torch, byte))
    )


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize(
    "source, byte", [("float32", "int8"), ("int32", "int8"), ("int32", "uint8")]
)
def test_what_no_byte_holds_is_taken_modulo_256(source, byte, arch):
    whole = np.random.default_rng(0).integers(-(2**31), 2**31, SHAPE)
    whole[0, :4] = [-(2**31), 2**31 - 128, 256, -129]
    values = whole.astype(source)
    expected = values.astype(np.int64).astype(byte)
    actual = converted(torch.from_numpy(values), byte, arch).numpy()
    np.testing.assert_array_equal(actual, np.where(abs(values) < 2**31, expected, 0))


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("byte", BYTES)
def test_what_is_no_number_of_32_bits_is_0(byte, arch):
    values = torch.full(SHAPE, 7.0)
    values[0, :6] = torch.tensor([np.nan, np.inf, -np.inf, 2.0**31, -(2.0**40), 3e38])
    actual = converted(values, byte, arch)
    assert actual[0, :6].tolist() == [0] * 6
    assert (actual[1:] == 7).all()


# Expressions. -------------------------------------------------------------------------------------

OPERATIONS = {
    "sum": (lambda a, b: a + b, lambda a, b: a + b),
    "difference": (lambda a, b: a - b, lambda a, b: a - b),
    "product": (lambda a, b: a * b, lambda a, b: a * b),
    "maximum": (lambda a, b: T.max(a, b), np.maximum),
    "minimum": (lambda a, b: T.min(a, b), np.minimum),
    "maximum of cut results": (
        lambda a, b: T.max(a + b, a - b),
        lambda a, b: np.maximum(a + b, a - b),
    ),
    "bits": (lambda a, b: (a & b) ^ (a | b), lambda a, b: (a & b) ^ (a | b)),
    "choice": (
        lambda a, b: T.if_then_else(a * b > a, a + b, b),
        lambda a, b: np.where(a * b > a, a + b, b),
    ),
    "average": (
        lambda a, b: T.Cast(a.dtype, (T.Cast("int32", a) + T.Cast("int32", b)) >> 1),
        lambda a, b: ((a.astype(int) + b) >> 1).astype(a.dtype),
    ),
    "constant": (lambda a, b: a + T.Cast(a.dtype, 100), lambda a, b: a + a.dtype.type(100)),
}  # fmt: skip


@pytest.mark.parametrize("byte, arch", [*zip(BYTES, ARCHS, strict=True)])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(byte, name, arch):
    f, expected = OPERATIONS[name]
    a, b = numbers(byte), numbers(byte, seed=1)
    kernel = compiled(programs.parallel, _of_two(f), SHAPE, BLOCK, byte, target=target(arch))
    np.testing.assert_array_equal(kernel(a, b).numpy(), expected(a.numpy(), b.numpy()))


@functools.cache
def _of_two(f):
    return lambda m, a, b: f(a, b)


@pytest.mark.parametrize("byte", BYTES)
@pytest.mark.parametrize("factory", [programs.parallel, programs.on_tensors, programs.in_place])
def test_every_way_to_write_it(factory, byte):
    a, b = numbers(byte, (64, 96)), numbers(byte, (64, 96), 1)
    f = _of_two(OPERATIONS["sum"][0])
    kernel = compiled(factory, f, (64, 96), (32, 32), byte)
    assert torch.equal(kernel(a, b), a + b)


def long_chain(m, a, b):
    value = a
    for step in range(12):
        value = m.max(value * b, a) - value if step % 2 else value + b * a
    return value


@pytest.mark.parametrize("byte", BYTES)
def test_a_long_chain(byte):
    a, b = numbers(byte), numbers(byte, seed=1)
    kernel = compiled(programs.parallel, long_chain, SHAPE, BLOCK, byte)
    expected = long_chain(_Numpy, a.numpy(), b.numpy())
    np.testing.assert_array_equal(kernel(a, b).numpy(), expected)


class _Numpy:
    max = staticmethod(np.maximum)


# Other statements. --------------------------------------------------------------------------------


def moved(shape, rows, dtype):
    M, N = shape

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(M, rows)) as by:
            A_s = T.alloc_shared((rows, N), dtype)
            T.copy(A[by * rows, 0], A_s)
            T.copy(A_s, C[by * rows, 0])

    return main


def turned(dtype):
    @T.prim_func
    def main(A: T.Tensor((64, 96), dtype), C: T.Tensor((96, 64), dtype)):
        with T.Kernel(1):
            A_s = T.alloc_shared((64, 96), dtype)
            C_s = T.alloc_shared((96, 64), dtype)
            T.copy(A, A_s)
            T.transpose(A_s, C_s)
            T.copy(C_s, C)

    return main


def filled(value, dtype):
    @T.prim_func
    def main(C: T.Tensor((64, 96), dtype)):
        with T.Kernel(2) as by:
            C_l = T.alloc_fragment((32, 96), dtype)
            T.fill(C_l, value)
            T.copy(C_l, C[by * 32, 0])

    return main


def lower_triangle(shape, rows, dtype):
    M, N = shape

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(M, rows)) as by:
            A_s = T.alloc_shared((rows, N), dtype)
            C_l = T.alloc_fragment((rows, N), dtype)
            T.copy(A[by * rows, 0], A_s)
            for i, j in T.Parallel(rows, N):
                C_l[i, j] = T.if_then_else(by * rows + i >= j, A_s[i, j], T.Cast(dtype, 0))
            T.copy(C_l, C[by * rows, 0])

    return main


@pytest.mark.parametrize("byte, arch", [*zip(BYTES, ARCHS, strict=True)])
@pytest.mark.parametrize("shape", [(64, 96), (70, 50), (5, 33)])
def test_moves(shape, byte, arch):
    a = numbers(byte, shape)
    assert torch.equal(compiled(moved, shape, 32, byte, target=target(arch))(a), a)


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("byte", BYTES)
def test_transposition(byte, arch):
    a = numbers(byte, (64, 96))
    assert torch.equal(compiled(turned, byte, target=target(arch))(a), a.T)


@pytest.mark.parametrize("byte, value", [("int8", -128), ("int8", 5), ("uint8", 255)])
def test_fill(byte, value):
    actual = compiled(filled, value, byte)()
    assert torch.equal(actual, torch.full((64, 96), value, dtype=getattr(torch, byte)))


@pytest.mark.parametrize("byte", BYTES)
def test_mask(byte):
    a = numbers(byte)
    assert torch.equal(compiled(lower_triangle, SHAPE, 32, byte)(a), a.tril())


def reduced(kind, shape, rows, dtype, out, dim):
    M, N = shape
    kept = (M, rows) if dim == 1 else (N, N)

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), C: T.Tensor((kept[0],), out)):
        with T.Kernel(T.ceildiv(M, rows)) as by:
            A_s = T.alloc_shared((rows, N), dtype)
            C_l = T.alloc_fragment((kept[1],), out)
            T.copy(A[by * rows, 0], A_s)
            getattr(T, f"reduce_{kind}")(A_s, C_l, dim=dim)
            T.copy(C_l, C[by * rows if dim == 1 else 0])

    return main


KINDS = {
    "sum": lambda a, axis: a.sum(axis),
    "max": lambda a, axis: a.max(axis),
    "min": lambda a, axis: a.min(axis),
    "abssum": lambda a, axis: abs(a).sum(axis),
    "absmax": lambda a, axis: abs(a).max(axis),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "byte, out, shape, dim, arch",
    [
        ("int8", "int8", (70, 50), 1, "wormhole_b0"),
        ("int8", "int32", (64, 96), 1, "blackhole"),
        ("uint8", "uint8", (50, 70), 0, "blackhole"),
        ("uint8", "float32", (50, 70), 0, "wormhole_b0"),
    ],
)
def test_reductions(kind, byte, out, shape, dim, arch):
    a = numbers(byte, shape)
    rows = 32 if dim == 1 else shape[0]
    kernel = compiled(reduced, kind, shape, rows, byte, out, dim, target=target(arch))
    expected = KINDS[kind](a.numpy().astype(np.int64), dim)
    np.testing.assert_array_equal(kernel(a).numpy(), expected.astype(out))


def dequantised(shape, rows, dtype):
    M, N = shape

    @T.prim_func
    def main(
        A: T.Tensor((M, N), dtype),
        zero: T.Tensor((N,), dtype),
        scale: T.Tensor((M,), "float32"),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(T.ceildiv(M, rows)) as by:
            A_s = T.alloc_shared((rows, N), dtype)
            zero_s = T.alloc_shared((N,), dtype)
            scale_s = T.alloc_shared((rows,), "float32")
            C_l = T.alloc_fragment((rows, N), "float32")
            T.copy(A[by * rows, 0], A_s)
            T.copy(zero, zero_s)
            T.copy(scale[by * rows], scale_s)
            for i, j in T.Parallel(rows, N):
                level = T.Cast("float32", A_s[i, j]) - T.Cast("float32", zero_s[j])
                C_l[i, j] = level * scale_s[i]
            T.copy(C_l, C[by * rows, 0])

    return main


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("dtype", [*BYTES, "int32"])
def test_a_vector_that_stands_for_all_rows(dtype, arch):
    byte = "int8" if dtype == "int32" else dtype
    a, zero = (x.to(getattr(torch, dtype)) for x in (numbers(byte), numbers(byte, SHAPE[1:])))
    scale = torch.rand(SHAPE[0])
    expected = (a.float() - zero.float()) * scale[:, None]
    actual = compiled(dequantised, SHAPE, 32, dtype, target=target(arch))(a, zero, scale)
    assert torch.equal(actual, expected)


def product(dtype):
    @T.prim_func
    def main(
        A: T.Tensor((64, 96), dtype),
        B: T.Tensor((96, 32), dtype),
        C: T.Tensor((64, 32), "float32"),
    ):
        with T.Kernel(1):
            A_s = T.alloc_shared((64, 96), dtype)
            B_s = T.alloc_shared((96, 32), dtype)
            A_b = T.alloc_shared((64, 96), "bfloat16")
            B_b = T.alloc_shared((96, 32), "bfloat16")
            C_l = T.alloc_fragment((64, 32), "float32")
            T.copy(A, A_s)
            T.copy(B, B_s)
            T.copy(A_s, A_b)
            T.copy(B_s, B_b)
            T.clear(C_l)
            T.gemm(A_b, B_b, C_l)
            T.copy(C_l, C)

    return main


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("byte", BYTES)
def test_a_product_by_way_of_bfloat16_is_exact(byte, arch):
    a, b = numbers(byte, (64, 96)), numbers(byte, (96, 32), 1)
    actual = compiled(product, byte, target=target(arch))(a, b)
    assert torch.equal(actual, a.float() @ b.float())
