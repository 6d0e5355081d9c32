"""All cases, in the order of the table in docs/mock-validation.md."""

from testing.mock_validation.bench import CASES
from testing.mock_validation.cases import (
    binary,
    data_movement,
    layout,
    matmul,
    reduction,
    unary,
)

__all__ = ["ALL", "binary", "data_movement", "layout", "matmul", "reduction", "unary"]

ALL = tuple(CASES)
