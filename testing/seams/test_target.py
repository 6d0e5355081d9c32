"""The spellings of the target, its options, and what is wrong with some."""

from __future__ import annotations

import json

import pytest
import tilelang
import torch
from tilelang.backend import list_backends
from tvm.target import Target

import tilelang_tt
from testing.kernels import programs
from testing.kernels.programs import compiled, plus
from tilelang_tt import backend, options, target
from tilelang_tt.diagnostics import (
    BadOption,
    GridTooLarge,
    NoTtnn,
    OptionError,
    UnknownBuffer,
    UnknownOption,
)

WORMHOLE = {"arch": "wormhole_b0", "grid": (8, 8), "fidelity": "HiFi4", "execution": "auto"}
BLACKHOLE = {**WORMHOLE, "arch": "blackhole", "grid": (11, 10)}
ALL_OPTIONS = {
    "arch": "blackhole",
    "grid": (3, 2),
    "fidelity": "HiFi2",
    "fp32_acc": True,
    "depths": {"A_s": 2},
    "execution": "mock",
}


def of_kind(**options):
    return {"kind": "tenstorrent", **options}


SPELLINGS = {
    "name": ("tenstorrent", WORMHOLE),
    "name/wormhole_b0": ("tenstorrent/wormhole_b0", WORMHOLE),
    "name/wormhole": ("tenstorrent/wormhole", WORMHOLE),
    "name/blackhole": ("tenstorrent/blackhole", BLACKHOLE),
    "dict": (of_kind(), WORMHOLE),
    "dict of all": (
        of_kind(**ALL_OPTIONS),
        {**BLACKHOLE, "grid": (3, 2), "fidelity": "HiFi2", "execution": "mock"},
    ),
    "grid as text": (of_kind(grid="3x2"), {**WORMHOLE, "grid": (3, 2)}),
    "grid as list": (of_kind(grid=[3, 2]), {**WORMHOLE, "grid": (3, 2)}),
    "JSON": (json.dumps(of_kind(arch="blackhole")), BLACKHOLE),
    "Target": (Target("tenstorrent"), WORMHOLE),
    "Target/blackhole": (Target("tenstorrent/blackhole"), BLACKHOLE),
}


def chosen(kernel):
    """The options a kernel was compiled with."""
    plan = tilelang_tt.artifact(kernel).plan
    return {name: getattr(plan, name) for name in WORMHOLE}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_spelling_chooses_its_options(spelling, program, operands):
    spelled, expected = SPELLINGS[spelling]
    kernel = tilelang.compile(program, target=spelled, out_idx=[-1])
    assert chosen(kernel) == expected
    torch.testing.assert_close(kernel(*operands), sum(operands), rtol=2**-7, atol=0)


@pytest.mark.parametrize("spelled", ["2x4", [2, 4], (2, 4)], ids=str)
def test_a_subblock_is_a_pair(spelled):
    assert options.parse({"subblock": spelled}).subblock == (2, 4)


@pytest.mark.parametrize("wide", [True, False])
def test_the_width_of_the_destination_registers_may_be_chosen(program, wide):
    kernel = tilelang.compile(program, target=of_kind(fp32_acc=wide), out_idx=[-1])
    assert tilelang_tt.artifact(kernel).plan.fp32_dest_acc is wide


@pytest.mark.parametrize("spelled", [{"A_s": 4}, [["A_s", 4]]])
def test_depths_may_be_chosen(spelled, program, operands):
    kernel = tilelang.compile(program, target=of_kind(depths=spelled), out_idx=[-1])
    cb = tilelang_tt.artifact(kernel).plan.circular_buffer("A_s")
    assert cb.depth == 4
    assert cb.reason.startswith("the option depths")
    torch.testing.assert_close(kernel(*operands), sum(operands), rtol=2**-7, atol=0)


def test_a_target_may_be_current(program):
    with Target("tenstorrent/blackhole"):
        assert chosen(tilelang.compile(program, out_idx=[-1])) == BLACKHOLE


@pytest.mark.parametrize(
    "text, expected",
    [
        ("tenstorrent", WORMHOLE),
        ("tenstorrent/blackhole", BLACKHOLE),
        ('{"kind": "tenstorrent", "grid": "2x3"}', {**WORMHOLE, "grid": (2, 3)}),
    ],
)
def test_a_target_may_come_from_the_environment(monkeypatch, program, text, expected):
    monkeypatch.setenv("TILELANG_DEFAULT_TARGET", text)
    assert chosen(tilelang.compile(program, out_idx=[-1])) == expected


