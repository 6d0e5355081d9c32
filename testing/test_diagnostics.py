"""The catalogue of errors, and the smallest program that causes each."""

import re
from pathlib import Path

import pytest
import tilelang
from errors import cases
from tvm import IRModule, tirx

from tilelang_tt import diagnostics, pipeline
from tilelang_tt.diagnostics import CompileError, Diagnostic, OptionError, catalogue
from tilelang_tt.transforms.function_pass import as_tvm_pass
from tilelang_tt.transforms.split_launches import split_launches

BY_CODE = {error.code: error for error in catalogue()}
COMPILER = [code for code in BY_CODE if "TT1001" <= code < "TT6000"]
ELSEWHERE = {
    "TT2001": "PadBuffers rounds buffers up, and what has no constant extents is refused first",
    "TT2007": "TileLang's own T.gemm refuses the program first",
    "TT2009": "TileLang's own T.gemm refuses the program first",
    "TT4003": "SplitExpressions cuts large expressions first",
    "TT4007": "it takes a program of more tensors than a case should have",
    "TT5004": "it takes the circular buffers of all programs of a kernel",
}
"""Errors that no case here reaches, and why; the tests of what raises them do."""


def test_codes_are_unique_and_well_formed():
    codes = [error.code for error in catalogue()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"TT[1-9]\d{3}", code) for code in codes)


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
def test_an_error_says_what_is_wrong(error):
    assert error.message
    assert error.__name__ == vars(diagnostics)[error.__name__].__name__
    text = str(error.because(**{name: "X" for name in _holes(error)}))
    assert text.startswith(f"{error.code}: ")
    assert "{" not in text


def _holes(error):
    return re.findall(r"\{(\w+)", error.message + error.hint)


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
def test_the_audience_follows_from_the_code(error):
    base = {"5": OptionError, "6": diagnostics.LaunchError}.get(error.code[2], CompileError)
    assert issubclass(error, base)
    assert issubclass(error, ValueError) == (base is not CompileError)


@pytest.mark.parametrize(
    "error",
    [error for error in catalogue() if issubclass(error, CompileError)],
    ids=lambda error: error.code,
)
def test_an_error_keeps_its_type_through_tvm(error):
    class Fails:
        name = "tt.Fails"

        def rewrite(self, func):
            raise error.because(**{name: "X" for name in _holes(error)})

    module = IRModule({"main": tirx.PrimFunc([], tirx.Evaluate(0))})
    with pytest.raises(error, match=error.code) as caught:
        as_tvm_pass(Fails())(module)
    assert isinstance(caught.value, Diagnostic)


def test_every_error_of_the_compiler_has_a_case():
    assert set(COMPILER) == {*cases.CASES, *cases.OPTIONS, *ELSEWHERE}


@pytest.mark.parametrize("code", cases.CASES)
def test_case(code):
    with pytest.raises(BY_CODE[code]) as caught:
        _lower(*cases.CASES[code])
    text = str(caught.value)
    assert text.startswith(f"{code}: ")
    path, line = re.search(r"--> (.*):(\d+):\d+$", text).groups()
    assert path == cases.__file__
    assert int(line) in _lines(code)


def _lower(make, options):
    for func in split_launches(make()).functions:
        pipeline.lower(func, options)


def _lines(code):
    """The marked lines of the case."""
    lines = Path(cases.__file__).read_text().splitlines()
    return [number for number, line in enumerate(lines, 1) if line.endswith(f"# {code}")]


@pytest.mark.parametrize("code", cases.OPTIONS)
def test_option_case(code):
    with pytest.raises(BY_CODE[code], match=f"^{code}: "):
        cases.parse_options(code)


@pytest.mark.parametrize("code", ["TT1002", "TT2003", "TT3001", "TT4002"])
def test_tilelang_passes_the_error_on(code):
    make, _ = cases.CASES[code]
    with pytest.raises(BY_CODE[code], match=rf"{code}: [\s\S]*--> {re.escape(cases.__file__)}"):
        tilelang.compile(make(), target="tenstorrent")


@pytest.mark.parametrize("code", cases.OPTIONS)
def test_tilelang_passes_an_option_error_on(code):
    make, _ = cases.CASES["TT3006"]
    with pytest.raises(BY_CODE[code], match=code):
        tilelang.compile(make(), target={"kind": "tenstorrent", **cases.OPTIONS[code]})


def test_an_error_without_a_statement_has_no_line():
    error = diagnostics.UnwrittenOutput.at(None)
    assert "-->" not in str(error)
    assert "-->" not in str(diagnostics.UnwrittenOutput.at(tirx.Evaluate(0)))
