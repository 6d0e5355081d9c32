"""Every stage's verifier rejects what does not belong there."""

import itertools

import pytest
from helpers import OPTIONS, kernel_until, planned, scripted, shared, tensor, until
from programs import add, gemm

from tilelang_tt import pipeline
from tilelang_tt.diagnostics import BrokenStage
from tilelang_tt.ir import attrs, verify

BUFFERS = {"A": tensor(64, 64), "B": tensor(64, 64), "S": shared(64, 64), "R": shared(64, 64)}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64): {}"
SCALARS = ["n", "first", "count"]
BLOCK = {
    attrs.GRID: [1],
    attrs.PARTITION: {"kind": "runs", "columns": [], "rows": []},
    attrs.CORE_ARGS: ["first", "count"],
    attrs.FP32_DEST: False,
}
READER = 'with T.attr(0, "tt.engine", "reader"):\n    '


def function(body, attributes=None, **buffers):
    return scripted(body, scalars=SCALARS, attributes=attributes, **(buffers or BUFFERS))


def checked(func, stage):
    verify.check(func, stage, after="tt.Culprit")


BROKEN = {
    "a fill in a tile program": (
        verify.TILE_PROGRAM,
        function("fill(S, 0)"),
        "a Fill is left",
    ),
    "a store outside of a nest": (
        verify.TILE_PROGRAM,
        function("S[0, 0] = R[0, 0]"),
        "a BufferStore is left",
    ),
    "a serial element loop": (
        verify.TILE_PROGRAM,
        function("for i in range(64): S[i, 0] = R[i, 0]"),
        "a BufferStore is left",
    ),
    "an unknown operation": (
        verify.TILE_PROGRAM,
        function("if n == 0: T.evaluate(T.tvm_storage_sync('shared'))"),
        "a Evaluate is left",
    ),
    "an unknown operation in the other branch": (
        verify.TILE_PROGRAM,
        function("if n == 0: copy(A, S)\nelse: T.evaluate(T.tvm_storage_sync('shared'))"),
        "a Evaluate is left",
    ),
    "a thread-bound loop": (
        verify.TILE_PROGRAM,
        function("for t in T.thread_binding(4, thread='threadIdx.x'): copy(A, S)"),
        "a For is left",
    ),
    "a while loop": (
        verify.TILE_PROGRAM,
        function("while n == 0: copy(A, S)"),
        "a While is left",
    ),
    "a copy on the chip": (
        verify.TILE_PROGRAM,
        function("copy(S, R)"),
        "a copy is not a plain transfer",
    ),
    "a copy between tensors": (
        verify.TILE_PROGRAM,
        function("copy(A, B)"),
        "a copy is not a plain transfer",
    ),
    "a copy that converts": (
        verify.TILE_PROGRAM,
        function("copy(A, F)", A=tensor(64, 64), F=shared(64, 64, dtype="float32")),
        "a copy is not a plain transfer",
    ),
    "a tensor written by a nest": (
        verify.TILE_PROGRAM,
        function(NEST.format("A[i, j] = S[i, j]")),
        "a tensor is written outside of a copy",
    ),
    "a plan without its grid": (
        verify.BLOCK_PROGRAM,
        function("copy(A, S)", {key: BLOCK[key] for key in BLOCK if key != attrs.GRID}),
        "the function lacks tt.grid",
    ),
    "a plan without a mode": (
        verify.BLOCK_PROGRAM,
        function("copy(A, S)", {key: BLOCK[key] for key in BLOCK if key != attrs.FP32_DEST}),
        "the function lacks tt.fp32_dest_acc",
    ),
    "a plan without attributes": (
        verify.BLOCK_PROGRAM,
        function("copy(A, S)"),
        "the function lacks tt.grid, tt.partition, tt.core_args",
    ),
    "a statement without an engine": (
        verify.STREAMS,
        planned(function(f"{READER}copy(A, S)\ncopy(S, B)", BLOCK)),
        "no engine runs",
    ),
    "a statement without an engine in a loop": (
        verify.STREAMS,
        planned(function("for k in range(4): copy(A, S)", BLOCK)),
        "no engine runs",
    ),
    "a buffer without a plan": (
        verify.STREAMS,
        function(f"{READER}copy(A, S)", BLOCK),
        "S, R without a circular buffer",
    ),
    "two buffers with one index": (
        verify.STREAMS,
        planned(function(f"{READER}copy(A, S)", BLOCK), S={"index": 0}, R={"index": 0}),
        "an index is used twice",
    ),
    "a copy among tile instructions": (
        verify.TILE_INSTRUCTIONS,
        planned(function(f"{READER}copy(A, S)", BLOCK)),
        "a Copy is left",
    ),
    "a nest among tile instructions": (
        verify.TILE_INSTRUCTIONS,
        planned(function(NEST.format("S[i, j] = R[i, j]"), BLOCK)),
        "a Elementwise is left",
    ),
    "a tile instruction without an engine": (
        verify.TILE_INSTRUCTIONS,
        planned(function("T.noc_read(A.data, 0, S.data, 0)", BLOCK)),
        "no engine runs",
    ),
    "an engine in a kernel": (
        verify.METALIUM,
        function(f"{READER}T.noc_read_barrier()"),
        "the attribute tt.engine is left",
    ),
    "a section in a kernel": (
        verify.METALIUM,
        function('with T.attr(0, "tt.dst_section", ""): T.exp_tile(0)'),
        "the attribute tt.dst_section is left",
    ),
    "a copy in a kernel": (verify.METALIUM, function("copy(A, S)"), "a Copy is left"),
    "registers that are not released": (
        verify.METALIUM,
        function("T.tile_regs_acquire(); T.tile_regs_commit(); T.tile_regs_wait()"),
        "do not alternate",
    ),
    "registers that are packed too early": (
        verify.METALIUM,
        function(
            "T.tile_regs_acquire(); T.tile_regs_wait(); T.tile_regs_commit(); T.tile_regs_release()"
        ),
        "do not alternate",
    ),
}


