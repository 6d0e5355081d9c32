"""Transfers between cores and multicasts: tt-metal's noc_latencies.yaml."""

from __future__ import annotations

from benchmarks.calibration.harness import Job, Row, Rows, chip

_SOURCE = "tt-metal noc_latencies.yaml"

# Arguments: transfers, bytes of each, the other core.
_HEAD = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t count = get_arg_val<uint32_t>(0);
  const uint32_t bytes = get_arg_val<uint32_t>(1);
  const uint32_t page = get_write_ptr(0);
  if (get_absolute_logical_x() != 0 || get_absolute_logical_y() != 0) {
    return;
  }
"""
_READ = (
    _HEAD
    + """
  const uint64_t other = get_noc_addr(get_arg_val<uint32_t>(2), get_arg_val<uint32_t>(3), page);
  for (uint32_t i = 0; i < count; ++i) {
    noc_async_read(other, page, bytes);
  }
  noc_async_read_barrier();
}
"""
)
_WRITE = (
    _HEAD
    + """
  const uint64_t other = get_noc_addr(get_arg_val<uint32_t>(2), get_arg_val<uint32_t>(3), page);
  for (uint32_t i = 0; i < count; ++i) {
    noc_async_write(page, other, bytes);
  }
  noc_async_write_barrier();
}
"""
)
# The rectangle ends at the core given; it holds the sender in the loopback form only.
_MULTICAST = (
    _HEAD
    + """
  const uint32_t x = get_arg_val<uint32_t>(2);
  const uint32_t y = get_arg_val<uint32_t>(3);
  const bool loopback = get_arg_val<uint32_t>(4) != 0;
  const bool linked = get_arg_val<uint32_t>(5) != 0;
  const uint64_t all = get_noc_multicast_addr(0, 0, x, y, page);
  const uint32_t cores = (x + 1) * (y + 1);
  for (uint32_t i = 0; i < count; ++i) {
    if (loopback) {
      noc_async_write_multicast_loopback_src(page, all, bytes, cores, linked && i + 1 < count);
    } else {
      noc_async_write_multicast(page, all, bytes, cores - 1, linked && i + 1 < count);
    }
  }
  noc_async_write_barrier();
}
"""
)
_BARRIER = 5  # cycles of the call, which the difference below loses

# arch, kind, far corner or same column, transfers, bytes, cycles, whether it set a constant
_UNICAST = (
    ("WH", "read", True, 1, 64, 293, True),
    ("WH", "read", False, 1, 64, 205, False),
    ("WH", "read", True, 1, 2048, 366, False),
    ("WH", "read", True, 1, 8192, 589, False),
    ("WH", "read", False, 1, 65536, 2501, False),
    ("WH", "read", True, 256, 64, 6674, True),
    ("WH", "read", True, 256, 2048, 18811, True),
    ("WH", "write", True, 1, 64, 296, True),
    ("WH", "write", False, 1, 64, 206, False),
    ("WH", "write", True, 1, 8192, 624, False),
    ("WH", "write", True, 256, 64, 5906, True),
    ("WH", "write", True, 256, 2048, 17353, True),
    ("BH", "read", True, 1, 64, 373, True),
    ("BH", "read", False, 1, 64, 227, False),
    ("BH", "read", True, 1, 2048, 404, False),
    ("BH", "read", True, 1, 16384, 646, False),
    ("BH", "read", False, 1, 65536, 1322, False),
    ("BH", "read", True, 256, 64, 9281, True),
    ("BH", "read", True, 256, 4096, 17608, True),
    ("BH", "write", True, 1, 64, 360, True),
    ("BH", "write", False, 1, 64, 207, False),
    ("BH", "write", True, 1, 16384, 648, False),
    ("BH", "write", True, 256, 64, 6226, True),
    ("BH", "write", True, 256, 4096, 17299, True),
)
# arch, last core of the rectangle, bytes, loopback, linked, cycles of one of 64
_MULTICASTS = (
    ("WH", (0, 7), 2048, False, True, 78.5, True),
    ("WH", (0, 7), 8192, False, True, 277, False),
    ("WH", (1, 1), 2048, False, False, 236, True),
    ("WH", (4, 4), 2048, False, False, 317, True),
    ("WH", (2, 2), 2048, False, False, 255, False),
    ("WH", (4, 4), 8192, False, False, 520, False),
    ("WH", (0, 7), 2048, False, False, 365, True),
    ("WH", (0, 7), 8192, False, False, 566, False),
    ("WH", (1, 1), 2048, True, False, 112, True),
    ("WH", (7, 7), 2048, True, False, 350, True),
    ("WH", (0, 7), 2048, True, False, 220, True),
    ("WH", (7, 7), 8192, True, False, 555, False),
    ("BH", (0, 9), 2048, False, True, 47, True),
    ("BH", (0, 9), 16384, False, True, 284, False),
    ("BH", (1, 1), 2048, False, False, 314, True),
    ("BH", (4, 4), 2048, False, False, 364, True),
    ("BH", (2, 2), 2048, False, False, 332, False),
    ("BH", (7, 7), 2048, False, False, 412, False),
    ("BH", (7, 7), 16384, False, False, 650, False),
    ("BH", (0, 9), 2048, False, False, 443, True),
    ("BH", (0, 9), 16384, False, False, 679, False),
    ("BH", (1, 1), 2048, True, False, 78, True),
    ("BH", (7, 7), 2048, True, False, 321, True),
    ("BH", (0, 9), 2048, True, False, 185, False),
    ("BH", (7, 7), 16384, True, False, 584, False),
)


def rows() -> Rows:
    for arch, kind, far, count, size, cycles, fitted in _UNICAST:
        device = chip(arch)
        other = (device.grid[0] - 1, device.grid[1] - 1) if far else (0, device.grid[1] - 1)
        job = Job(device, {0: 64}, ((0, 0), other), reader=_READ if kind == "read" else _WRITE)
        model = _difference(job, count, (size, *other))
        where = "far corner" if far else "same column"
        name = f"{arch} L1 {kind} {count} x {size} B, {where}"
        yield Row(name, model, cycles, "cycles", _SOURCE, fitted)
    for arch, last, size, loopback, linked, cycles, fitted in _MULTICASTS:
        cores = [(x, y) for x in range(last[0] + 1) for y in range(last[1] + 1)]
        job = Job(chip(arch), {0: 8}, cores, reader=_MULTICAST)
        model = _difference(job, 64, (size, *last, int(loopback), int(linked))) / 64
        how = f"{'linked' if linked else 'unlinked'}{', loopback' if loopback else ''}"
        name = f"{arch} multicast {size} B to {last[0] + 1}x{last[1] + 1}, {how}"
        yield Row(name, model, cycles, "cycles", _SOURCE, fitted)


def _difference(job: Job, count: int, rest: tuple[int, ...]) -> float:
    some, none = (job.run({"reader": (n, *rest)}).cycles for n in (count, 0))
    return some - none + _BARRIER
