"""A few artifacts that the tests of this folder share."""

import pytest

from runtime.programs import add, compiled, gemm, scaled


@pytest.fixture(scope="session")
def artifacts():
    functions = {"add": add(), "half": add("float16"), "gemm": gemm(), "scaled": scaled()}
    return {name: compiled(function) for name, function in functions.items()}
