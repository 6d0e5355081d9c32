"""Kernels of several T.Kernel: what they show, how they leave the process, their profile."""

from __future__ import annotations

import json
import re
from importlib import resources

import jsonschema
import numpy as np
import pytest
import tilelang
import tilelang.language as T
import torch
import tvm

import tilelang_tt
from testing.kernels import sequences
from testing.kernels.programs import compiled, sources_of
from tilelang_tt import mock
from tilelang_tt.diagnostics import ArgumentMismatch, BadArtifact, SeveralPrograms

FILES = {
    f"{step}/{name}" for step in (1, 2) for name in ("reader.cpp", "compute.cpp", "writer.cpp")
}


@pytest.fixture
def kernel():
    """C = half the sum of A (steps, 3, 32, 64) over its first two axes, through a workspace."""
    return compiled(sequences.split_sum, 3, (32, 64))


@pytest.fixture
def a():
    torch.manual_seed(0)
    return torch.randint(-8, 8, (2, 3, 32, 64)).float()


@tilelang.jit(target="tenstorrent")
def eager(A, block: int = 32):
    M, N = T.const("M, N")
    A: T.Tensor((M, N), "float32")
    B = T.alloc_global((M, N), "float32")
    C = T.empty((M, N), "float32")
    with T.Kernel(N // block, M // block) as (bx, by):
        for i, j in T.Parallel(block, block):
            B[by * block + i, bx * block + j] = A[by * block + i, bx * block + j] * 2.0
    with T.Kernel(M // block) as bx:
        for i, j in T.Parallel(block, N):
            C[bx * block + i, j] = B[bx * block + i, j] + 1.0
    return C


def test_eager_jit_allocates_the_output_and_the_workspace(a):
    assert torch.equal(eager(a[0, 0]), 2 * a[0, 0] + 1)


def test_the_source_of_a_kernel_is_that_of_all_its_programs(kernel):
    sources = sources_of(kernel)
    assert {*FILES, "1/plan.json", "2/plan.json", "steps.json"} == set(sources)
    assert all("void kernel_main()" in sources[name] for name in FILES)


def test_the_workload_has_the_programs_in_order(kernel):
    workload = tilelang_tt.workload(kernel)
    assert [step.plan.name for step in workload.steps] == ["main_1", "main_2"]
    assert [param.name for param in workload.params] == ["A", "scale", "C"]
    assert workload.workspaces == ("W",)
    assert workload.written == ("C",)
    first, second = ({t.name: t.is_written for t in s.plan.accessed} for s in workload.steps)
    assert first == {"A": False, "W": True}
    assert second == {"C": True, "W": False}


def test_there_is_no_one_artifact(kernel):
    with pytest.raises(SeveralPrograms, match="TT6008: the kernel is 2 programs"):
        tilelang_tt.artifact(kernel)


def test_a_report_describes_every_program(kernel):
    headings = re.findall(r"^kernel \w+", tilelang_tt.report(kernel), re.MULTILINE)
    assert headings == ["kernel main_1", "kernel main_2"]


def test_the_steps_keep_to_their_schema(kernel):
    text = resources.files("tilelang_tt.data").joinpath("steps.schema.json").read_text()
    index = json.loads(tilelang_tt.workload(kernel).index.to_json())
    jsonschema.validate(index, json.loads(text))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**index, "colour": "green"}, json.loads(text))


def test_an_exported_library_runs_when_it_is_loaded_again(kernel, a, tmp_path):
    library = tmp_path / "sum.so"
    kernel.export_library(str(library))
    loaded = tvm.runtime.load_module(str(library))
    out = torch.zeros(32, 64)
    loaded["main"](a, 0.5, out)
    assert torch.equal(out, 0.5 * a.sum((0, 1)))


def test_a_saved_folder_runs_without_the_kernel(kernel, a, tmp_path):
    paths = tilelang_tt.save(kernel, tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in paths}
    assert names > {*FILES, "host.py", "tiles.py", "steps.json", "1/host.py", "2/host.cpp"}
    assert all(path.exists() for path in paths)
    out = np.zeros((32, 64), np.float32)
    tilelang_tt.run_saved(tmp_path, [a.numpy(), 0.5, out])
    np.testing.assert_array_equal(out, 0.5 * a.numpy().sum((0, 1)))


