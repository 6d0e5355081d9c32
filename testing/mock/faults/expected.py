"""What each change must be found as, and which changes change nothing, with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from testing.mock.faults.mutate import Mutant


@dataclass(frozen=True)
class Row:
    """Of the changes that match: the kinds one of which must be found first."""

    change: str
    call: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Equivalent:
    """Changes that match may change nothing, for this reason."""

    change: str
    call: str
    reason: str


_WAIT = ("cb_read_without_wait", "cb_pop_without_wait", "l1_uninitialised", "deadlock")
_RESERVE = ("cb_push_without_reserve", "cb_write_without_reserve", "cb_overrun")
_IN_FLIGHT = ("noc_read_in_flight", "noc_write_in_flight", "noc_source_overwritten")

DETECTED = (
    # Circular buffers.
    Row("drop|count - 1", "cb_wait_front", _WAIT),
    Row("count \\+ 1", "cb_wait_front", ("deadlock", "cb_overrun")),
    Row("drop|count - 1", "cb_reserve_back", _RESERVE),
    Row("count \\+ 1", "cb_reserve_back", ("cb_unpushed_at_end", "cb_overrun")),
    Row("drop", "cb_push_back", ("deadlock", "cb_unpushed_at_end", "cb_overrun")),
    Row(
        "count - 1",
        "cb_push_back",
        (
            *("deadlock", "cb_unpushed_at_end", "cb_overrun", "cb_wrap", "cb_overwrite"),
            "cb_write_without_reserve",
        ),
    ),
    Row("count \\+ 1|duplicate", "cb_push_back", ("cb_push_without_reserve",)),
    Row("drop|count - 1", "cb_pop_front",
        ("deadlock", "cb_unpopped_at_end", "noc_out_of_bounds", "cb_wrap")),
    Row("count \\+ 1|duplicate", "cb_pop_front", ("cb_pop_without_wait",)),
    Row("other buffer", "cb_(reserve|push)_back", (*_RESERVE, "cb_two_producers")),
    Row("other buffer", "cb_(wait|pop)_front", (*_WAIT, "cb_two_consumers")),
    # Transfers and barriers.
    Row("drop", "noc_async_(read_page|read|write|write_multicast)", ("l1_uninitialised",)),
    Row("drop", "noc_async_write_page", ("result_unwritten",)),
    Row("page far away|size \\+ 16", "noc_async_\\w+", ("noc_out_of_bounds",)),
    Row(
        "address moved",
        "noc_async_\\w+",
        ("noc_misaligned", "noc_out_of_bounds", "cb_read_without_wait", "cb_write_without_reserve"),
    ),
    Row("drop", "noc_async_(\\w+_barrier|writes_flushed)", (*_IN_FLIGHT, "missing_barrier")),
    # Semaphores.
    Row("drop|value \\+ 1", "noc_semaphore_(inc|set|set_multicast)",
        ("deadlock", "l1_race", "semaphore_lost_signal", "semaphore_passed", "noc_misaligned")),
    Row("duplicate", "noc_semaphore_inc",
        ("l1_race", "semaphore_lost_signal", "semaphore_passed", "deadlock")),
    Row("drop", "noc_semaphore_wait\\w*", ("l1_race", "l1_uninitialised", "semaphore_lost_signal")),
    Row("value \\+ 1", "noc_semaphore_wait\\w*", ("deadlock",)),
    # Destination registers.
    Row("drop|duplicate", "tile_regs_\\w+", ("dst_protocol",)),
    Row("drop", "copy_tile|add_tiles|matmul_(tiles|block)", ("dst_uninitialised",)),
    Row("drop", "pack_tile", ("l1_uninitialised",)),
    Row("index \\d far away", "copy_tile|pack_tile|add_tiles|matmul_(tiles|block)",
        ("cb_read_without_wait", "cb_overrun", "dst_out_of_range", "missing_init")),
    # Set-up.
    Row("drop", "compute_kernel_hw_startup|\\w+_init", ("missing_init",)),
    Row("drop", "(pack_)?reconfig_data_format\\w*", ("format_not_configured",)),
    Row("duplicate", "compute_kernel_hw_startup", ("startup_repeated",)),
    # Order.
    Row("swap with .*", "(compute_kernel_hw_startup|\\w+_init)", ("missing_init",)),
    Row("swap with .*", "tile_regs_\\w+|(add|matmul)_tiles|matmul_block|pack_tile",
        ("dst_protocol",)),
    Row("swap with noc_async_(read|write)\\w*", "cb_reserve_back", ("cb_write_without_reserve",)),
    Row("swap with .*", "cb_wait_front", _WAIT),
    Row("swap with cb_wait_front", "cb_push_back", ("deadlock",)),
    Row("swap with .*", "noc_async_\\w+", _IN_FLIGHT),
    Row("swap with noc_semaphore_inc", "cb_reserve_back", ("l1_race",)),
    Row("swap with .*", "noc_semaphore_\\w+",
        ("deadlock", "l1_race", "l1_uninitialised", "semaphore_lost_signal",
         "noc_source_overwritten")),
)  # fmt: skip

EQUIVALENT = (
    Equivalent("duplicate", "cb_(wait_front|reserve_back)",
               "a second wait for the same pages is over at once; only pushes and pops move on"),
    Equivalent("duplicate", "noc_async_(\\w+_barrier|writes_flushed)",
               "nothing is left to wait for"),
    Equivalent("duplicate", "noc_async_(read|write)\\w*",
               "the same bytes go to the same place twice, before the same barrier"),
    Equivalent("duplicate", "\\w+_init|(pack_)?reconfig_data_format\\w*",
               "set-up with the same operands changes no setting"),
    Equivalent("duplicate", "noc_semaphore_(wait\\w*|set|set_multicast)",
               "the semaphore has the value already, and nobody changes it in between"),
    Equivalent("swap with cb_reserve_back", "cb_(wait|pop)_front|noc_async_read_page",
               "the two calls concern different circular buffers"),
    Equivalent("swap with cb_(push_back|wait_front|pop_front)", "cb_(pop|wait)_front|cb_push_back",
               "the two calls concern different circular buffers or engines"),
    Equivalent("swap with (tile_regs_\\w+|pack_reconfig_data_format)",
               "cb_(reserve_back|wait_front)",
               "waits for pages and for registers may be in either order before both are used"),
    Equivalent("swap with cb_(pop_front|push_back)", "tile_regs_(commit|release)",
               "operands and results are settled before either: an engine works in program order"),
    Equivalent("swap with (pack_)?reconfig_data_format\\w*", "tile_regs_\\w+",
               "settings of unpacker and packer do not depend on the register's owner"),
    Equivalent("swap with \\w+_init|swap with (pack_)?reconfig_data_format\\w*",
               "matmul_tiles|\\w+_init|(pack_)?reconfig_data_format\\w*",
               "the two set up different units"),
    Equivalent("swap with noc_semaphore_\\w+", "noc_async_(write_barrier|write_multicast)",
               "to one core, a write and a later signal of the same NoC arrive in order; a local"
               " flag is not yet sent"),
    Equivalent("swap with cb_push_back", "noc_async_writes_flushed|noc_semaphore_inc",
               "the pages that are pushed have nothing to do with the signal"),
    Equivalent("swap with noc_async_write", "noc_semaphore_set",
               "the other side signals again only after the arrival of the page"),
    Equivalent("count \\+ 1", "cb_wait_front",
               "the page too many is of the next block, which comes in any case"),
    Equivalent("drop", "reconfig_data_format\\w*",
               "the setting is that already, where the program begins and where it comes again"),
    Equivalent("drop", "matmul_block|copy_tile",
               "a product is added to the sum so far, or to zeros: what is missing is a value, as a"
               " comparison with the right result shows, and no protocol does"),
)  # fmt: skip


def fits(row: Row | Equivalent, change: str, call: str) -> bool:
    """Whether a row is about a change of a call."""
    return bool(re.fullmatch(row.change, change) and re.fullmatch(row.call, call))


def kinds_of(mutant: Mutant) -> tuple[str, ...]:
    """The diagnoses of which one must come first, if the change is found at all."""
    rows = (row.kinds for row in DETECTED if fits(row, mutant.change, mutant.call))
    return next(rows, ())


def reason_of(mutant: Mutant) -> str | None:
    """Why the change may change nothing, or None if it must be found."""
    rows = (row.reason for row in EQUIVALENT if fits(row, mutant.change, mutant.call))
    return next(rows, None)


def judge(mutant: Mutant, outcome: list[str]) -> str | None:
    """What is wrong with the outcome, or None if it is as it must be."""
    if outcome == ["nothing"]:
        return None if reason_of(mutant) else "not found"
    if outcome[0] not in kinds_of(mutant):
        return f"found as {outcome[0]}, not as one of {', '.join(kinds_of(mutant)) or 'any'}"
    return None
