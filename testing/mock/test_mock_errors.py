"""Each broken rule is found at the call that breaks it: one change of a good kernel per row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import device, mock

SOURCES = {"reader": k.READ_TWO, "writer": k.WRITE, "compute": k.ADD}
SPLIT = "  for (uint32_t i = 0; i < tiles; ++i) {"


@dataclass(frozen=True)
class Mutant:
    """A change of one kernel of the element-wise sum; `options` are those of `Pipeline`."""

    name: str
    kernel: str
    old: str
    new: str
    kind: str
    cb: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def pipeline(self) -> k.Pipeline:
        source = SOURCES[self.kernel]
        assert source.count(self.old) >= 1, f"{self.name}: nothing to change"
        sources = {**SOURCES, self.kernel: source.replace(self.old, self.new, 1)}
        return k.Pipeline(
            sources["compute"],
            reader=sources["reader"],
            writer=sources["writer"],
            **self.options,
        )


MIXED = {"inputs": (k.F32, k.BF16), "fp32_dest_acc": True}

MUTANTS = (
    # Circular buffers.
    Mutant(
        "push without reserve",
        "reader",
        "    cb_reserve_back(0, 1);\n",
        "",
        "cb_push_without_reserve",
        0,
    ),
    Mutant(
        "push more than reserved",
        "reader",
        "cb_push_back(0, 1)",
        "cb_push_back(0, 2)",
        "cb_push_without_reserve",
        0,
    ),
    Mutant(
        "overwrite of unread pages",
        "reader",
        "    cb_reserve_back(0, 1);\n",
        "    if (i < first + 2) { cb_reserve_back(0, 1); }\n",
        "cb_overwrite",
        0,
        {"pages": 1},
    ),
    Mutant(
        "pop without wait", "writer", "    cb_wait_front(16, 1);\n", "", "cb_pop_without_wait", 16
    ),
    Mutant(
        "pop more than waited",
        "writer",
        "cb_pop_front(16, 1)",
        "cb_pop_front(16, 2)",
        "cb_pop_without_wait",
        16,
    ),
    Mutant(
        "compute pops without wait",
        "compute",
        "    cb_wait_front(0, 1);\n",
        "    cb_pop_front(0, 1);\n",
        "cb_pop_without_wait",
        0,
    ),
    Mutant(
        "operand not waited for",
        "compute",
        "cb_wait_front(1, 1)",
        "cb_wait_front(0, 1)",
        "cb_read_without_wait",
        1,
    ),
    Mutant(
        "tile beyond the wait",
        "compute",
        "add_tiles(0, 1, 0, 0, 0)",
        "add_tiles(0, 1, 1, 0, 0)",
        "cb_read_without_wait",
        0,
    ),
    Mutant(
        "wait beyond capacity",
        "compute",
        "cb_wait_front(0, 1)",
        "cb_wait_front(0, 3)",
        "cb_overrun",
        0,
    ),
    Mutant(
        "reserve beyond capacity",
        "reader",
        "cb_reserve_back(0, 1)",
        "cb_reserve_back(0, 9)",
        "cb_overrun",
        0,
    ),
    Mutant("pack without reserve", "compute", "cb_reserve_back(16, 1);\n", "\n", "cb_overrun", 16),
    Mutant(
        "pack beyond the reserve",
        "compute",
        "pack_tile(0, 16);",
        "pack_tile(0, 16); pack_tile(0, 16);",
        "cb_overrun",
        16,
    ),
    Mutant(
        "pack at a page beyond",
        "compute",
        "pack_tile(0, 16);",
        "pack_tile<true>(0, 16, 1);",
        "cb_overrun",
        16,
    ),
    Mutant(
        "pages that do not divide",
        "reader",
        "    cb_push_back(1, 1);\n",
        "    cb_push_back(1, 1);\n    cb_reserve_back(0, 1); cb_push_back(0, 1); "
        "cb_reserve_back(0, 2); cb_push_back(0, 2);\n",
        "cb_wrap",
        0,
        {"pages": 3},
    ),
    Mutant(
        "unknown circular buffer",
        "reader",
        "cb_reserve_back(0, 1)",
        "cb_reserve_back(5, 1)",
        "cb_unknown",
    ),
    Mutant(
        "two producers",
        "compute",
        "cb_wait_front(0, 1);",
        "cb_reserve_back(0, 1);",
        "cb_two_producers",
        0,
    ),
    Mutant(
        "two consumers",
        "writer",
        "cb_wait_front(16, 1);",
        "cb_wait_front(16, 1); cb_wait_front(0, 1);",
        "cb_two_consumers",
        0,
    ),
    Mutant(
        "pages never popped",
        "reader",
        "cb_push_back(1, 1);\n",
        "cb_push_back(1, 1);\n"
        "    if (i + 1 == first + tiles) { cb_reserve_back(1, 1); cb_push_back(1, 1); }\n",
        "cb_unpopped_at_end",
        1,
    ),
    Mutant(
        "pages never pushed",
        "reader",
        "noc_async_read_barrier();\n",
        "noc_async_read_barrier();\n    if (i + 1 == first + tiles) { cb_reserve_back(0, 2); }\n",
        "cb_unpushed_at_end",
        0,
    ),
    # Transfers.
    Mutant(
        "read without barrier",
        "reader",
        "    noc_async_read_barrier();\n",
        "",
        "noc_read_in_flight",
        0,
    ),
    Mutant(
        "write without barrier",
        "writer",
        "    noc_async_write_barrier();\n",
        "",
        "noc_write_in_flight",
        16,
    ),
    Mutant(
        "write only flushed",
        "writer",
        "noc_async_write_barrier",
        "noc_async_writes_flushed",
        "missing_barrier",
    ),
    Mutant(
        "page beyond the tensor",
        "reader",
        "noc_async_read_page(i, a",
        "noc_async_read_page(i + 4096, a",
        "noc_out_of_bounds",
    ),
    Mutant("destination not in L1", "reader", "get_write_ptr(0)", "64", "noc_out_of_bounds"),
    Mutant(
        "transfer beyond the page",
        "reader",
        "noc_async_read_page(i, a, get_write_ptr(0))",
        "noc_async_read(a.get_noc_addr(i), get_write_ptr(0), 4096)",
        "noc_out_of_bounds",
    ),
    Mutant(
        "transfer beyond the circular buffer",
        "reader",
        "noc_async_read_page(i, a, get_write_ptr(0))",
        "noc_async_read_page(i, a, get_write_ptr(0) + 4000)",
        "noc_out_of_bounds",
    ),
    Mutant(
        "misaligned read",
        "reader",
        "noc_async_read_page(i, a, get_write_ptr(0))",
        "noc_async_read(a.get_noc_addr(i, 16), get_write_ptr(0), 64)",
        "noc_misaligned",
    ),
    Mutant(
        "misaligned write",
        "writer",
        "noc_async_write_page(i, c, get_read_ptr(16))",
        "noc_async_write(get_read_ptr(16), c.get_noc_addr(i, 8), 64)",
        "noc_misaligned",
    ),
    Mutant(
        "argument out of range",
        "reader",
        "get_arg_val<uint32_t>(1)",
        "get_arg_val<uint32_t>(2)",
        "args_out_of_range",
    ),
    Mutant(
        "broken assertion",
        "reader",
        "  const auto a =",
        "  ASSERT(get_arg_val<uint32_t>(1) == 12345, DebugAssertTripped);\n  const auto a =",
        "assertion_failed",
    ),
    Mutant(
        "common argument out of range",
        "reader",
        "get_common_arg_val<uint32_t>(1)",
        "get_common_arg_val<uint32_t>(7)",
        "args_out_of_range",
    ),
    Mutant(
        "unknown semaphore",
        "reader",
        "  const auto a =",
        "  get_semaphore(3);\n  const auto a =",
        "semaphore_unknown",
    ),
    # Destination register.
    Mutant(
        "destination tile out of range", "compute", "0, 0, 0);", "0, 0, 8);", "dst_out_of_range"
    ),
    Mutant(
        "destination tile out of range in 32-bit mode",
        "compute",
        "add_tiles(0, 1, 0, 0, 0);",
        "add_tiles(0, 1, 0, 0, 4);",
        "dst_out_of_range",
        None,
        {"fp32_dest_acc": True},
    ),
    Mutant(
        "packed tile out of range",
        "compute",
        "pack_tile(0, 16)",
        "pack_tile(8, 16)",
        "dst_out_of_range",
    ),
    Mutant("no acquire", "compute", "tile_regs_acquire();", ";", "dst_protocol"),
    Mutant(
        "acquire twice",
        "compute",
        "tile_regs_acquire();",
        "tile_regs_acquire(); tile_regs_acquire();",
        "dst_protocol",
    ),
    Mutant("no commit", "compute", "tile_regs_commit();", ";", "dst_protocol"),
    Mutant("no wait", "compute", "tile_regs_wait();", ";", "dst_protocol"),
    Mutant("no release", "compute", "tile_regs_release();", ";", "dst_protocol"),
    Mutant(
        "packed tile never written",
        "compute",
        "pack_tile(0, 16)",
        "pack_tile(1, 16)",
        "dst_uninitialised",
    ),
    Mutant(
        "SFPU operand never written",
        "compute",
        "add_tiles(0, 1, 0, 0, 0);",
        "exp_tile_init(); exp_tile(0);",
        "dst_uninitialised",
    ),
    Mutant(
        "integers into floats",
        "compute",
        "add_tiles(0, 1, 0, 0, 0);",
        "fill_tile_init(); fill_tile_int<DataFormat::Int32>(0, 1);",
        "dst_kind",
        16,
        {"fp32_dest_acc": True},
    ),
    # Inits and formats.
    Mutant("no startup", "compute", "compute_kernel_hw_startup(0, 1, 16);", ";", "missing_init"),
    Mutant(
        "startup twice",
        "compute",
        "add_init(0, 1);",
        "compute_kernel_hw_startup(0, 1, 16); add_init(0, 1);",
        "startup_repeated",
    ),
    Mutant("no init", "compute", "add_init(0, 1);", ";", "missing_init"),
    Mutant(
        "init of another operation", "compute", "add_init(0, 1);", "mul_init(0, 1);", "missing_init"
    ),
    Mutant(
        "init of a broadcast",
        "compute",
        "add_init(0, 1);",
        "add_bcast_rows_init(0, 1);",
        "missing_init",
    ),
    Mutant(
        "init replaced",
        "compute",
        "add_init(0, 1);",
        "add_init(0, 1); copy_init(0);",
        "missing_init",
    ),
    Mutant(
        "matmul init replaced",
        "compute",
        "add_tiles(0, 1, 0, 0, 0);",
        "matmul_tiles(0, 1, 0, 0, 0);",
        "missing_init",
    ),
    Mutant(
        "matmul block of another shape",
        "compute",
        "add_tiles(0, 1, 0, 0, 0);",
        "matmul_block_init(0, 1, 0, 2, 1, 1); matmul_block(0, 1, 0, 0, 0, 0, 1, 1, 1);",
        "missing_init",
    ),
    Mutant("SFPU without init", "compute", "0, 0, 0);", "0, 0, 0); exp_tile(0);", "missing_init"),
    Mutant(
        "SFPU with the init of another",
        "compute",
        "0, 0, 0);",
        "0, 0, 0); exp_tile_init(); sqrt_tile(0);",
        "missing_init",
    ),
    Mutant(
        "source A of another format",
        "compute",
        "(0, 1, 16)",
        "(1, 1, 16)",
        "format_not_configured",
        0,
        MIXED,
    ),
    Mutant(
        "source B of another format",
        "compute",
        "(0, 1, 16)",
        "(0, 0, 16)",
        "format_not_configured",
        1,
        MIXED,
    ),
    Mutant(
        "matmul without reversed sources",
        "compute",
        "add_tiles(0, 1, 0, 0, 0);",
        "matmul_init(0, 1); matmul_tiles(0, 1, 0, 0, 0);",
        "format_not_configured",
        0,
        MIXED,
    ),
    Mutant(
        "packer of another format",
        "compute",
        "(0, 1, 16)",
        "(0, 1, 0)",
        "format_not_configured",
        16,
        {"output": k.F32},
    ),
    Mutant(
        "reconfiguration that trusts a wrong old operand",
        "compute",
        "(0, 1, 16);",
        "(1, 1, 16); reconfig_data_format_srca(0, 0);",
        "format_not_configured",
        0,
        MIXED,
    ),
    Mutant(
        "FPU operand that bypasses the sources",
        "compute",
        SPLIT,
        SPLIT,
        "unpack_to_dest_operand",
        0,
        {"unpack_to_dest": True, "inputs": (k.F32, k.F32), "fp32_dest_acc": True},
    ),
    Mutant(
        "32-bit values in a 16-bit register",
        "compute",
        "add_tiles(0, 1, 0, 0, 0);",
        "copy_init(0); copy_tile(0, 0, 0);",
        "dst_width",
        0,
        {"inputs": (k.I32, k.I32), "output": k.I32},
    ),
)


def run(pipeline: k.Pipeline) -> None:
    a = np.ones((64, 128), np.float32)
    pipeline.run(*(a for _ in pipeline.inputs))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_broken_rule(mutant: Mutant) -> None:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run(mutant.pipeline())
    found = [f for f in caught.value.findings if f.kind == mutant.kind]
    assert found, str(caught.value)
    finding = found[0]
    assert finding.place is not None
    assert finding.place.file == f"{mutant.kernel}.cpp" or mutant.kind in ("cb_unpopped_at_end",)
    assert finding.category == "UndefinedBehavior"
    if mutant.cb is not None:
        assert finding.cb is not None, str(finding)
        assert finding.cb.index == mutant.cb, str(finding)


def test_every_kind_of_the_engine_has_a_row() -> None:
    """A kind that no row triggers is a check nobody has seen work."""
    engine = "".join(path.read_text() for path in (k.MOCK / "src").glob("*.cpp"))
    kinds = set(re.findall(r'(?:fail|note)\(\s*"(\w+)"', engine))
    others = [
        Path(__file__).with_name(f"test_mock_{name}.py") for name in ("memory", "races", "dataflow")
    ]
    memory = "".join(path.read_text() for path in others)
    elsewhere = {
        "cb_page_size",
        "noc_multicast_corners",
        "noc_multicast_count",
        *(kind for kind in kinds if f'"{kind}"' in memory),
    }
    named = {
        "deadlock",
        "cb_unpopped_at_end",
        *re.findall(r'"(cb_two_\w+|noc_\w+_in_flight)"', engine),
    }
    assert kinds | named == {m.kind for m in MUTANTS} | elsewhere | {"deadlock"}


def test_an_error_says_where_and_why() -> None:
    mutant = next(m for m in MUTANTS if m.name == "read without barrier")
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run(mutant.pipeline())
    error = caught.value
    assert error.place is not None
    assert error.cb is not None
    assert error.place.core == (0, 0)
    assert error.place.engine == "reader"
    assert error.place.call == "cb_push_back"
    line = mutant.pipeline().reader.splitlines()[error.place.line - 1]
    assert "cb_push_back(0, 1)" in line
    assert error.tilelang_line == "add.py:7: T.copy(A[by * 32, bx * 32], A_shared)"
    assert (error.cb.name, error.cb.pages, error.cb.reserved) == ("a", 2, 1)
    text = str(error)
    for part in ("noc_read_in_flight", "reader.cpp:", "add.py:7", "noc_async_read_barrier", "(a)"):
        assert part in text


def test_compute_needs_pages_of_one_tile() -> None:
    reader = """
