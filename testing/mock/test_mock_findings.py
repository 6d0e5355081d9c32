"""What a run reports: all findings, once each, raised or listed; the drawing of a deadlock."""

from __future__ import annotations

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import mock

TWO = np.ones((64, 128), np.float32)

# Two barriers are missing, in two kernels, and neither keeps the values from arriving.
FORGETFUL = k.Pipeline(
    k.ADD,
    reader=k.READ_TWO.replace("    noc_async_read_barrier();\n", ""),
    writer=k.WRITE.replace("noc_async_write_barrier", "noc_async_writes_flushed"),
)


def test_all_findings_of_a_run_are_reported() -> None:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        FORGETFUL.run(TWO, TWO)
    error = caught.value
    assert error.findings[0].kind == error.kind == "noc_read_in_flight"
    found = {
        (f.kind, f.place.engine, f.cb.index if f.cb else None): f
        for f in error.findings
        if f.place is not None
    }
    assert set(found) == {
        ("noc_read_in_flight", "reader", 0),
        ("noc_read_in_flight", "reader", 1),
        ("missing_barrier", "reader", None),
        ("missing_barrier", "writer", None),
    }
    assert found["noc_read_in_flight", "reader", 0].times == 8
    assert "(8 times)" in str(error)
    assert str(error).count("noc_read_in_flight:") == 2


def test_a_finding_of_many_cores_is_one() -> None:
    pipeline = k.Pipeline(k.ADD, reader=FORGETFUL.reader, cores=((0, 0), (1, 0)))
    with pytest.raises(mock.UndefinedBehavior) as caught:
        pipeline.run(TWO, TWO)
    assert [f.times for f in caught.value.findings if f.kind == "missing_barrier"] == [2]


def test_what_an_abandoned_thread_leaves_undone_is_no_finding() -> None:
    compute = k.ADD.replace("cb_wait_front(1, 1);", ";")
    with pytest.raises(mock.UndefinedBehavior) as caught:
        k.Pipeline(compute).run(TWO, TWO)
    assert [f.kind for f in caught.value.findings] == ["cb_read_without_wait"]
    assert caught.value.findings[0].fatal


def run_add(pipeline: k.Pipeline, **options: object) -> mock.Report:
    program = pipeline.program(8)
    size = k.BF16.tile_bytes
    addresses = mock.allocate(program.device, [(size, 8)] * 3)
    buffers = [
        mock.Buffer(name, k.encode(TWO, k.BF16), size, address)
        for name, address in zip("abc", addresses, strict=True)
    ]
    args = {"reader.cpp": addresses[:2], "writer.cpp": addresses[2:]}
    return program.build().run(buffers, args, **options)  # pyright: ignore[reportArgumentType]


def test_report_mode_lists_what_strict_mode_raises() -> None:
    report = run_add(FORGETFUL, mode="report")
    assert {f.kind for f in report.findings} == {"noc_read_in_flight", "missing_barrier"}
    assert report.kernels["writer.cpp"].bytes_written == 8 * 2048
    assert run_add(k.Pipeline(k.ADD)).findings == ()


def test_an_allowed_kind_does_not_raise() -> None:
    both = ("noc_read_in_flight", "missing_barrier")
    assert len(run_add(FORGETFUL, allow=both).findings) == 4
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run_add(FORGETFUL, allow=both[:1])
    assert {f.kind for f in caught.value.findings} == {"missing_barrier"}


def test_what_ends_a_thread_cannot_be_allowed() -> None:
    compute = k.ADD.replace("tile_regs_acquire();", ";")
    with pytest.raises(mock.UndefinedBehavior, match="dst_protocol"):
        run_add(k.Pipeline(compute), allow=("dst_protocol",))


