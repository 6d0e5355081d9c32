"""`tilelang_tt.profile`: the report of one launch on the mock."""

from __future__ import annotations

import pytest
import tilelang
import torch

import tilelang_tt
from tilelang_tt import demo, device, mock
from tilelang_tt.diagnostics import NotProfiled


def compiled(arch: str = "wormhole_b0") -> tilelang.jit.kernel.JITKernel:
    program = demo.matmul(128, 128, 128, (64, 64, 64))
    return tilelang.compile(program, target=f"tenstorrent/{arch}", out_idx=[-1])


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
def test_a_profile_predicts_cycles_and_shares_of_the_peaks(arch: str) -> None:
    a = torch.ones(128, 128).bfloat16()
    report = tilelang_tt.profile(compiled(arch), a, a)
    assert report.tile_products == 4 * 4 * 4
    assert report.cycles > report.launch_cycles > 0
    assert report.intervals == ()
    shares = mock.roofline(report, device.load(arch))
    assert 0 < shares.flops < 1
    assert 0 < shares.dram < 1
    assert shares.bound == "neither"


def test_a_profile_can_hold_a_trace() -> None:
    a = torch.ones(128, 128).bfloat16()
    report = tilelang_tt.profile(compiled(), a, a, trace=True)
    events = report.trace()["traceEvents"]
    assert len({event["pid"] for event in events}) == len(report.cores)
    assert {event["cat"] for event in events if event["ph"] == "X"} == {"work", "wait"}


def test_a_call_that_launches_nothing_has_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = compiled()
    monkeypatch.setattr(type(kernel), "__call__", lambda *_: None)
    with pytest.raises(NotProfiled, match="TT6007"):
        tilelang_tt.profile(kernel)