def test_each_saved_program_runs_by_itself(kernel, a, tmp_path):
    tilelang_tt.save(kernel, tmp_path)
    out, partial = np.zeros((32, 64), np.float32), np.zeros((3, 32, 64), np.float32)
    tilelang_tt.run_saved(tmp_path / "1", [a.numpy(), 0.5, out, partial])
    np.testing.assert_array_equal(partial, a.numpy().sum(0))
    assert not out.any()
    tilelang_tt.run_saved(tmp_path / "2", [a.numpy(), 0.5, out, partial])
    np.testing.assert_array_equal(out, 0.5 * a.numpy().sum((0, 1)))


def test_no_program_runs_where_the_arguments_do_not_fit(kernel, a, tmp_path):
    tilelang_tt.save(kernel, tmp_path)
    with pytest.raises(ArgumentMismatch, match="TT6006: kernel 'main' got 2 arguments"):
        tilelang_tt.run_saved(tmp_path, [a.numpy(), 0.5])
    out = np.zeros((32, 96), np.float32)
    with pytest.raises(ArgumentMismatch, match=r"TT6006.*\(32, 96\) for 'C'"):
        tilelang_tt.run_saved(tmp_path, [a.numpy(), 0.5, out])


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 1}', '{"version": 2, "name": "main"}'])
def test_a_folder_with_malformed_steps_is_refused(kernel, tmp_path, text):
    tilelang_tt.save(kernel, tmp_path)
    (tmp_path / "steps.json").write_text(text)
    with pytest.raises(BadArtifact, match="TT6004"):
        tilelang_tt.run_saved(tmp_path, [])


def test_a_folder_without_a_step_is_refused(kernel, tmp_path):
    tilelang_tt.save(kernel, tmp_path)
    (tmp_path / "2" / "compute.cpp").unlink()
    with pytest.raises(BadArtifact, match=r"TT6004.*compute\.cpp"):
        tilelang_tt.run_saved(tmp_path, [])


def test_a_profile_is_of_all_programs_and_of_each(kernel, a):
    report = tilelang_tt.profile(kernel, a, 0.5, trace=True)
    first, second = report.steps["main_1"], report.steps["main_2"]
    assert report.cycles == first.cycles + second.cycles
    assert report.launch_cycles == first.launch_cycles + second.launch_cycles
    assert report.dram_bytes == first.dram_bytes + second.dram_bytes
    assert report.kernels["main_2/reader.cpp"] == second.kernels["reader.cpp"]
    assert len(report.intervals) == len(first.intervals) + len(second.intervals)
    assert max(each.end for each in report.intervals) == pytest.approx(
        report.cycles - first.launch_cycles
    )
    assert max(core.cycles for core in report.cores.values()) == pytest.approx(
        report.cycles - first.launch_cycles
    )
    assert sum(link.bytes for link in report.links) == sum(
        link.bytes for step in (first, second) for link in step.links
    )
    assert len({(each.noc, each.x, each.y, each.direction) for each in report.links}) == len(
        report.links
    )
    assert report.engine("pack").busy > first.engine("pack").busy


def test_a_program_without_blocks_is_left_out():
    kernel = compiled(sequences.rows_then_all)
    c = kernel(torch.ones(0, 32))
    assert torch.equal(c, torch.ones(32, 32))
    report = tilelang_tt.profile(kernel, torch.ones(0, 32))
    assert report.steps == {}
    assert report.cycles > report.launch_cycles


def test_one_kernel_with_a_workspace_is_saved_with_it(tmp_path):
    kernel = compiled(sequences.one_with_a_workspace)
    tilelang_tt.save(kernel, tmp_path)
    assert [param.name for param in tilelang_tt.artifact(kernel).plan.params] == ["A", "C", "W"]
    a, c = np.ones((32, 32), np.float32), np.zeros((32, 32), np.float32)
    tilelang_tt.run_saved(tmp_path, [a, c])
    np.testing.assert_array_equal(c, 2 * a)


def test_runs_of_different_chips_are_no_sequence(kernel, a):
    report = tilelang_tt.profile(kernel, a, 0.5)
    other = compiled(sequences.split_sum, 3, (32, 64), target="tenstorrent/blackhole")
    with pytest.raises(ValueError, match="one clock and fidelity"):
        mock.sequence({"1": report, "2": tilelang_tt.profile(other, a, 0.5)})
    with pytest.raises(ValueError, match="one run or more"):
        mock.sequence({})
