"""Artifacts as text and as folders, and launching them without TileLang's host function."""

import json

import numpy as np
import pytest

import tilelang_tt
from runtime.programs import compiled, inner, square, unused
from tilelang_tt.codegen.workload import Workload, unpack
from tilelang_tt.diagnostics import ArgumentMismatch, BadArtifact
from tilelang_tt.runtime import saved


def same(left, right):
    return left.plan == right.plan and dict(left.sources) == dict(right.sources)


def test_text_forms_are_exact(artifacts):
    for artifact in artifacts.values():
        workload = Workload.plain(artifact)
        for again in (unpack(workload.pack()), Workload.from_listing(workload.listing())):
            assert again.is_plain
            assert same(again.steps[0], artifact)


def test_a_text_without_a_plan_is_refused():
    with pytest.raises(ValueError, match="no launch plan"):
        Workload.from_listing("int main() {}")


def test_a_saved_folder_loads(artifacts, tmp_path):
    files = saved.save(artifacts["gemm"], tmp_path / "deep" / "gemm")
    assert {path.name for path in files} == {
        *("reader.cpp", "compute.cpp", "writer.cpp", "plan.json"),
        *("host.py", "host.cpp", "tiles.py", "partition.py"),
    }
    assert same(saved.load(tmp_path / "deep" / "gemm"), artifacts["gemm"])


def test_a_folder_that_is_no_artifact_is_refused(artifacts, tmp_path):
    with pytest.raises(BadArtifact, match="TT6004"):
        saved.load(tmp_path)
    saved.save(artifacts["add"], tmp_path)
    plan = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps({**plan, "version": 0}))
    with pytest.raises(BadArtifact, match="no plan of version 4"):
        tilelang_tt.run_saved(tmp_path, [])


def test_a_saved_kernel_runs_on_numpy_arrays(artifacts, tmp_path):
    saved.save(artifacts["scaled"], tmp_path)
    a = np.random.default_rng(0).standard_normal((96, 32)).astype(np.float32)
    c = np.zeros_like(a)
    tilelang_tt.run_saved(tmp_path, [a, 2.5, c])
    np.testing.assert_allclose(c, a * 2.5, rtol=1e-6)


@pytest.mark.parametrize(
    "arguments, what",
    [
        ([np.zeros((32, 32), np.float32)], "1 arguments"),
        ([np.zeros((32, 32), np.uint16), 1.0, np.zeros((32, 32), np.float32)], "32-bit elements"),
        ([np.zeros((32, 64), np.float32), 1.0, np.zeros((32, 32), np.float32)], r"\(32, 64\)"),
        ([np.zeros(32, np.float32), 1.0, np.zeros((32, 32), np.float32)], r"\(32,\)"),
        (
            [np.zeros((32, 32), np.float32).T[::2], 1.0, np.zeros((32, 32), np.float32)],
            "contiguous",
        ),
        ([1.0, 1.0, np.zeros((32, 32), np.float32)], "32-bit elements"),
        ([np.zeros((32, 32), np.float32)] * 3, "a float32 scalar"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(artifacts, tmp_path, arguments, what):
    saved.save(artifacts["scaled"], tmp_path)
    with pytest.raises(ArgumentMismatch, match=f"TT6006.*{what}"):
        tilelang_tt.run_saved(tmp_path, arguments)


def test_blocks_need_not_divide_a_dynamic_extent(artifacts, tmp_path):
    saved.save(artifacts["scaled"], tmp_path)
    a = np.arange(40 * 32, dtype=np.float32).reshape(40, 32)
    c = np.zeros_like(a)
    tilelang_tt.run_saved(tmp_path, [a, 2.0, c])
    np.testing.assert_array_equal(c, a * 2)


def test_tensors_that_disagree_about_a_dynamic_extent_are_refused(artifacts, tmp_path):
    saved.save(artifacts["scaled"], tmp_path)
    arrays = [np.zeros((64, 32), np.float32), 1.0, np.zeros((32, 32), np.float32)]
    with pytest.raises(ArgumentMismatch, match="m"):
        tilelang_tt.run_saved(tmp_path, arrays)


def test_one_tensor_that_disagrees_with_itself_is_refused(tmp_path):
    saved.save(compiled(square()), tmp_path)
    arrays = [np.zeros((64, 96), np.float32), np.zeros((64, 96), np.float32)]
    with pytest.raises(ArgumentMismatch, match=r"TT6006.*\(64, 96\) for 'A'.*\(64, 64\)"):
        tilelang_tt.run_saved(tmp_path, arrays)


def test_no_blocks_is_no_work(artifacts, tmp_path):
    saved.save(artifacts["scaled"], tmp_path)
    empty = np.zeros((0, 32), np.float32)
    tilelang_tt.run_saved(tmp_path, [empty, 1.0, empty.copy()])


def test_blocks_of_an_empty_tensor_are_refused(tmp_path):
    saved.save(compiled(inner()), tmp_path)
    arrays = [np.zeros((32, 0), np.uint16), np.zeros((0, 32), np.uint16), np.zeros((32, 32), "f4")]
    with pytest.raises(ArgumentMismatch, match=r"TT6006.*no elements for 'A'"):
        tilelang_tt.run_saved(tmp_path, arrays)


def test_a_tensor_that_no_block_works_on_may_be_empty(tmp_path):
    saved.save(compiled(unused()), tmp_path)
    a, c = np.ones((32, 32), np.float32), np.zeros((32, 32), np.float32)
    tilelang_tt.run_saved(tmp_path, [a, np.zeros((0, 32), np.float32), 1.0, c])
    np.testing.assert_array_equal(c, a)