#include "api/dataflow/dataflow_api.h"
void kernel_main() { cb_reserve_back(0, 1); cb_push_back(0, 1); }
"""
    compute = """
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/tile_move_copy.h"
#include "api/compute/reg_api.h"
#include "api/compute/cb_api.h"
void kernel_main() {
  compute_kernel_hw_startup(0, 0);
  copy_init(0);
  cb_wait_front(0, 1);
  tile_regs_acquire();
  copy_tile(0, 0, 0);
}
"""
    program = mock.Program(
        (
            mock.Kernel("reader", "reader.cpp", reader, {(0, 0): ()}),
            mock.Kernel("compute", "compute.cpp", compute, {(0, 0): ()}),
        ),
        (mock.CircularBuffer(0, "rows", k.BF16, 64, 1),),
        device.load("wormhole_b0"),
    )
    with pytest.raises(mock.UndefinedBehavior, match="cb_page_size"):
        program.build().run([])


def test_a_call_of_the_other_engine_does_not_compile() -> None:
    compute = k.ADD.replace("tile_regs_acquire();", "noc_async_read_barrier();")
    with pytest.raises(mock.KernelCompileError, match="noc_async_read_barrier") as caught:
        run(k.Pipeline(compute))
    assert caught.value.kernel == "compute.cpp"
    assert "compute.cpp:" in caught.value.output


def test_the_header_of_the_other_engine_does_not_compile() -> None:
    compute = '#include "api/dataflow/dataflow_api.h"\n' + k.ADD
    with pytest.raises(mock.KernelCompileError, match="this is a compute kernel"):
        run(k.Pipeline(compute))


def test_a_compile_time_argument_out_of_range_does_not_compile() -> None:
    reader = k.READ_TWO.replace("TensorAccessorArgs<0>", "TensorAccessorArgs<9>")
    with pytest.raises(mock.KernelCompileError, match="out of range"):
        run(k.Pipeline(k.ADD, reader=reader))


def _program(**options: object) -> mock.Program:
    wormhole = device.load("wormhole_b0")
    kernel = mock.Kernel("reader", "reader.cpp", "void kernel_main() {}", {(0, 0): ()})
    cb = mock.CircularBuffer(0, "a", k.BF16, 2048, 2)
    given: dict[str, Any] = {"kernels": (kernel,), "circular_buffers": (cb,), "device": wormhole}
    return mock.Program(**{**given, **options})


KERNEL = _program().kernels[0]
BUFFER = _program().circular_buffers[0]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("l1_overflow", {"circular_buffers": (mock.CircularBuffer(0, "a", k.BF16, 2048, 700),)}),
        ("cb_index", {"circular_buffers": (mock.CircularBuffer(32, "a", k.BF16, 2048, 1),)}),
        ("cb_index", {"circular_buffers": (BUFFER, BUFFER)}),
        ("cb_page_size", {"circular_buffers": (mock.CircularBuffer(0, "a", k.BF16, 20, 1),)}),
        ("name", {"kernels": (KERNEL, KERNEL)}),
        ("core", {"kernels": (mock.Kernel("reader", "r", "", {(8, 0): ()}),)}),
        (
            "core",
            {"kernels": (KERNEL, mock.Kernel("reader", "second.cpp", "", {(0, 0): ()}))},
        ),
        ("args", {"kernels": (mock.Kernel("reader", "r", "", {(0, 0): (0,) * 342}),)}),
        ("semaphores", {"semaphores": (0,) * 17}),
    ],
)
def test_a_program_that_does_not_fit_is_rejected(kind: str, options: dict[str, object]) -> None:
    with pytest.raises(mock.ProgramError) as caught:
        _program(**options)
    assert caught.value.kind == kind


def test_a_tensor_must_be_whole_pages_of_bytes() -> None:
    with pytest.raises(mock.ProgramError, match="pages have"):
        mock.Buffer("a", np.zeros(100, np.uint8), 64, 0)
    with pytest.raises(mock.ProgramError, match="flat"):
        mock.Buffer("a", np.zeros(64, np.uint16), 64, 0)
    frozen = np.zeros(64, np.uint8)
    frozen.flags.writeable = False
    with pytest.raises(mock.ProgramError, match="writable"):
        mock.Buffer("a", frozen, 64, 0)
