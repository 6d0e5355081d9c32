"""The good programs that are mutated: hand-written ones, and what the compiler makes of TileLang.

Small, on few cores, with at least two turns of each loop; tensors that the kernels write start
undefined, so that what is not written is seen.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tilelang

from testing import programs
from testing.mock import kernels as k
from testing.mock import test_mock_races as cores
from tilelang_tt import device, formats, mock
from tilelang_tt.api import artifact
from tilelang_tt.runtime import binding, mock_run


@dataclass(frozen=True)
class TensorSpec:
    name: str
    page_bytes: int
    pages: int
    address: int
    contents: mock.program.Contents


@dataclass(frozen=True)
class Subject:
    """A program with its arguments, and the tensors it runs on."""

    program: mock.Program
    tensors: tuple[TensorSpec, ...]

    @property
    def sources(self) -> Mapping[str, str]:
        return {kernel.name: kernel.source for kernel in self.program.kernels}

    def with_source(self, name: str, source: str) -> Subject:
        kernels = tuple(
            dataclasses.replace(kernel, source=source) if kernel.name == name else kernel
            for kernel in self.program.kernels
        )
        return Subject(dataclasses.replace(self.program, kernels=kernels), self.tensors)

    def run(self) -> None:
        """Values are zeros: faults are told by the protocol, not by what is computed."""
        self.program.build().run(
            [
                mock.Buffer(
                    t.name,
                    np.zeros(t.page_bytes * t.pages, np.uint8),
                    t.page_bytes,
                    t.address,
                    t.contents,
                )
                for t in self.tensors
            ]
        )


def hand_written_sum() -> Subject:
    """Reader, compute and writer of the sum of two tensors, a tile at a time."""
    return _pipeline(k.Pipeline(k.ADD), 6)


def hand_written_chain() -> Subject:
    """A matrix product and a vector operation on its result, with reconfigured formats."""
    body = (
        "reconfig_data_format(1, 0);\n"
        "    matmul_init(0, 1);\n"
        "    matmul_tiles(0, 1, 0, 0, 0);\n"
        "    exp_tile_init();\n"
        "    exp_tile(0);"
    )
    compute = k.compute_two(";", body)
    return _pipeline(k.Pipeline(compute, inputs=(k.F32, k.BF16), fp32_dest_acc=True), 6)


def hand_written_cores() -> Subject:
    """Two cores: pages go from one to the other, with a semaphore each way."""
    return _cores(cores.KERNEL, {(0, 0): (), (1, 0): ()}, cores.DRAIN, [(1, 0)], 3)


MULTICAST = """
#include "api/dataflow/dataflow_api.h"

using Word = volatile tt_l1_ptr uint32_t*;
constexpr uint32_t rounds = 3;
constexpr uint32_t receivers = 2;

void send(Word ready, Word arrived) {
  const uint64_t flags = get_noc_multicast_addr(1, 0, 2, 0, get_semaphore(1));
  for (uint32_t i = 0; i < rounds; ++i) {
    cb_reserve_back(0, 1);
    const uint32_t page = get_write_ptr(0);
    for (uint32_t j = 0; j < 16; ++j) {
      reinterpret_cast<Word>(page)[j] = 100 * i + j;
    }
    noc_semaphore_wait(ready, receivers);
    noc_semaphore_set(ready, 0);
    const uint64_t pages = get_noc_multicast_addr(1, 0, 2, 0, get_write_ptr(1));
    noc_async_write_multicast(page, pages, 64, receivers);
    noc_semaphore_set(arrived, i + 1);
    noc_semaphore_set_multicast(get_semaphore(1), flags, receivers);
    noc_async_writes_flushed();
    cb_push_back(0, 1);
    cb_wait_front(0, 1);
    cb_pop_front(0, 1);
  }
  noc_async_write_barrier();
}

void receive(Word arrived, uint64_t ready) {
  for (uint32_t i = 0; i < rounds; ++i) {
    cb_reserve_back(1, 1);
    noc_semaphore_inc(ready, 1);
    noc_semaphore_wait_min(arrived, i + 1);
    cb_push_back(1, 1);
  }
  noc_async_atomic_barrier();
}

