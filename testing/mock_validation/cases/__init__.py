"""All cases, in the order of the table in docs/mock-validation.md."""

from testing.mock_validation.bench import CASES
from testing.mock_validation.cases import binary, unary

__all__ = ["ALL", "binary", "unary"]

ALL = tuple(CASES)
