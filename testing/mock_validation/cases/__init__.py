"""All cases, in the order of the table in docs/mock-validation.md."""

from testing.mock_validation.bench import CASES
from testing.mock_validation.cases import binary, data_movement, matmul, unary

__all__ = ["ALL", "binary", "data_movement", "matmul", "unary"]

ALL = tuple(CASES)
