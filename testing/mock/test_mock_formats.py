"""Data formats: what unpacking keeps, how packing rounds, conversions."""

from __future__ import annotations

import numpy as np
import pytest

from testing.mock import kernels as k

COPY = k.compute_one("copy_tile(0, 0, 0);")
FLOATS = (k.F32, k.F16, k.BF16)
INTEGERS = (k.I32, k.U16, k.U8, k.formats.BY_NAME["UInt32"])


def test_source_registers_keep_ten_fraction_bits(rng: np.random.Generator) -> None:
    a = rng.standard_normal((32, 32), dtype=np.float32)
    got = k.Pipeline(COPY, inputs=(k.F32,), output=k.F32, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got.view(np.uint32), a.view(np.uint32) & 0xFFFFE000)


def test_unpacking_to_the_register_keeps_all_bits(rng: np.random.Generator) -> None:
    a = rng.standard_normal((32, 32), dtype=np.float32)
    pipeline = k.Pipeline(
        COPY, inputs=(k.F32,), output=k.F32, fp32_dest_acc=True, unpack_to_dest=True
    )
    np.testing.assert_array_equal(pipeline.run(a), a)


def test_packing_rounds_ties_away_from_zero() -> None:
    a = np.zeros((32, 32), np.float32)
    a[0, :4] = [1 + 2.0**-8, -1 - 2.0**-8, 1 + 3 * 2.0**-8, 1 + 2.0**-9]
    got = k.Pipeline(COPY, inputs=(k.F32,), fp32_dest_acc=True).run(a)
    expected = [1 + 2.0**-7, -1 - 2.0**-7, 1 + 2 * 2.0**-7, 1]
    np.testing.assert_array_equal(got[0, :4], expected)


@pytest.mark.parametrize("source", FLOATS, ids=lambda f: f.name)
@pytest.mark.parametrize("target", FLOATS, ids=lambda f: f.name)
def test_floats_are_converted(
    rng: np.random.Generator, source: k.formats.Format, target: k.formats.Format
) -> None:
    a = k.round_bfloat16(rng.standard_normal((32, 64), dtype=np.float32))
    got = k.Pipeline(COPY, inputs=(source,), output=target, fp32_dest_acc=True).run(a)
    epsilon = max(source.epsilon, target.epsilon)
    np.testing.assert_allclose(got.astype(np.float32), a, rtol=epsilon, atol=2.0**-24)


def test_float16_keeps_its_special_values() -> None:
    a = np.zeros((32, 32), np.float16)
    a[0, :6] = [65504, -65504, 2.0**-24, 2.0**-14, np.inf, -0.0]
    got = k.Pipeline(COPY, inputs=(k.F16,), output=k.F16, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got, a)


@pytest.mark.parametrize("format_", INTEGERS, ids=lambda f: f.name)
def test_integers_pass_unchanged(rng: np.random.Generator, format_: k.formats.Format) -> None:
    limits = np.iinfo(format_.dtype)
    a = rng.integers(limits.min, limits.max, (32, 32), dtype=format_.dtype, endpoint=True)
    got = k.Pipeline(COPY, inputs=(format_,), output=format_, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got, a)


@pytest.mark.parametrize("target", INTEGERS, ids=lambda f: f.name)
def test_typecast_to_integers_and_back(rng: np.random.Generator, target: k.formats.Format) -> None:
    a = rng.integers(0, 200, (32, 32)).astype(np.float32)
    pair = f"<(uint32_t)DataFormat::Float32, (uint32_t)DataFormat::{target.name}>"
    back = f"<(uint32_t)DataFormat::{target.name}, (uint32_t)DataFormat::Float32>"
    body = f"""copy_tile(0, 0, 0);
    typecast_tile_init{pair}(); typecast_tile{pair}(0);
    typecast_tile_init{back}(); typecast_tile{back}(0);"""
    pipeline = k.Pipeline(k.compute_one(body), inputs=(k.F32,), output=k.F32, fp32_dest_acc=True)
    np.testing.assert_array_equal(pipeline.run(a), a)


def _typecast(source: str, target: str) -> str:
    pair = f"<(uint32_t)DataFormat::{source}, (uint32_t)DataFormat::{target}>"
    return f"typecast_tile_init{pair}(); typecast_tile{pair}(0);"


