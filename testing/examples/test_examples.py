"""Every example runs, checks itself, and says what it found."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tilelang_tt.runtime import launch

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/example_*.py"))
GEMM = ROOT / "examples/gemm/example_gemm.py"
UNARY = ROOT / "examples/elementwise/example_elementwise_unary.py"


@pytest.fixture(autouse=True)
def _no_saved_kernels(monkeypatch):
    monkeypatch.setenv("TILELANG_DISABLE_CACHE", "1")


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines_of(text):
    """What an example prints, without TileLang's messages."""
    return [line for line in text.splitlines() if "[TileLang" not in line]


FAMILIES = {
    "attention_sink": 1,
    "blocksparse_gemm": 1,
    "cast": 3,
    "elementwise": 10,
    "flash_attention": 4,
    "flash_decoding": 1,
    "gemm": 10,
    "gemm_splitk": 2,
    "gemv": 3,
    "grouped_gemm": 1,
    "linear_attention": 1,
    "norm": 5,
    "online_softmax": 3,
}
"""How many examples there are of each family."""


def test_there_are_examples_of_all_families():
    assert Counter(path.parent.name for path in EXAMPLES) == FAMILIES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "arguments",
    [[], ["--dtype", "float32", "--arch", "blackhole"], ["--dtype", "float16"]],
    ids=["default", "float32-blackhole", "float16"],
)
def test_an_example_finds_its_result_right_and_says_so_in_one_line(path, arguments, capsys):
    assert module_of(path).main(arguments) == 0
    (line,) = lines_of(capsys.readouterr().out)
    assert re.search(r"\d: largest errors? .*\de[-+]\d\d allowed$", line)
    assert (arguments[1] if arguments else "bfloat16") in line


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_notices_a_wrong_result(path, monkeypatch):
    def lose_the_result(artifact, bound):
        for tensor in artifact.plan.tensors:
            if tensor.is_written:
                bound.tensors[tensor.name][...] = 0

    monkeypatch.setattr(launch, "run", lose_the_result)
    assert module_of(path).main([]) == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_explains_its_options(path, capsys):
    with pytest.raises(SystemExit) as exit_:
        module_of(path).main(["--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--n", "--dtype", "--arch", "--block"))


def test_an_example_takes_sizes_and_blocks(capsys):
    sizes = ["--m", "96", "--n", "160", "--k", "64", "--block-m", "96", "--block-n", "32"]
    assert module_of(GEMM).main([*sizes, "--block-k", "32", "--stages", "3"]) == 0
    assert lines_of(capsys.readouterr().out)[0].startswith("gemm 96x160x64 bfloat16")


def test_sizes_need_not_be_multiples_of_the_block(capsys):
    assert module_of(GEMM).main(["--m", "100", "--n", "72", "--k", "40"]) == 0
    assert lines_of(capsys.readouterr().out)[0].startswith("gemm 100x72x40 bfloat16")


def test_the_functions_of_one_value_are_right():
    module = module_of(UNARY)
    sizes = ["--m", "32", "--n", "32", "--block-n", "32"]
    assert module.main([*sizes, "--functions", *module.FUNCTIONS]) == 0


ATTENTION = {
    "mha_fwd_bshd": "--is-causal --n 160 --dim 96",
    "mha_fwd_bhsd": "--n 33 --n-kv 129 --dim 128 --block-n 32",
    "gqa_fwd_bshd": "--is-causal --n 70 --n-kv 70 --block-m 32",
}


@pytest.mark.parametrize("name, arguments", ATTENTION.items(), ids=ATTENTION)
def test_attention_may_be_causal_and_of_any_sizes(name, arguments):
    module = module_of(ROOT / f"examples/flash_attention/example_{name}.py")
    assert module.main([*arguments.split(), "--arch", "blackhole"]) == 0


def test_an_example_runs_as_a_script_and_saves_its_kernels(tmp_path):
    small = ["--m", "64", "--n", "64", "--k", "64", "--block-m", "32"]
    done = subprocess.run(
        [sys.executable, str(GEMM), *small, "--save", "saved"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TILELANG_DISABLE_CACHE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines_of(done.stdout)[0].startswith("gemm 64x64x64 bfloat16: largest error")
    files = {path.name for path in (tmp_path / "saved").iterdir()}
    assert {"reader.cpp", "compute.cpp", "writer.cpp", "plan.json", "host.py"} <= files
