"""The host program of a saved kernel, without a chip.

On a stand-in for ttnn that runs the mock; and, where ttnn is installed, on ttnn's own mock device,
which compiles and loads the kernels but runs nothing.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tilelang
import torch

import tilelang_tt
from testing.kernels import sequences
from testing.silicon import kernels, row_programs, stub_ttnn
from testing.silicon.device import SIMULATOR, compiled
from testing.silicon.program import GRID
from testing.silicon.programs import PROGRAMS
from tilelang_tt import formats, pipeline
from tilelang_tt.codegen import artifact
from tilelang_tt.codegen.artifact import Artifact
from tilelang_tt.options import Options
from tilelang_tt.plan import Scalar, Tensor
from tilelang_tt.runtime import binding, mock_run, saved, ttnn_run

# One Wormhole card, in the form of ttnn's cluster descriptions.
CLUSTER = """
arch: {0: Wormhole}
chips: {0: [0, 0, 0, 0]}
ethernet_connections: []
chips_with_mmio: [0: 0]
harvesting: {0: {noc_translation: true, harvest_mask: 32, dram_harvesting_mask: 0,
  eth_harvesting_mask: 0, pcie_harvesting_mask: 0, l2cpu_harvesting_mask: 0}}
boards: [[{board_id: 72059269369839682}, {board_type: n150}, {chips: [0]}]]
"""

# Of the row programs those whose host programs differ: a vector, integers, four axes.
_ROWS = ("row-sum-bfloat16", "integers", "attention-ragged")
HOSTED = [
    program for program in PROGRAMS if program not in row_programs.PROGRAMS or program.name in _ROWS
]

OWN = {"numpy", "ttnn", "partition", "tiles", *sys.stdlib_module_names}


@dataclass
class Host:
    """A host program, loaded, and what it does."""

    artifact: Artifact
    module: ModuleType
    recorder: stub_ttnn.Recorder
    folder: Path

    @property
    def launched(self) -> stub_ttnn.ProgramDescriptor:
        (program,) = self.recorder.programs
        return program

    def run(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        inputs, outputs = self.folder / "inputs.npz", self.folder / "outputs.npz"
        np.savez(inputs, **arrays)
        self.module.main(inputs, outputs)
        with np.load(outputs) as data:
            return dict(data)


@pytest.fixture
def host(tmp_path, monkeypatch):
    """Save an artifact and load its host program."""

    def load(built: Artifact) -> Host:
        saved.save(built, tmp_path)
        recorder = stub_ttnn.Recorder(built.plan.arch)
        monkeypatch.setitem(sys.modules, "ttnn", stub_ttnn.module(recorder))
        return Host(built, _load(tmp_path, monkeypatch), recorder, tmp_path)

    return load


def _load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The host program of a folder, loaded after the modules that it imports from there."""
    modules = {}
    for name in ("tiles", "partition", "host"):
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        modules[name] = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, modules[name])
        spec.loader.exec_module(modules[name])
    return modules["host"]


def _bits(value: torch.Tensor | float, param: Tensor | Scalar) -> np.ndarray:
    """An argument as a host program reads it."""
    if isinstance(value, torch.Tensor):
        words = value.view({1: torch.uint8, 2: torch.uint16, 4: torch.uint32}[value.itemsize])
        return words.numpy().copy()
    return np.array(value, param.dtype).view(np.uint32)


def _arrays(built: Artifact, arguments: list[torch.Tensor | float]) -> dict[str, np.ndarray]:
    """Every parameter by name; the last one is the output, still empty."""
    *inputs, output = built.plan.params
    arrays = {
        param.name: _bits(value, param) for param, value in zip(inputs, arguments, strict=True)
    }
    shape = tuple(int(extent) for extent in output.shape)
    arrays[output.name] = np.zeros(shape, binding.element_type(output.dtype))
    return arrays


def _bound(built: Artifact, arguments: list[torch.Tensor | float]) -> binding.Binding:
    """The launch that the package itself makes of the arguments."""
    arrays = _arrays(built, arguments)
    by_param = zip(built.plan.params, [*arguments, None], strict=True)
    return binding.bind(
        built.plan,
        [value if isinstance(param, Scalar) else arrays[param.name] for param, value in by_param],
    )


def _double_rows() -> Artifact:
    func = kernels.double_rows(64, (32, 32), "bfloat16")
    options = Options(grid=GRID)
    return artifact.build(pipeline.lower(func, options), "double_rows", options)


@pytest.mark.parametrize("program", HOSTED, ids=lambda program: program.name)
def test_the_host_program_computes_what_the_package_does(host, program):
    arguments = program.arguments()
    loaded = host(compiled(program))
    built = loaded.artifact
    bound = _bound(built, arguments)
    mock_run.run(built, bound)
    output = built.plan.params[-1].name
    actual = loaded.run(_arrays(built, arguments))
    assert list(actual) == [output]
    np.testing.assert_array_equal(actual[output], bound.tensors[output])