@pytest.mark.parametrize("byte", ["Int8", "UInt8"])
def test_bytes_are_numbers_modulo_256_without_their_fractions(byte: str) -> None:
    dtype = byte.lower()
    a = np.random.default_rng(0).integers(-2048, 2048, (32, 32)).astype(np.float32) / 4
    a[0, :2] = [2.0**30 + 2.0**20, -(2.0**31) + 2.0**21]
    to_byte = k.compute_one("copy_tile(0, 0, 0);" + _typecast("Float32", byte))
    got = k.Pipeline(to_byte, inputs=(k.F32,), output=k.U8, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got.view(dtype), np.trunc(a).astype(np.int64).astype(dtype))
    a[0, :4] = [np.nan, np.inf, -np.inf, 2.0**31]
    got = k.Pipeline(to_byte, inputs=(k.F32,), output=k.U8, fp32_dest_acc=True).run(a)
    assert not got[0, :4].any()


@pytest.mark.parametrize("byte", ["Int8", "UInt8"])
@pytest.mark.parametrize("wide", [k.I32, k.F32], ids=lambda f: f.name)
def test_bytes_become_numbers_with_or_without_sign(byte: str, wide: k.formats.Format) -> None:
    a = np.arange(1024).astype(np.uint8).reshape(32, 32)
    body = k.compute_one("copy_tile(0, 0, 0);" + _typecast(byte, wide.name))
    got = k.Pipeline(body, inputs=(k.U8,), output=wide, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got, a.view(byte.lower()))


@pytest.mark.parametrize("byte", ["Int8", "UInt8"])
def test_integers_are_cut_to_bytes(rng: np.random.Generator, byte: str) -> None:
    a = rng.integers(-(2**31), 2**31, (32, 32)).astype(np.int32)
    body = k.compute_one("copy_tile(0, 0, 0);" + _typecast("Int32", byte))
    got = k.Pipeline(body, inputs=(k.I32,), output=k.U8, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got, a.astype(np.uint8))


def test_bytes_with_sign_have_no_16_bits_without() -> None:
    a = np.arange(1024).astype(np.uint8).reshape(32, 32)
    body = k.compute_one("copy_tile(0, 0, 0);" + _typecast("Int8", "UInt16"))
    got = k.Pipeline(body, inputs=(k.U8,), output=k.U16, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got, a.view(np.int8).clip(0))


def test_bytes_with_sign_need_wide_registers() -> None:
    body = k.compute_one("copy_tile(0, 0, 0);" + _typecast("Int8", "Float16_b"))
    pipeline = k.Pipeline(body, inputs=(k.U8,), output=k.BF16)
    with pytest.raises(k.mock.MockError, match="conversions of Int8 need 32-bit destination"):
        pipeline.run(np.zeros((32, 32), np.uint8))


def test_row_major_pages_shorter_than_the_alignment_are_padded() -> None:
    """A page of 48 bytes takes 64 in DRAM: its padding is not part of the tensor."""
    reader = """
#include "api/dataflow/dataflow_api.h"
void kernel_main() {
  constexpr auto args = TensorAccessorArgs<0>();
  const auto a = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  const auto b = TensorAccessor(args, get_common_arg_val<uint32_t>(1));
  for (uint32_t page = 0; page < 5; ++page) {
    noc_async_read_page(page, a, get_write_ptr(0));
    noc_async_read_barrier();
    noc_async_write_page(4 - page, b, get_write_ptr(0));
    noc_async_write_barrier();
  }
}
"""
    wormhole = k.device.load("wormhole_b0")
    data = np.arange(5 * 48, dtype=np.uint8)
    out = np.zeros_like(data)
    addresses = k.mock.allocate(wormhole, [(48, 5), (48, 5)])
    program = k.mock.Program(
        (k.mock.Kernel("reader", "reader.cpp", reader, {(0, 0): ()}, (2, 64), (), addresses),),
        (k.mock.CircularBuffer(0, "page", k.U8, 64, 1),),
        wormhole,
    )
    program.build().run(
        [
            k.mock.Buffer("a", data, 48, addresses[0]),
            k.mock.Buffer("b", out, 48, addresses[1]),
        ]
    )
    np.testing.assert_array_equal(out.reshape(5, 48), data.reshape(5, 48)[::-1])


