"""All cases, in the order of the table in docs/mock-validation.md."""

from testing.mock_validation.bench import CASES
from testing.mock_validation.cases import (
    attention,
    binary,
    data_movement,
    layout,
    matmul,
    normalization,
    reduction,
    sorting,
    unary,
)

__all__ = [
    "ALL",
    "attention",
    "binary",
    "data_movement",
    "layout",
    "matmul",
    "normalization",
    "reduction",
    "sorting",
    "unary",
]

ALL = tuple(CASES)
