"""The compiler, the cache, and running one build many times."""

from __future__ import annotations

import dataclasses
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import mock
from tilelang_tt.mock import compiler

COMPILERS = [name for name in ("g++", "clang++", "clang++-19") if shutil.which(name)]
SOURCES = sorted((k.MOCK / "src").glob("*.cpp"))
HEADERS = sorted((k.MOCK / "include" / "api" / "compute").rglob("*.h"))
WARNINGS = [*compiler.ENGINE_FLAGS, "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]


def test_some_compiler_is_tried() -> None:
    """Without one, the tests for each compiler would be skipped."""
    assert COMPILERS


@pytest.mark.parametrize("command", COMPILERS)
def test_the_engine_has_no_warnings(command: str) -> None:
    include = [f"-I{k.MOCK / 'include'}", f"-I{k.MOCK / 'src'}"]
    running = [
        subprocess.Popen(
            [command, *WARNINGS, *include, str(source)], stderr=subprocess.PIPE, text=True
        )
        for source in SOURCES
    ]
    output = [process.communicate()[1] for process in running]
    assert not any(process.returncode for process in running), "\n".join(output)


@pytest.mark.parametrize("command", COMPILERS)
@pytest.mark.parametrize("role", ["compute", "data movement"])
def test_the_headers_have_no_warnings(tmp_path: Path, command: str, role: str) -> None:
    if role == "compute":
        names = [str(header.relative_to(k.MOCK / "include")) for header in HEADERS]
        defines = ["-DTT_MOCK_COMPUTE", "-DDST_ACCUM_MODE=true"]
    else:
        folders = ("api/dataflow", "api/tensor", "experimental")
        found = [f for folder in folders for f in (k.MOCK / "include" / folder).rglob("*.h")]
        names = [str(header.relative_to(k.MOCK / "include")) for header in sorted(found)]
        names += ["api/core_local_mem.h", "api/semaphore.h"]
        defines = ["-DTT_MOCK_DATA_MOVEMENT", "-DNOC_INDEX=0"]
    source = tmp_path / "all.cpp"
    source.write_text("".join(f'#include "{name}"\n' for name in names))
    command_line = [command, *WARNINGS, *defines, f"-I{k.MOCK / 'include'}", str(source)]
    result = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("command", COMPILERS)
def test_each_compiler_runs_the_sum(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("CXX", command)
    a = np.full((32, 64), 1.5, np.float32)
    np.testing.assert_array_equal(k.Pipeline(k.ADD).run(a, a), 3.0)


def test_a_missing_compiler_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(mock.MissingCompiler, match=r"g\+\+ or clang.*pip install ziglang"):
        k.Pipeline(k.ADD).program(1).build()


def test_a_wrong_cxx_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -O9")
    with pytest.raises(mock.MissingCompiler, match="no-such-compiler"):
        k.Pipeline(k.ADD).program(1).build()


def test_a_second_build_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    k.Pipeline(k.ADD).program(4).build()

    def refuse(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(compiler, "_start", refuse)
    k.Pipeline(k.ADD).program(4).build()
    k.Pipeline(k.ADD).program(8).build()


def test_only_the_changed_kernel_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    k.Pipeline(k.ADD).program(4).build()
    compiled: list[str] = []
    start = compiler._start_kernel

    def count(host: Any, engine: Path, work: Path, library: Path, kernel: Any) -> Any:
        compiled.append(kernel.name)
        return start(host, engine, work, library, kernel)

    monkeypatch.setattr(compiler, "_start_kernel", count)
    comment = f"// {np.random.default_rng().integers(1 << 60)}\n"
    k.Pipeline(comment + k.ADD).program(4).build()
    assert compiled == ["compute.cpp"]


def test_checkouts_share_what_they_build(tmp_path: Path) -> None:
    folder = Path(compiler.__file__).parent
    other = shutil.copytree(folder, tmp_path / "mock")
    source = compiler.KernelSource("compute.cpp", k.ADD, (), (str(folder / "include"),))
    moved = dataclasses.replace(source, include_dirs=(str(other / "include"),))
    host = compiler.find_compiler()

    def keys(module: dict[str, Any], kernel: compiler.KernelSource) -> tuple[str, str]:
        engine = module["_engine_key"](host)
        return engine, module["_kernel_key"](Path(f"engine-{engine}.so"), kernel)

    assert keys(vars(compiler), source) == keys(runpy.run_path(str(other / "compiler.py")), moved)


def test_headers_that_are_compiled_beforehand_are_included_anyway() -> None:
    common = (k.MOCK / "include" / "tt_mock" / "common.h").read_text()
    for name in compiler._ALWAYS_INCLUDED:
        assert f"#include <{name}>" in common


def test_a_header_that_a_kernel_does_not_include_is_not_there() -> None:
    sort = "inline void in_order(int* numbers) { std::sort(numbers, numbers + 2); }\n"
    k.Pipeline("#include <algorithm>\n" + sort + k.ADD).program(1).build()
    with pytest.raises(mock.KernelCompileError, match="sort"):
        k.Pipeline(sort + k.ADD).program(1).build()


def test_one_build_runs_with_other_tensors_and_arguments() -> None:
    program = k.Pipeline(k.ADD).program(2)
    executable = program.build()
    size = k.BF16.tile_bytes
    for value in (1.0, 2.0):
        a = np.full((32, 64), value, np.float32)
        data = [k.encode(a, k.BF16), k.encode(a, k.BF16), np.zeros(2 * size, np.uint8)]
        addresses = [0x100040 + int(value) * 0x10000 * (i + 1) for i in range(3)]
        buffers = [
            mock.Buffer(name, array, size, address)
            for name, array, address in zip("abc", data, addresses, strict=True)
        ]
        span = {(0, 0): (1, 1)}
        executable.run(
            buffers,
            {"reader.cpp": addresses[:2], "writer.cpp": addresses[2:]},
            {"reader.cpp": span, "writer.cpp": span, "compute.cpp": {(0, 0): (1,)}},
        )
        got = k.decode(data[2], k.BF16, 32, 64)
        np.testing.assert_array_equal(got[:, :32], 0)
        np.testing.assert_array_equal(got[:, 32:], 2 * value)


def test_arguments_of_an_unknown_kernel_are_rejected() -> None:
    executable = k.Pipeline(k.ADD).program(2).build()
    with pytest.raises(mock.ProgramError, match="unknown kernels"):
        executable.run([], {"read.cpp": (1,)})


def test_a_run_may_use_other_cores() -> None:
    source = """
#include "api/dataflow/dataflow_api.h"
void kernel_main() {
  cb_reserve_back(0, 1);
  cb_push_back(0, 1);
  cb_wait_front(0, 1);
  cb_pop_front(0, 1);
}
"""
    program = mock.Program(
        (mock.Kernel("reader", "reader.cpp", source, {(0, 0): ()}),),
        (mock.CircularBuffer(0, "a", k.BF16, 2048, 1),),
        k.device.load("wormhole_b0"),
    )
    cores = {(x, 3): () for x in range(5)}
    report = program.build().run([], core_args={"reader.cpp": cores})
    assert report.kernels["reader.cpp"].pages_pushed == 5
    with pytest.raises(mock.ProgramError, match="grid"):
        program.build().run([], core_args={"reader.cpp": {(8, 0): ()}})


def test_addresses_are_assigned_as_on_the_chip() -> None:
    wormhole, blackhole = (k.device.load(arch) for arch in ("wormhole_b0", "blackhole"))
    assert mock.allocate(wormhole, [(2048, 12), (2048, 13), (100, 1)]) == (
        0x100040,
        0x100040 + 2048,
        0x100040 + 3 * 2048,
    )
    assert mock.allocate(blackhole, [(100, 1), (100, 1)]) == (0x100040, 0x100040 + 128)