BLOCKS = (k.formats.BY_NAME["Bfp8_b"], k.formats.BY_NAME["Bfp4_b"])


def block_rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """Sixteen neighbours rounded to one exponent, halves away from zero, within its range."""
    rows = values.astype(np.float64).reshape(values.shape[0], -1, 16)
    largest = np.abs(rows).max(-1, keepdims=True)
    exponent = np.floor(np.log2(np.where(largest > 0, largest, 1)))
    unit = 2.0 ** (exponent - bits + 1)
    magnitude = np.minimum(np.floor(np.abs(rows) / unit + 0.5), 2**bits - 1)
    return (np.sign(rows) * magnitude * unit).reshape(values.shape).astype(np.float32)


@pytest.mark.parametrize("format_", BLOCKS, ids=lambda f: f.name)
def test_block_formats_share_an_exponent(
    rng: np.random.Generator, format_: k.formats.Format
) -> None:
    a = k.round_bfloat16(rng.standard_normal((32, 64), dtype=np.float32) * 100)
    a[3, :16] = 0
    a[4, :16] = k.round_bfloat16(np.linspace(1, 2, 16, dtype=np.float32))
    packed = k.Pipeline(COPY, inputs=(k.BF16,), output=format_).launch(a)[1]
    tiles = a.size // k.formats.TILE_ELEMENTS
    assert packed.size == tiles * format_.tile_bytes
    bits = format_.mantissa_bits + 1
    np.testing.assert_array_equal(decode_block(packed, format_, 32, 64), block_rounded(a, bits))


@pytest.mark.parametrize("format_", BLOCKS, ids=lambda f: f.name)
def test_block_formats_are_unpacked(rng: np.random.Generator, format_: k.formats.Format) -> None:
    a = k.round_bfloat16(rng.standard_normal((32, 32), dtype=np.float32))
    packed = k.Pipeline(COPY, inputs=(k.BF16,), output=format_).launch(a)[1]
    got = k.Pipeline(COPY, inputs=(format_,)).run_encoded([packed], 32, 32)
    np.testing.assert_array_equal(got, block_rounded(a, format_.mantissa_bits + 1))


def decode_block(
    data: np.ndarray, format_: k.formats.Format, rows: int, columns: int
) -> np.ndarray:
    """What the bytes of block-format tiles stand for, by the definition of the format."""
    tiles = data.reshape(-1, format_.tile_bytes)
    exponents = tiles[:, :64].astype(np.float64)
    if format_.block_bits == 8:
        elements = tiles[:, 64:].reshape(-1, 64, 16)
    else:
        pairs = tiles[:, 64:]
        elements = np.stack([pairs & 15, pairs >> 4], -1).reshape(-1, 64, 16)
    bits = format_.block_bits - 1
    magnitude = (elements & (2**bits - 1)) * 2.0 ** (exponents[..., None] - 127 - bits + 1)
    values = np.where(elements >> bits, -magnitude, magnitude).astype(np.float32)
    return k.from_tiles(values.reshape(-1).view(np.uint8), np.float32, rows, columns)


def test_ieee_numerics_keep_what_the_chip_rounds(rng: np.random.Generator) -> None:
    """Registers of float32 and whole products, whatever the fidelity and the register's width."""
    a, b = (rng.standard_normal((32, 32), dtype=np.float32) for _ in range(2))
    body = """mul_tiles(0, 1, 0, 0, 0); exp_tile_init(); exp_tile(0);
    add_reuse_dest_init<EltwiseBinaryReuseDestType::DEST_TO_SRCA>(1);
    add_reuse_dest_tiles<EltwiseBinaryReuseDestType::DEST_TO_SRCA>(1, 0, 0);"""
    kernel = k.compute_two("", "mul_init(0, 1); " + body)
    pipeline = k.Pipeline(
        kernel, inputs=(k.F32, k.F32), output=k.F32, fidelity="LoFi", numerics="ieee"
    )
    np.testing.assert_allclose(pipeline.run(a, b), np.exp(a * b) + b, rtol=3e-7, atol=3e-7)
    rounded = k.Pipeline(kernel, inputs=(k.F32, k.F32), output=k.F32, fidelity="LoFi").run(a, b)
    assert np.abs(rounded - (np.exp(a * b) + b)).max() > 1e-3
