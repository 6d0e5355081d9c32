"""What a dtype is on the device: its data format, the bytes of one 32x32 tile, how exact it is.

The only place where these facts are written. Nothing here imports TVM, so that a saved artifact can
be launched without it. Source: `DataFormat` in tt-metal's `tensix_types.h` and `MUL_WITH_TILE_SIZE`
in `dataflow_api_addrgen.h`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tilelang_tt.tiles import TILE

TILE_ELEMENTS = TILE * TILE


@dataclass(frozen=True)
class Format:
    """One data format.

    `name` and `code` are tt-metal's `DataFormat`; `ttnn` is the attribute of the `ttnn` module that
    names it, empty where ttnn has none; `dtype` is the numpy/TVM spelling of an element, empty
    where elements cannot stand alone; `mantissa_bits` counts the stored fraction bits. In a block
    format, 16 elements of `block_bits` each share an exponent of one byte.
    """

    name: str
    code: int
    dtype: str
    element_bytes: int
    mantissa_bits: int
    ttnn: str
    block_bits: int = 0

    @property
    def tile_bytes(self) -> int:
        """Bytes of one tile, which is one page of an interleaved tensor or of a circular buffer."""
        if self.block_bits:
            return TILE_ELEMENTS // 16 + TILE_ELEMENTS * self.block_bits // 8
        return TILE_ELEMENTS * self.element_bytes

    @property
    def epsilon(self) -> float:
        """The largest relative error of one rounding to this format, in a block format relative to
        the largest element of the block; 0 for integers.
        """
        return 2.0 ** -(self.mantissa_bits + 1) if self.mantissa_bits else 0.0


FORMATS = (
    Format("Float32", 0, "float32", 4, 23, "float32"),
    Format("Float16", 1, "float16", 2, 10, ""),
    Format("Float16_b", 5, "bfloat16", 2, 7, "bfloat16"),
    Format("Bfp8_b", 6, "", 0, 6, "bfloat8_b", block_bits=8),
    Format("Bfp4_b", 7, "", 0, 2, "bfloat4_b", block_bits=4),
    Format("Int32", 8, "int32", 4, 0, "int32"),
    Format("UInt16", 9, "uint16", 2, 0, "uint16"),
    Format("UInt32", 24, "uint32", 4, 0, "uint32"),
    Format("UInt8", 30, "uint8", 1, 0, "uint8"),
)
BY_NAME = {format_.name: format_ for format_ in FORMATS}
BY_DTYPE = {format_.dtype: format_ for format_ in FORMATS if format_.dtype} | {
    "int8": BY_NAME["UInt8"],
    "bool": BY_NAME["UInt8"],
}
"""What carries a dtype. The bytes of int8 travel as UInt8: unpacker and packer take the format Int8
for sign and magnitude, and the conversions from and to Int8 work on bytes of two's complement."""


def is_float(dtype: str) -> bool:
    return BY_DTYPE[dtype].mantissa_bits > 0