def test_a_deadlock_is_drawn() -> None:
    reader = k.READ_TWO.replace("    cb_push_back(1, 1);\n", "")
    with pytest.raises(mock.DeadlockError) as caught:
        k.Pipeline(k.ADD, reader=reader).run(TWO, TWO)
    drawing = caught.value.drawing((0, 0))
    assert drawing == [
        "core (0, 0), who waits for whom:",
        "  reader  --[circular buffer 0 (a): 1 free pages wanted, 0 available]--> compute",
        "  writer  --[circular buffer 16 (c): 1 filled pages wanted, 0 available]--> no kernel",
        "  compute --[circular buffer 1 (b): 1 filled pages wanted, 0 available]--> reader",
        "  a cycle: reader -> compute -> reader",
    ]
    assert all(line in str(caught.value) for line in drawing)


def test_a_partner_that_has_finished_is_named() -> None:
    reader = k.READ_TWO.replace("first + tiles;", "first + tiles - 1;")
    with pytest.raises(mock.DeadlockError) as caught:
        k.Pipeline(k.ADD, reader=reader).run(TWO, TWO)
    assert "1 filled pages wanted, 0 available]--> reader (finished)" in str(caught.value)


def kinds(report: mock.Report) -> list[str]:
    return [warning.kind for warning in report.warnings]


def test_a_program_without_waste_has_no_warnings() -> None:
    reader = k.READ_TWO
    assert kinds(k.Pipeline(k.ADD, reader=reader).launch(TWO[:, :96], TWO[:, :96])[0]) == []


def test_waste_is_warned_about() -> None:
    """A buffer nobody uses, a barrier for nothing, a barrier for each page of eight."""
    writer = k.WRITE.replace("    cb_pop", "    noc_async_write_barrier();\n    cb_pop")
    spare = mock.CircularBuffer(3, "spare", k.BF16, 2048, 1)
    report, _ = k.Pipeline(k.ADD, writer=writer, extra=(spare,)).launch(TWO, TWO)
    assert kinds(report) == ["unused_circular_buffer", "lone_transfers", "idle_barrier"]
    unused, lone, idle = map(str, report.warnings)
    assert "spare" in unused
    assert "noc_async_write_barrier at writer.cpp:13 waits for one transfer each of 8 times" in lone
    assert "noc_async_write_barrier at writer.cpp:14 has nothing to wait for, all 8 times" in idle


def test_arguments_that_no_core_reads_are_warned_about() -> None:
    """Of two cores, one reads the second argument; a pointer to one leads to those behind it."""
    cores = ((0, 0), (1, 0))
    first, rest = "get_arg_val<uint32_t>(0)", "get_arg_addr(1)"
    compute = k.ADD.replace("void kernel_main() {", "void kernel_main() {\n  // read\n", 1)

    def unread(read: str) -> list[str]:
        source = compute.replace("// read", read)
        report, _ = k.Pipeline(source, cores=cores, compute_args=(7, 8)).launch(TWO, TWO)
        assert report.kernels["writer.cpp"].unread_args == ()
        return [str(each) for each in report.warnings if each.kind == "unread_argument"]

    (warning,) = unread(f"{first};")
    assert "compute.cpp is given run-time arguments that no core reads: 1, 2" in warning
    assert unread(f"if ({first} == 0) get_arg_val<uint32_t>(1);") == [warning]
    assert unread(f"if (get_relative_logical_x() == 1) {rest};") == []


def test_common_arguments_that_no_core_reads_are_warned_about() -> None:
    reader = k.READ_TWO.replace(
        "get_common_arg_val<uint32_t>(1)", "get_common_arg_val<uint32_t>(0)"
    )
    assert reader != k.READ_TWO
    report, _ = k.Pipeline(k.ADD, reader=reader).launch(TWO[:, :96], TWO[:, :96])
    (warning,) = (each for each in report.warnings if each.kind == "unread_argument")
    assert "reader.cpp is given common run-time arguments that no core reads: 1" in str(warning)


def test_a_busy_bank_is_warned_about() -> None:
    """Each page that is read lies in bank 0 of twelve."""
    reader = k.READ_TWO.replace("page(i,", "page(0,")
    report, _ = k.Pipeline(k.ADD, reader=reader).launch(TWO, TWO)
    assert kinds(report)[0] == "dram_bank_conflict"
    assert "bank 0 moves" in report.warnings[0].message