void kernel_main() {
  Word ready = reinterpret_cast<Word>(get_semaphore(0));
  Word arrived = reinterpret_cast<Word>(get_semaphore(1));
  if (get_absolute_logical_x() == 0) {
    send(ready, arrived);
  } else {
    receive(arrived, get_noc_addr(0, 0, get_semaphore(0)));
  }
}
"""
DRAIN = cores.DRAIN.replace("page(i, out", "page(i * 2 + my_x[0] - 1, out")


def hand_written_multicast() -> Subject:
    """One core sends pages to two others, which say when they are ready."""
    return _cores(MULTICAST, {(x, 0): () for x in range(3)}, DRAIN, [(1, 0), (2, 0)], 6)


def compiled_sum() -> Subject:
    """The compiler's kernels for an element-wise sum, two blocks."""
    return _compiled(programs.add(rows=128))


def compiled_product() -> Subject:
    """The compiler's kernels for a matrix product, 16 blocks of two steps, accumulated in L1."""
    return _compiled(programs.gemm(size=256))


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "sum": hand_written_sum,
    "chain": hand_written_chain,
    "two cores": hand_written_cores,
    "multicast": hand_written_multicast,
    "compiled sum": compiled_sum,
    "compiled product": compiled_product,
}


@functools.cache
def subject(name: str) -> Subject:
    return SUBJECTS[name]()


def _with_args(program: mock.Program, common: Mapping[str, tuple[int, ...]]) -> mock.Program:
    kernels = tuple(
        dataclasses.replace(kernel, common_args=common.get(kernel.name, ()))
        for kernel in program.kernels
    )
    return dataclasses.replace(program, kernels=kernels)


def _specs(
    wormhole: device.Device, shapes: list[tuple[str, int, int, bool]]
) -> tuple[TensorSpec, ...]:
    addresses = mock.allocate(wormhole, [(size, pages) for _, size, pages, _ in shapes])
    return tuple(
        TensorSpec(name, size, pages, address, "result" if written else "input")
        for (name, size, pages, written), address in zip(shapes, addresses, strict=True)
    )


def _pipeline(pipeline: k.Pipeline, tiles: int) -> Subject:
    program = pipeline.program(tiles)
    all_formats = [*pipeline.inputs, pipeline.output]
    tensors = _specs(
        program.device,
        [(n, f.tile_bytes, tiles, n == "c") for n, f in zip("abc", all_formats, strict=True)],
    )
    *inputs, output = (t.address for t in tensors)
    return Subject(
        _with_args(program, {"reader.cpp": tuple(inputs), "writer.cpp": (output,)}), tensors
    )


def _cores(
    reader: str,
    readers: Mapping[tuple[int, int], tuple[int, ...]],
    writer: str,
    writers: list[tuple[int, int]],
    pages: int,
) -> Subject:
    wormhole = device.load("wormhole_b0")
    tensors = _specs(wormhole, [("out", 64, pages, True)])
    out = (tensors[0].address,)
    drains = {core: () for core in writers}
    return Subject(
        mock.Program(
            (
                mock.Kernel("reader", "reader.cpp", reader, readers),
                mock.Kernel("writer", "writer.cpp", writer, drains, (2, 64), (), out),
            ),
            tuple(mock.CircularBuffer(i, "ab"[i], k.U8, 64, 1) for i in (0, 1)),
            wormhole,
            semaphores=(0, 0),
        ),
        tensors,
    )


def _compiled(program: object) -> Subject:
    target = {"kind": "tenstorrent", "multicast": False}
    made = artifact(tilelang.compile(program, target=target, out_idx=[-1]))
    plan = made.plan
    shapes = {t.name: tuple(int(extent) for extent in t.shape) for t in plan.tensors}
    arrays = [np.zeros(shapes[t.name], binding.element_type(t.dtype)) for t in plan.tensors]
    plan = dataclasses.replace(plan, grid=(1, 1))  # one core does it all
    bound = binding.bind(plan, arrays)
    built = mock_run.program(made)
    sizes = {t.name: formats.BY_DTYPE[t.dtype].tile_bytes for t in plan.tensors}
    tensors = _specs(
        built.device,
        [
            (t.name, sizes[t.name], array.nbytes // sizes[t.name], t.is_written)
            for t, array in zip(plan.tensors, arrays, strict=True)
        ],
    )
    addresses = {t.name: t.address for t in tensors}
    common = {each.file: bound.common_args(each, addresses) for each in plan.kernels}
    kernels = tuple(
        dataclasses.replace(each, core_args=bound.core_args(described, lambda core: core))
        for each, described in zip(built.kernels, plan.kernels, strict=True)
    )
    return Subject(_with_args(dataclasses.replace(built, kernels=kernels), common), tensors)