@pytest.mark.parametrize(
    "program",
    [program for program in PROGRAMS if program.name in ("scale-float32", "gemm-batched")],
    ids=lambda program: program.name,
)
def test_the_launched_program_is_the_plan(host, program):
    arguments = program.arguments()
    loaded = host(compiled(program, "blackhole"))
    built, launch_plan = loaded.artifact, loaded.artifact.plan
    loaded.run(_arrays(built, arguments))
    bound = _bound(built, arguments)
    (device,) = loaded.recorder.devices
    names = [tensor.name for tensor in launch_plan.tensors]
    addresses = dict(zip(names, (tensor.address for tensor in device.tensors), strict=True))
    for kernel, descriptor in zip(launch_plan.kernels, loaded.launched.kernels, strict=True):
        assert Path(descriptor.kernel_source).read_text() == built.sources[kernel.file]
        assert descriptor.config.role == kernel.role
        words = mock_run.compile_time_args(kernel, launch_plan)
        assert tuple(descriptor.compile_time_args) == words
        assert tuple(descriptor.common_runtime_args) == bound.common_args(kernel, addresses)
        shares = {(core.x, core.y): list(words) for core, words in descriptor.runtime_args}
        assert shares == bound.core_args(kernel, lambda core: core)
    assert not device.is_open


@pytest.mark.parametrize("program", HOSTED, ids=lambda program: program.name)
def test_the_circular_buffers_are_the_plans(host, program):
    loaded = host(compiled(program))
    launch_plan = loaded.artifact.plan
    planned = [
        (cb.index, formats.BY_DTYPE[cb.dtype].ttnn, cb.page_bytes, cb.pages)
        for cb in launch_plan.circular_buffers
    ]
    assert planned == loaded.module.CIRCULAR_BUFFERS
    config = loaded.module.compute_config()
    assert config.math_fidelity.name == launch_plan.fidelity
    assert config.fp32_dest_acc_en == launch_plan.fp32_dest_acc
    straight = {
        index for index, mode in enumerate(config.unpack_to_dest_mode) if mode.name != "Default"
    }
    assert straight == {cb.index for cb in launch_plan.circular_buffers if cb.unpack_to_dest}


def test_the_host_program_of_several_kernels_runs_them_in_order(tmp_path, monkeypatch):
    kernel = sequences.split_sum(3, (32, 64))
    compiled_ = tilelang.compile(kernel, target="tenstorrent", out_idx=[-1])
    workload = tilelang_tt.workload(compiled_)
    saved.save_all(workload, tmp_path)
    recorder = stub_ttnn.Recorder("wormhole_b0")
    monkeypatch.setitem(sys.modules, "ttnn", stub_ttnn.module(recorder))
    a = np.arange(2 * 3 * 32 * 64, dtype=np.float32).reshape(2, 3, 32, 64) % 17
    arrays = {"A": a.view(np.uint32), "C": np.zeros((32, 64), np.uint32)}
    scale = np.array(0.5, np.float32).view(np.uint32)
    np.savez(tmp_path / "inputs.npz", scale=scale, **arrays)
    _load(tmp_path, monkeypatch).main(tmp_path / "inputs.npz", tmp_path / "outputs.npz")
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert set(outputs) == {"C"}
        np.testing.assert_array_equal(outputs["C"].view(np.float32), 0.5 * a.sum((0, 1)))
    assert [Path(p.kernels[0].kernel_source).parent.name for p in recorder.programs] == ["1", "2"]
    (device,) = recorder.devices
    assert not device.is_open


@pytest.mark.parametrize("file", ["host.py", "tiles.py", "partition.py"])
def test_a_saved_folder_needs_numpy_and_ttnn_alone(host, file):
    text = (host(compiled(PROGRAMS[0])).folder / file).read_text()
    tree = ast.parse(text)
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in imported
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in names if name} <= OWN


@pytest.mark.parametrize("rows", [32, 96, 320])
def test_rows_are_counted_at_run_time(host, rows):
    values = torch.arange(rows * 64, dtype=torch.float32).reshape(rows, 64).bfloat16()
    bits = values.view(torch.uint16).numpy()
    actual = host(_double_rows()).run({"A": bits, "C": np.zeros_like(bits)})["C"]
    np.testing.assert_array_equal(actual, (values * 2).view(torch.uint16).numpy())


def test_another_shape_than_declared_is_refused_and_the_device_is_closed(host):
    loaded = host(_double_rows())
    bits = np.zeros((64, 32), np.uint16)
    with pytest.raises(ValueError, match="has the shape"):
        loaded.run({"A": bits, "C": bits})
    assert [device.is_open for device in loaded.recorder.devices] == [False]
    assert loaded.recorder.programs == []


@pytest.mark.ttnn
@pytest.mark.usefixtures("time_limit")
@pytest.mark.parametrize(
    "program",
    [program for program in PROGRAMS if program.name in ("scale-float32", "gemm-bfloat16-out")],
    ids=lambda program: program.name,
)
def test_ttnn_accepts_the_host_program(tmp_path, program):
    built = compiled(program)
    saved.save(built, tmp_path)
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    np.savez(tmp_path / "inputs.npz", **_arrays(built, program.arguments()))
    environment = {name: value for name, value in os.environ.items() if name != SIMULATOR} | {
        "TT_METAL_MOCK_CLUSTER_DESC_PATH": str(tmp_path / "cluster.yaml"),
        "TT_METAL_CACHE": str(tmp_path / "cache"),
        "TT_METAL_SLOW_DISPATCH_MODE": "1",
    }
    command = [os.environ[ttnn_run.PYTHON], "host.py", "inputs.npz", "outputs.npz"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    output = built.plan.params[-1]
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert {name: array.shape for name, array in outputs.items()} == {output.name: output.shape}
