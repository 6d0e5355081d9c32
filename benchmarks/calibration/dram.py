"""Reads of DRAM banks: latencies, one core's stream, the whole chip's stream."""

from __future__ import annotations

from benchmarks.calibration.harness import TILE, Job, Row, Rows, chip
from tilelang_tt.device import Device
from tilelang_tt.mock import timing
from tilelang_tt.mock.program import Core

# Arguments: reads, pages of a barrier, stride between pages, pages of the tensor, first page.
_READ = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t count = get_arg_val<uint32_t>(0);
  const uint32_t depth = get_arg_val<uint32_t>(1);
  const uint32_t stride = get_arg_val<uint32_t>(2);
  const uint32_t pages = get_arg_val<uint32_t>(3);
  constexpr auto args = TensorAccessorArgs<0>();
  const auto tensor = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  const uint32_t page = get_write_ptr(0);
  uint32_t at = get_arg_val<uint32_t>(4);
  for (uint32_t i = 0; i < count; i += depth) {
    for (uint32_t j = 0; j < depth; ++j) {
      noc_async_read_page(at % pages, tensor, page);
      at += stride;
    }
    noc_async_read_barrier();
  }
}
"""
_WRITE = _READ.replace(
    "noc_async_read_page(at % pages, tensor, page)",
    "noc_async_write_page(at % pages, tensor, page)",
).replace("noc_async_read_barrier", "noc_async_write_barrier")
_LATENCIES = "tt-metal noc_latencies.yaml"
_BARRIER = 5
_PAGES = 4800  # a multiple of the banks of both chips

# arch, kind, reads, bytes, one bank, cycles, fitted
_ONE_CORE = (
    ("WH", "read", 1, 64, True, 381, True),
    ("WH", "read", 1, 2048, True, 470, False),
    ("WH", "read", 1, 4096, True, 549, False),
    ("WH", "write", 1, 64, True, 426, True),
    ("WH", "write", 1, 2048, True, 511, False),
    ("WH", "read", 256, 2048, True, 23818, True),
    ("WH", "read", 256, 2048, False, 17269, False),
    ("BH", "read", 1, 64, True, 486, True),
    ("BH", "read", 1, 2048, True, 582, True),
    ("BH", "read", 1, 16384, True, 1180, True),
    ("BH", "write", 1, 64, True, 399, True),
    ("BH", "write", 1, 2048, True, 435, False),
    ("BH", "read", 256, 2048, False, 9086, False),
    ("BH", "read", 64, 16384, False, 17415, False),
    ("BH", "read", 64, 16384, True, 45181, False),
)
# arch, cores beside each bank, bytes of a page, GB/s, fitted, source
_BANKS = (
    ("WH", 1, TILE, 267, True, "tt-metal Saturating_DRAM_bandwidth"),
    ("WH", 1, 576, 0.92 * 267, False, "tt-metal #55898: 92 % of the streaming rate"),
    ("BH", 4, TILE, 0.98 * 512, True, "tt-metal #55898: 98 %"),
    ("BH", 4, 1088, 0.91 * 512, True, "tt-metal #55898: 91 %"),
    ("BH", 4, 576, 0.62 * 512, True, "tt-metal #55898: 62 %"),
    ("BH", 1, 16384, 500, False, "tt-metal bh_dram_read_microbenchmark.md"),
)


def rows() -> Rows:
    for arch, kind, count, size, one_bank, cycles, fitted in _ONE_CORE:
        device = chip(arch)
        stride = device.dram_banks if one_bank else 1
        job = Job(device, {0: 1}, reader=_READ if kind == "read" else _WRITE, page_bytes=size)
        model = (
            _cycles(job, (count, count, stride))
            - _cycles(job, (0, 1, stride))
            + (_BARRIER if count == 1 else 0)
        )
        banks = "one bank" if one_bank else "all banks"
        name = f"{arch} DRAM {kind} {count} x {size} B, one core, {banks}"
        yield Row(name, model, cycles, "cycles", _LATENCIES, fitted)
    for arch, readers, size, rate, fitted, source in _BANKS:
        device = chip(arch)
        cores = _beside_banks(device, readers)
        job = Job(device, {0: 1}, list(cores), reader=_READ, page_bytes=size)
        first = {core: (bank,) for core, bank in cores.items()}
        beside = "a core" if readers == 1 else f"{readers} cores"
        name = f"{arch} DRAM read, {beside} beside each bank, {size} B pages"
        yield Row(name, _rate(job, device.dram_banks, first), rate, "GB/s", source, fitted)
    device = chip("WH")
    everyone = {(x, y): ((x + 8 * y) * 37,) for x in range(8) for y in range(8)}
    job = Job(device, {0: 1}, list(everyone), reader=_READ)
    name = "WH DRAM read, all cores, interleaved pages"
    source = "tt-metal tech_reports/FlashAttention/FlashDecode.md"
    yield Row(name, _rate(job, 1, everyone), 250, "GB/s", source)


def _rate(job: Job, stride: int, first: dict[Core, tuple[int, ...]]) -> float:
    """Between two lengths, so that the first latency does not count."""
    runs = [_cycles(job, (n, n, stride), first) for n in (64, 192)]
    return 128 * job.page_bytes * len(job.cores) / (runs[1] - runs[0]) * job.chip.clock_ghz


def _beside_banks(device: Device, readers: int) -> dict[Core, int]:
    """For each bank cores of its own, the first free ones downstream of it."""
    values = timing.load(device.name).values
    columns = [values[f"noc.columns.{i}"] for i in range(device.grid[0])]
    lines = [values[f"noc.rows.{i}"] for i in range(device.grid[1])]
    taken: dict[Core, int] = {}
    for bank in range(device.dram_banks):
        x, y = (values[f"noc.dram_ports_0_{axis}.{bank}"] for axis in "xy")
        row = next((i for i, line in enumerate(lines) if line >= y), 0)
        column = next(i for i, place in enumerate(columns) if place > x)
        for _ in range(readers):
            while (column, row) in taken:
                column += 1
            taken[column, row] = bank
    return taken


def _cycles(
    job: Job,
    words: tuple[int, ...],
    first: dict[Core, tuple[int, ...]] | None = None,
) -> float:
    accessor = {"reader": (2, job.page_bytes)}
    starts = first or {core: (0,) for core in job.cores}
    return job.run({"reader": (*words, _PAGES)}, [_PAGES], accessor, starts).cycles
