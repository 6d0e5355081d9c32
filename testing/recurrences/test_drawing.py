"""Drawings of compiled programs."""

import sys

import pytest
import tilelang.language as T

import tilelang_tt
from testing.kernels import programs, test_state
from testing.kernels.programs import compiled, plus
from tilelang_tt import cli
from tilelang_tt.diagnostics import NoMatplotlib

RUNNING = (test_state.running, "bfloat16", "float32", 4, 2)


@pytest.fixture
def kernel():
    return compiled(programs.gemm, (64, 64, 256), (64, 64, 32))


def test_a_graph_has_statements_buffers_and_dependences(kernel):
    text = tilelang_tt.dataflow(kernel)
    plan = tilelang_tt.artifact(kernel).plan
    assert text.startswith("digraph {")
    assert text.count("{") == text.count("}")
    for engine in ("reader", "compute", "writer"):
        assert f"subgraph cluster_p0_{engine} {{" in text
    for each in plan.schedule.statements:
        assert f"p0_{each.name} [shape=box" in text
    for cb in plan.circular_buffers:
        assert f"depth {cb.depth}, least {cb.least_depth}" in text
    assert "programs.py:" in text
    load = next(each for each in plan.schedule.statements if each.result == "A_s")
    use = next(each for each in plan.schedule.statements if "A_s" in each.reads)
    outer, inner = load.loops
    same = f"{outer}' = {outer}, {inner}' = {inner}"
    assert f"{{ {load.name}[{outer}, {inner}] -> {use.name}[{same}] }}" in text


def test_the_graph_of_a_kernel_is_always_the_same(kernel):
    assert tilelang_tt.dataflow(kernel) == tilelang_tt.dataflow(kernel)


def test_a_graph_of_several_programs_has_them_all():
    @T.prim_func
    def main(A: T.Tensor((32, 32), "float32"), C: T.Tensor((32, 32), "float32")):
        B = T.alloc_global((32, 32), "float32")
        with T.Kernel(1, threads=128) as _:
            S = T.alloc_shared((32, 32), "float32")
            T.copy(A, S)
            T.copy(S, B)
        with T.Kernel(1, threads=128) as _:
            R = T.alloc_shared((32, 32), "float32")
            T.copy(B, R)
            T.copy(R, C)

    text = tilelang_tt.dataflow(compiled(lambda: main))
    assert "p0_S0 [shape=box" in text
    assert "p1_S0 [shape=box" in text


def test_labels_are_quoted():
    from tilelang_tt.recurrences.drawing import _lines

    assert _lines(['say "a\\b"', "", "c"]) == r'"say \"a\\b\"\lc\l"'


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_plot_is_written(kernel, tmp_path, suffix):
    path = tmp_path / f"schedule.{suffix}"
    tilelang_tt.schedule_plot(kernel, path)
    assert path.stat().st_size > 1000


def test_a_plot_names_engines_and_buffers(kernel, tmp_path):
    path = tmp_path / "schedule.svg"
    tilelang_tt.schedule_plot(kernel, path)
    text = path.read_text()
    for cb in tilelang_tt.artifact(kernel).plan.circular_buffers:
        assert f"{cb.name} (0 to {cb.depth})" in text
    assert "reader" in text


def test_without_matplotlib_a_plot_says_what_to_install(kernel, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(NoMatplotlib, match=r'TT6009: [\s\S]*pip install "tilelang_tt\[plot\]"'):
        tilelang_tt.schedule_plot(kernel, tmp_path / "schedule.png")


def test_the_command_line_draws_what_was_saved(tmp_path, capsys):
    kernel = compiled(programs.in_place, plus, (64, 96), (32, 32), "bfloat16")
    tilelang_tt.save(kernel, tmp_path)
    capsys.readouterr()
    assert cli.main(["draw", str(tmp_path), "--plot", str(tmp_path / "plot.png")]) == 0
    assert capsys.readouterr().out == tilelang_tt.dataflow(kernel)
    assert (tmp_path / "plot.png").exists()


def test_the_command_line_refuses_what_is_no_artifact(tmp_path, capsys):
    assert cli.main(["draw", str(tmp_path)]) == 1
    assert "TT6004" in capsys.readouterr().err
