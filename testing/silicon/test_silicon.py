"""Programs on a card or a simulator of the chip: against torch, and beside the mock."""

from __future__ import annotations

import dataclasses
import os
import warnings

import pytest
import tilelang
import torch

from testing.silicon import device, table
from testing.silicon.program import Program, error
from testing.silicon.programs import PROGRAMS


def _run(program: Program, arch: str, execution: str) -> torch.Tensor:
    options = dataclasses.asdict(program.options(arch, execution))
    target = {"kind": "tenstorrent", **options}
    kernel = tilelang.compile(program.build(), target=target, out_idx=[-1])
    return kernel(*program.arguments())


@pytest.mark.silicon
@pytest.mark.usefixtures("time_limit")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_silicon_agrees_with_torch(program, record_property):
    silicon = device.find()
    assert isinstance(silicon, device.Silicon)
    expected = program.expected(program.arguments())
    mock, actual = (_run(program, silicon.arch, execution) for execution in ("mock", "ttnn"))
    measured = error(actual, expected)
    record_property(
        table.ROW,
        table.row(
            program.name,
            silicon.arch,
            measured,
            program.tolerance,
            error(mock, expected),
            error(actual, mock),
            torch.equal(actual, mock),
        ),
    )
    assert measured <= program.tolerance


def test_programs_that_do_not_run_are_named(request):
    """A worker of pytest-xdist has no last word, but its warnings reach the end of the run."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        for line in request.config.stash[table.LEFT_OUT]:
            warnings.warn(line, stacklevel=1)
    if isinstance(device.find(), str):
        assert not [item for item in request.session.items if item.get_closest_marker("silicon")]


def test_without_card_and_simulator_there_is_nothing_to_run_on(monkeypatch):
    monkeypatch.delenv(device.SIMULATOR, raising=False)
    monkeypatch.setattr(device.glob, "glob", lambda _: [])
    assert device.find() == "no card or simulator"


def test_a_card_is_used_when_its_architecture_is_known(monkeypatch):
    monkeypatch.delenv(device.SIMULATOR, raising=False)
    monkeypatch.delenv(device.ARCH, raising=False)
    monkeypatch.setenv(device.ttnn_run.PYTHON, "python3")
    monkeypatch.setattr(device.glob, "glob", lambda _: ["/dev/tenstorrent/0"])
    assert device.find() == f"a card, but {device.ARCH} is not set"
    monkeypatch.setenv(device.ARCH, "blackhole")
    assert device.find() == device.Silicon("blackhole")


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
def test_a_simulator_says_what_it_simulates(monkeypatch, tmp_path, arch):
    (tmp_path / "soc_descriptor.yaml").write_text(
        f"grid:\n  x_size: 1\narch_name: {arch.upper()}\n"
    )
    monkeypatch.setenv(device.SIMULATOR, str(tmp_path / "libttsim.so"))
    monkeypatch.delenv(device.ARCH, raising=False)
    assert device.find() == device.Silicon(arch)


@pytest.mark.parametrize(
    "variable, runs, does_not_run, why",
    [
        (device.NO_UNPACK_TO_DEST, "add-bfloat16", "add-float32", "DST"),
        (device.NO_WIDE_BROADCAST, "add-float32", "gemm-bias-relu-float32", "rows"),
        (device.NO_WIDE_BROADCAST, "gemm-bias-relu-bfloat16", "softmax-bfloat16", "columns"),
    ],
)
@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
def test_what_a_simulator_lacks_is_left_out(monkeypatch, arch, variable, runs, does_not_run, why):
    for name in (device.NO_UNPACK_TO_DEST, device.NO_WIDE_BROADCAST):
        monkeypatch.delenv(name, raising=False)
    by_name = {program.name: program for program in PROGRAMS}
    silicon = device.Silicon(arch)
    assert not silicon.lacks(by_name[does_not_run])
    monkeypatch.setenv(variable, "1")
    assert why in silicon.lacks(by_name[does_not_run])
    assert not silicon.lacks(by_name[runs])