def test_a_target_in_the_program_wins_over_the_environment(monkeypatch, program):
    monkeypatch.setenv("TILELANG_DEFAULT_TARGET", "tenstorrent/blackhole")
    assert chosen(tilelang.compile(program, target="tenstorrent", out_idx=[-1])) == WORMHOLE


BAD = {
    "unknown option": (of_kind(speed=3), UnknownOption, "'speed'"),
    "unknown architecture": ("tenstorrent/grayskull", BadOption, "wormhole_b0, blackhole"),
    "no architecture": ("tenstorrent/", BadOption, "'arch'"),
    "architecture is a list": (of_kind(arch=["blackhole"]), BadOption, "'arch'"),
    "unknown fidelity": (of_kind(fidelity="HiFi5"), BadOption, "LoFi, HiFi2, HiFi3, HiFi4"),
    "fp32_acc is text": (of_kind(fp32_acc="yes"), BadOption, "True, False or None"),
    "multicast is a number": (of_kind(multicast=1), BadOption, "True, False or None"),
    "split is a number": (of_kind(split=4), BadOption, "True, False or None"),
    "cut is text": (of_kind(cut="yes"), BadOption, "True, False or None"),
    "unknown execution": (of_kind(execution="gpu"), BadOption, "auto, mock, ttnn"),
    "grid is a number": (of_kind(grid=8), BadOption, "(columns, rows)"),
    "grid has three numbers": (of_kind(grid=(2, 2, 2)), BadOption, "(columns, rows)"),
    "grid is empty": (of_kind(grid=(0, 8)), BadOption, "positive"),
    "grid is no text of ours": (of_kind(grid="8 by 8"), BadOption, "(columns, rows)"),
    "depths is a number": (of_kind(depths=3), BadOption, "names of circular buffers"),
    "a depth is text": (of_kind(depths={"A_s": "3"}), BadOption, "positive integers"),
    "depths are text": (of_kind(depths="A_s"), BadOption, "names of circular buffers"),
    "a buffer is a number": (of_kind(depths={3: 2, "A_s": 2}), BadOption, "names of"),
    "a depth is zero": (of_kind(depths={"A_s": 0}), BadOption, "positive integers"),
    "a depth without a buffer": (of_kind(depths={"Z": 2}), UnknownBuffer, "it has A_s, B_s"),
    "a subblock of three numbers": (of_kind(subblock=(1, 2, 3)), BadOption, "(rows, columns)"),
    "an empty subblock": (of_kind(subblock="0x4"), BadOption, "positive"),
    "an unknown place of sums": (of_kind(accumulate="L2"), BadOption, "one of dst, l1"),
    "too many columns": (of_kind(grid=(9, 8)), GridTooLarge, "9x8 cores does not fit"),
    "too many rows": (of_kind(arch="blackhole", grid=(1, 11)), GridTooLarge, "has 11x10"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_option_is_refused_with_its_reason(case, program):
    spelled, error, text = BAD[case]
    with pytest.raises(error) as caught:
        tilelang.compile(program, target=spelled, out_idx=[-1])
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"{error.code}: ")
    assert isinstance(caught.value, OptionError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "other",
    ["cuda", "c", "tenstorrentx", '{"kind": "c"}', {"kind": "c"}, None, Target("c")],
    ids=str,
)
def test_targets_of_others_are_left_alone(other):
    assert target.normalize(other) is None


def test_other_backends_still_compile():
    program = programs.on_tensors(plus, (64, 96), (32, 32), "float32")
    kernel = tilelang.compile(program, target="c", out_idx=[-1])
    a, b = torch.randn(64, 96), torch.randn(64, 96)
    assert torch.equal(kernel(a, b), a + b)
    assert "reader.cpp" not in kernel.get_kernel_source()


def test_registering_again_changes_nothing():
    before = list_backends()
    backend.register()
    assert list_backends() == before
    assert {"tenstorrent", "cpu", "cuda"} <= set(before)


def test_options_are_part_of_what_tells_targets_apart():
    spellings = [of_kind(), *(of_kind(**{name: value}) for name, value in ALL_OPTIONS.items())]
    assert len({str(target.normalize(spelling)) for spelling in spellings}) == len(spellings)


def test_the_same_options_are_one_target():
    assert str(target.normalize("tenstorrent")) == str(target.normalize(of_kind(grid=(8, 8))))


def test_execution_through_ttnn_is_refused_where_it_is_not_installed(operands):
    kernel = compiled(
        programs.in_place, plus, (64, 96), (32, 32), "bfloat16", options=(("execution", "ttnn"),)
    )
    with pytest.raises(NoTtnn, match="TILELANG_TT_TTNN_PYTHON"):
        kernel(*operands)
