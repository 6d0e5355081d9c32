"""ttnn's own kernels of the 2-D multicast product, from the wheel, run as those measured were."""

from __future__ import annotations

from benchmarks.gemm import hand
from benchmarks.gemm.hand import Config
from benchmarks.gemm.problem import FORMATS, Outcome, Problem, zeros
from testing.mock_validation.bench import Bench
from testing.mock_validation.cases.matmul import CBS, FUSED, Plan, launch_multicast
from tilelang_tt import mock

_SHARD = 2


def run(problem: Problem, config: Config) -> Outcome:
    """One run on zeros. What the kernels do against the rules is not held against them.

    Raises:
        testing.conformance.wheel.WheelError: the wheel is not there and cannot be downloaded.
    """
    (m, k, n), (columns, rows) = problem.tiles, problem.grid
    plan = Plan(
        columns,
        rows,
        m=m // rows,
        n=n // columns,
        k=k,
        block=config.inner,
        subblock_h=config.sub[0],
        subblock_w=config.sub[1],
        row_blocks=m // rows // config.rows,
        column_blocks=n // columns // config.columns,
    )
    bench = Bench(problem.device.name)
    bench.chip.device = problem.device
    bench.modes(fidelity=problem.fidelity)
    data = (zeros(problem, m * k), zeros(problem, k * n), zeros(problem, m * n))
    shapes = ((problem.m, problem.k), (problem.k, problem.n), (problem.m, problem.n))
    buffers = hand.buffers(problem, config, *data)
    a, b, c = (
        mock.Tensor(buffer, shape, problem.format, True, buffer.accessor_args(problem.device))
        for buffer, shape in zip(buffers, shapes, strict=True)
    )
    bench.chip.tensors += [a, b, c]
    sharded = problem.place == "l1"
    _circular_buffers(bench, problem, plan, (a, c) if sharded else (None, None))
    accumulate = {"PACKER_L1_ACC": "1"} if plan.blocks > 2 else None
    launch_multicast(
        bench, plan, (a, b, c), FUSED, sharded=sharded, noc_of_in0=1, defines=accumulate
    )
    return Outcome.of(problem, bench.program.run(mode="report"))


def _circular_buffers(
    bench: Bench, problem: Problem, plan: Plan, on: tuple[mock.Tensor | None, mock.Tensor | None]
) -> None:
    """As the factory has them: sums where the output is, unless they have another format."""
    own, sums = problem.format, FORMATS["bf16"]
    output = plan.block_h * plan.block_w
    a, c = on
    program = bench.program
    program.circular_buffer(CBS["cb_in0"], own, 2 * plan.block_h * plan.block)
    program.circular_buffer(CBS["cb_in1"], own, 2 * plan.block * plan.block_w)
    program.circular_buffer(CBS["cb_out"], own, output, tensor=c)
    if own != sums:
        program.circular_buffer(CBS["cb_intermed0"], sums, output)
    elif c is not None:
        program.circular_buffer(CBS["cb_intermed0"], own, output, tensor=c)
    else:
        program.circular_buffer(CBS["cb_intermed0"], own, output, shares=CBS["cb_out"])
    if a is not None:
        program.circular_buffer(_SHARD, own, plan.m * plan.k // plan.columns, tensor=a)
