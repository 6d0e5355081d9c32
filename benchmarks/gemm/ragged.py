"""`python -m benchmarks.gemm.ragged`: products that no block divides, beside the padded ones.

A plain TileLang GEMM in blocks of 128x128x64, whatever the problem. A ragged one should take no
more cycles than the same with M, N and K rounded up to whole blocks; where the compiler finds
blocks that suit it better, it takes less.
"""

from __future__ import annotations

import argparse

import tilelang
import torch
from tqdm import tqdm

import tilelang_tt
from benchmarks.gemm.generated import PLAIN, gemm
from tilelang_tt.device import ARCHS

_SIZES = (
    (992, 928, 1184),  # 31 x 29 x 37 tiles
    (1184, 1312, 928),  # 37 x 41 x 29 tiles
    (1952, 224, 1696),  # 61 x 7 x 53 tiles
    (997, 1009, 1013),
    (1000, 900, 1100),
    (1999, 1999, 1999),
    (130, 2050, 515),
)


def padded(size: tuple[int, int, int]) -> tuple[int, int, int]:
    """The next size of whole blocks."""
    m, n, k = (
        -(-extent // block) * block
        for extent, block in zip(size, (PLAIN.m, PLAIN.n, PLAIN.k), strict=True)
    )
    return m, n, k


def cycles(size: tuple[int, int, int], arch: str) -> float:
    """Predicted cycles of a plain GEMM of `size` (M, N, K) on the whole chip."""
    m, n, k = size
    target = {"kind": "tenstorrent", "arch": arch, "execution": "mock"}
    kernel = tilelang.compile(gemm(m, n, k, PLAIN), out_idx=[], target=target)
    shapes = ((m, k), (k, n), (m, n))
    tensors = [torch.zeros(shape, dtype=torch.bfloat16) for shape in shapes]
    return tilelang_tt.profile(kernel, *tensors).cycles


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m benchmarks.gemm.ragged",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    print("<!-- Written by `python -m benchmarks.gemm.ragged` -->")
    print("# Products that no block divides, bfloat16, HiFi4\n")
    print("| arch | M x N x K | cycles | in whole blocks | cycles | ragged to whole |")
    print("| --- | --- | ---: | --- | ---: | ---: |")
    rows = [(arch, size) for arch in ARCHS for size in _SIZES]
    for arch, size in tqdm(rows, desc="rows", unit="row", disable=None):
        whole = padded(size)
        ours, theirs = cycles(size, arch), cycles(whole, arch)
        names = ["x".join(map(str, each)) for each in (size, whole)]
        row = (arch, names[0], f"{ours:.0f}", names[1], f"{theirs:.0f}", f"{ours / theirs:.2f}")
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
