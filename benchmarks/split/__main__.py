"""What it is worth that blocks are cut, and that several cores share the loops of one.

Programs with fewer blocks than cores, each compiled so that one core does a block as it is, with
blocks cut, with loops shared, and as the compiler chooses; predicted cycles of the mock, results
checked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import tilelang
import torch
from tqdm import tqdm
from tvm import tirx

import tilelang_tt
from examples.gemm import example_gemm
from examples.gemm_splitk.example_gemm_splitk import matmul
from examples.online_softmax.example_softmax_one_row import LINES, softmax
from tilelang_tt import device

ARCHS = {"wormhole_b0": "WH", "blackhole": "BH"}
CHOICES = ((False, False), (True, False), (False, True), (None, None))
"""Whether blocks are cut, whether loops are shared."""
ERROR = 2.0**-8


@dataclass(frozen=True)
class Problem:
    """A program, its inputs, what comes out of them, and the bytes of its tensors."""

    name: str
    build: Callable[[], tirx.PrimFunc]
    inputs: tuple[torch.Tensor, ...]
    output: torch.Tensor
    expected: torch.Tensor

    @property
    def bytes(self) -> int:
        return sum(each.numel() * each.element_size() for each in (*self.inputs, self.output))


def problems(seed: int = 0) -> Iterator[Problem]:
    """GEMMs of few blocks, one whose program splits K itself, and softmax of one row."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    for (m, n, k), block in (
        ((64, 64, 8192), (64, 64, 64)),
        ((128, 128, 4096), (64, 64, 64)),
        ((256, 256, 2048), (64, 64, 64)),
        ((32, 1024, 4096), (32, 128, 128)),
        ((512, 512, 512), (128, 128, 64)),
    ):
        a, b = normal(m, k).bfloat16(), normal(k, n).bfloat16()
        yield Problem(
            f"GEMM {m}x{n}x{k}, blocks {'x'.join(map(str, block))}",
            lambda m=m, n=n, k=k, block=block: example_gemm.matmul(m, n, k, *block, "bfloat16"),
            (a, b),
            torch.zeros(m, n).bfloat16(),
            a.double() @ b.double(),
        )
    m, n, k, splits = 128, 128, 4096, 16
    a, b = normal(m, k).bfloat16(), normal(k, n).bfloat16()
    yield Problem(
        f"GEMM {m}x{n}x{k}, split by the program in {splits}",
        lambda: matmul(m, n, k, 64, 64, 64, splits, "bfloat16"),
        (a, b),
        torch.zeros(m, n),
        a.double() @ b.double(),
    )
    for count, block in ((65536, 128), (1048576, 512)):
        x = 3 * normal(LINES, count // LINES)
        yield Problem(
            f"softmax of one row of {count}, float32",
            lambda count=count, block=block: softmax(count, block, "float32"),
            (x,),
            torch.zeros_like(x),
            torch.softmax(x.double().flatten(), 0).view_as(x),
        )


def row(problem: Problem, arch: str) -> str:
    """A line of the table: cycles, and what moving every tensor once would take."""
    cycles, parts = [], 1
    for cut, split in CHOICES:
        target = {"kind": "tenstorrent", "arch": arch, "cut": cut, "split": split}
        kernel = tilelang.compile(problem.build(), target=target)
        output = problem.output.clone()
        cycles.append(tilelang_tt.profile(kernel, *problem.inputs, output).cycles)
        error = (output.double() - problem.expected).abs().max() / problem.expected.abs().max()
        if error > ERROR:
            raise SystemExit(f"{problem.name}: an error of {error:.1e}")
        parts = tilelang_tt.artifact(kernel).plan.partition.parts
    alone, chosen = cycles[0], cycles[-1]
    limit = problem.bytes / device.load(arch).dram_bytes_per_cycle
    cells = [
        f"{ARCHS[arch]} {problem.name}",
        *(f"{value:.0f}" for value in cycles),
        f"{alone / chosen:.2f}",
        f"{chosen / min(cycles):.2f}",
        f"{parts}" if parts > 1 else "",
        f"{limit:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


HEAD = """\
<!-- Written by `python -m benchmarks.split` -->
# Fewer blocks than cores

Predicted cycles with one core for each block as it is, with blocks cut, with loops shared, and as
the compiler chooses; what its choice gains; the choice to the best of all; at most how many cores
work on a block where the compiler shares loops; and how long DRAM takes to move every tensor once.

| program | as it is | cut | shared | chosen | gain | to the best | cores | DRAM |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.split",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--arch", choices=ARCHS, action="append", help="both where none is given")
    parser.add_argument("--match", default="", help="only programs whose name has this in it")
    args = parser.parse_args(argv)
    wanted = [problem for problem in problems() if args.match in problem.name]
    work = [(problem, arch) for arch in args.arch or ARCHS for problem in wanted]
    bar = tqdm(work, unit="program", disable=None)
    rows = [row(problem, arch) for problem, arch in bar]
    print(HEAD + "\n".join(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
