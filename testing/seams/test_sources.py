"""What a kernel shows, and how it leaves the process: sources, libraries, folders."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tilelang
import torch
import tvm

import tilelang_tt
from testing.kernels import programs
from testing.kernels.programs import plus, sources_of
from tilelang_tt.diagnostics import BadArtifact


def test_the_source_of_a_kernel_is_its_three_kernels(kernel):
    sources = sources_of(kernel)
    assert {"reader.cpp", "compute.cpp", "writer.cpp"} <= set(sources)
    assert "noc_async_read_page" in sources["reader.cpp"]
    assert "add_tiles(" in sources["compute.cpp"]
    assert "noc_async_write_page" in sources["writer.cpp"]
    assert all("void kernel_main()" in sources[f"{name}.cpp"] for name in ("reader", "writer"))


def test_sources_name_the_lines_of_the_program_they_come_from(kernel):
    compute, reader = (sources_of(kernel)[f"{name}.cpp"] for name in ("compute", "reader"))
    assert re.search(r"// programs\.py:\d+: \w+\[i, j\] = f\(T, \w+\[i, j\]", compute)
    assert re.search(r"// programs\.py:\d+: T\.copy\(A\[by \* bM", reader)


def test_the_host_source_checks_arguments_and_launches(kernel):
    host = kernel.get_host_source()
    assert "tilelang_tt.launch" in host
    assert "bfloat16" in host


def test_exported_sources_are_what_the_kernel_shows(kernel, tmp_path):
    files = tmp_path / "kernel.cpp", tmp_path / "host.cpp"
    kernel.export_sources(*map(str, files))
    assert files[0].read_text() == kernel.get_kernel_source()
    assert files[1].read_text() == kernel.get_host_source()


def test_an_exported_library_runs_when_it_is_loaded_again(kernel, operands, tmp_path):
    library = tmp_path / "add.so"
    kernel.export_library(str(library))
    loaded = tvm.runtime.load_module(str(library))
    out = torch.zeros(64, 96, dtype=torch.bfloat16)
    loaded["main"](*operands, out)
    assert torch.equal(out, sum(operands))


def test_a_saved_folder_runs_without_the_kernel(kernel, operands, tmp_path):
    files = {path.name for path in tilelang_tt.save(kernel, tmp_path / "saved")}
    assert {"reader.cpp", "compute.cpp", "writer.cpp", "plan.json", "host.py", "host.cpp"} <= files
    a, b = (operand.view(torch.uint16).numpy() for operand in operands)
    out = np.zeros_like(a)
    tilelang_tt.run_saved(tmp_path / "saved", [a, b, out])
    assert torch.equal(torch.from_numpy(out).view(torch.bfloat16), sum(operands))


def test_a_folder_without_an_artifact_is_refused(tmp_path):
    with pytest.raises(BadArtifact, match="TT6004"):
        tilelang_tt.run_saved(tmp_path, [])


def test_a_kernel_of_another_target_has_no_artifact():
    program = programs.on_tensors(plus, (32, 32), (32, 32), "float32")
    with pytest.raises(BadArtifact, match="TT6004"):
        tilelang_tt.artifact(tilelang.compile(program, target="c", out_idx=[-1]))


def test_a_report_names_cores_blocks_and_buffers(kernel):
    report = tilelang_tt.report(kernel)
    for text in ("wormhole_b0", "8x8 cores", "3 x 2", "A_s", "B_s"):
        assert text in report
