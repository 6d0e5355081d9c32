"""What a dtype of the tile IR is in numpy, and how exact it is."""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np

_NUMPY = {
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3": ml_dtypes.float8_e4m3fn,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "float64": np.float64,
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "uint16": np.uint16,
    "int32": np.int32,
    "uint32": np.uint32,
    "int64": np.int64,
    "bool": np.bool_,
}


def is_known(dtype: str) -> bool:
    """Whether the reference computes with this dtype."""
    return dtype in _NUMPY


def numpy_dtype(dtype: str) -> np.dtype:
    """The numpy dtype of one element."""
    return np.dtype(_NUMPY[dtype])


def is_float(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))


def held(dtype: str) -> np.dtype:
    """The numpy dtype in which values are held: floats in float64, all others as they are."""
    return np.dtype(np.float64) if is_float(dtype) else numpy_dtype(dtype)


@functools.cache
def _info(dtype: str) -> np.finfo | ml_dtypes.finfo:
    return ml_dtypes.finfo(numpy_dtype(dtype))


@functools.cache
def unit(dtype: str) -> float:
    """The largest relative error of one rounding to a float dtype."""
    return float(_info(dtype).eps) / 2


def coarser(first: str, second: str) -> str:
    """The one of two float dtypes that rounds more."""
    return max(first, second, key=unit)


@functools.cache
def smallest(dtype: str) -> float:
    """The smallest normal number; below it, errors are absolute."""
    return float(_info(dtype).smallest_normal)


@functools.cache
def largest(dtype: str) -> float:
    """The largest finite number."""
    return float(_info(dtype).max)


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    """The nearest numbers of `dtype`, held as `held` says."""
    if dtype == "float64":
        return values
    return np.asarray(values).astype(numpy_dtype(dtype)).astype(held(dtype))