@pytest.mark.parametrize("stage, func, why", BROKEN.values(), ids=BROKEN)
def test_broken(stage, func, why):
    with pytest.raises(BrokenStage) as caught:
        checked(func, stage)
    text = str(caught.value)
    assert text.startswith(f"TT9003: after tt.Culprit the IR is not in stage {stage.name}: ")
    assert why in text


SOUND = {
    "a tile program": (
        verify.TILE_PROGRAM,
        function(
            "for k in range(4):\n    if n == 0: copy(A, S)\n    else: transpose(S, R)\n"
            "for u in T.unroll(2): gemm(S, S, R)\n"
            + NEST.format("S[i, j] = R[i, j]")
            + "\ncopy(S, B)\nT.evaluate(0)"
        ),
    ),
    "a turn of the registers": (
        verify.METALIUM,
        function(
            "T.tile_regs_acquire(); T.tile_regs_commit(); T.tile_regs_wait(); T.tile_regs_release()"
        ),
    ),
}


@pytest.mark.parametrize("stage, func", SOUND.values(), ids=SOUND)
def test_sound(stage, func):
    checked(func, stage)


@pytest.mark.parametrize("program", [add, gemm])
def test_the_pipeline_s_own_functions_are_sound(program):
    func = program()
    checked(until(func, "tt.ChooseDstMode"), verify.TILE_PROGRAM)
    checked(until(func, "tt.AssignEngines"), verify.BLOCK_PROGRAM)
    checked(until(func, "tt.LowerCopies"), verify.STREAMS)
    checked(until(func, "tt.InsertCbProtocol"), verify.TILE_INSTRUCTIONS)
    for role in attrs.ENGINES:
        checked(kernel_until(func, role, "end"), verify.METALIUM)


def test_the_pipeline_checks_every_stage_and_names_the_pass_before(monkeypatch):
    checked_after = []
    monkeypatch.setattr(
        verify, "check", lambda _func, stage, after: checked_after.append((stage.name, after))
    )
    pipeline.lower(add(), OPTIONS)
    assert checked_after == [
        *_stages([*pipeline.tile_program(OPTIONS), *pipeline.streams(OPTIONS)]),
        *_stages(pipeline.FINISH) * len(attrs.ENGINES),
    ]
    assert [name for name, _ in checked_after[:4]] == [
        "tile program",
        "planned block program",
        "streams",
        "tile instructions",
    ]


def _stages(steps):
    """Each stage among the steps, with the name of the pass before it."""
    return [
        (step.name, before.name)
        for before, step in itertools.pairwise(steps)
        if isinstance(step, verify.Stage)
    ]
