"""Sorting networks of the vector unit: columns of two tiles of values, with the tiles of their
indices two registers further."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tilelang_tt import mock
from tilelang_tt.mock.chip import Tensor
from tilelang_tt.mock.program import Role

Array = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Sorted = tuple[Array, Indices]

_READ = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  constexpr auto values_args = TensorAccessorArgs<0>();
  constexpr auto indices_args = TensorAccessorArgs<values_args.next_compile_time_args_offset()>();
  const auto values = TensorAccessor(values_args, get_arg_val<uint32_t>(0));
  const auto indices = TensorAccessor(indices_args, get_arg_val<uint32_t>(1));
  cb_reserve_back(0, 2);
  cb_reserve_back(1, 2);
  for (uint32_t i = 0; i < 2; ++i) {
    noc_async_read_page(i, values, get_write_ptr(0) + i * get_tile_size(0));
    noc_async_read_page(i, indices, get_write_ptr(1) + i * get_tile_size(1));
  }
  noc_async_read_barrier();
  cb_push_back(0, 2);
  cb_push_back(1, 2);
}
"""

_WRITE = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  constexpr auto values_args = TensorAccessorArgs<0>();
  constexpr auto indices_args = TensorAccessorArgs<values_args.next_compile_time_args_offset()>();
  const auto values = TensorAccessor(values_args, get_arg_val<uint32_t>(0));
  const auto indices = TensorAccessor(indices_args, get_arg_val<uint32_t>(1));
  cb_wait_front(16, 2);
  cb_wait_front(17, 2);
  for (uint32_t i = 0; i < 2; ++i) {
    noc_async_write_page(i, values, get_read_ptr(16) + i * get_tile_size(16));
    noc_async_write_page(i, indices, get_read_ptr(17) + i * get_tile_size(17));
  }
  noc_async_write_barrier();
  cb_pop_front(16, 2);
  cb_pop_front(17, 2);
}
"""

_COMPUTE = """
#include "api/compute/cb_api.h"
#include "api/compute/common.h"
#include "api/compute/compute_kernel_api.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/cumsum.h"
#include "api/compute/pack.h"
#include "api/compute/reconfig_data_format.h"
#include "api/compute/reg_api.h"
#include "api/compute/tile_move_copy.h"
#include "api/compute/topk.h"

void kernel_main() {
  compute_kernel_hw_startup(0, 0, 16);
  topk_tile_init();
  cb_wait_front(0, 2);
  cb_wait_front(1, 2);
  tile_regs_acquire();
  copy_init(0);
  copy_tile(0, 0, 0);
  copy_tile(0, 1, 1);
  reconfig_data_format_srca(1);
  copy_init(1);
  copy_tile(1, 0, 2);
  copy_tile(1, 1, 3);
  %s
  tile_regs_commit();
  cb_pop_front(0, 2);
  cb_pop_front(1, 2);
  cb_reserve_back(16, 2);
  cb_reserve_back(17, 2);
  tile_regs_wait();
  pack_tile(0, 16);
  pack_tile(1, 16);
  pack_reconfig_data_format(17);
  pack_tile(2, 17);
  pack_tile(3, 17);
  tile_regs_release();
  cb_push_back(16, 2);
  cb_push_back(17, 2);
}
"""


def network(body: str, values: Array, wide: bool = False, compute: str = _COMPUTE) -> Sorted:
    """Values and indices, (64, 32) each, after the calls of the body. The indices of a column are
    its rows. `wide`: float32 and int32 in 32-bit registers."""
    return launch(body, values, wide, compute)[1]


def launch(
    body: str, values: Array, wide: bool = False, compute: str = _COMPUTE
) -> tuple[mock.Report, Sorted]:
    indices = np.repeat(np.arange(64), 32).reshape(64, 32)
    value_format, index_format = ("float32", "int32") if wide else ("bfloat16", "uint16")
    chip = mock.Chip("wormhole_b0")
    given = (
        chip.tensor(values, value_format),
        chip.tensor(indices.astype(np.int32 if wide else np.uint16), index_format),
    )
    made = chip.empty((64, 32), value_format), chip.empty((64, 32), index_format)
    program = chip.program(fp32_dest_acc=wide)
    for index, format_ in enumerate((value_format, index_format)):
        program.circular_buffer(index, format_, 2)
        program.circular_buffer(16 + index, format_, 2)
    roles: tuple[tuple[Role, str, tuple[Tensor, Tensor]], ...]
    roles = ("reader", _READ, given), ("writer", _WRITE, made)
    for role, source, tensors in roles:
        program.kernel(
            role,
            source,
            {(0, 0): [tensor.address for tensor in tensors]},
            compile_time_args=[word for tensor in tensors for word in tensor.accessor_args],
        )
    program.kernel("compute", compute % body, {(0, 0): []})
    report = program.run()
    return report, (made[0].numpy().astype(np.float32), made[1].numpy().astype(np.int64))


def distinct(rng: np.random.Generator) -> Array:
    """Columns of 64 different values that bfloat16 holds, of both signs."""
    return np.stack([rng.permutation(64) - 32.0 for _ in range(32)], 1).astype(np.float32)


def kernel() -> str:
    """A compute kernel with all calls, for the check against the real headers."""
    return _COMPUTE % "\n".join(
        (
            "topk_canonicalize_negzero_values(0);",
            "topk_local_sort(0, 0, 5);",
            "topk_local_sort<true, DST_ACCUM_MODE, false, false,",
            "                topk_tie_order_from_global_direction(true)>(0, 1, 5, 5, 4, 6);",
            "topk_merge(0, 0, 32);",
            "topk_merge<true, true, DST_ACCUM_MODE, false, false,",
            "           TopkTieOrder::Ascending>(0, 1, 8);",
            "topk_rebuild(0, true, 0, 32, 5, 1);",
            "topk_finalize_uint16_indices(2);",
        )
    )


def check_pairs(values: Array, got: Sorted) -> None:
    """Each value still has its index."""
    np.testing.assert_array_equal(np.take_along_axis(values, got[1], 0), got[0])


def directions(length: int, ascending: bool) -> list[bool]:
    """Of the sequences of a bitonic sort, one after another."""
    return [ascending != (i % 2 != 0) for i in range(64 // length)]


@pytest.mark.parametrize("wide", [False, True], ids=["16-bit", "32-bit"])
@pytest.mark.parametrize("ascending", [False, True])
def test_a_local_sort_sorts_columns(rng: np.random.Generator, ascending: bool, wide: bool) -> None:
    values = distinct(rng)
    got = network(f"topk_local_sort(0, {int(ascending)}, 5);", values, wide=wide)
    expected = np.sort(values, 0)
    np.testing.assert_array_equal(got[0], expected if ascending else expected[::-1])
    check_pairs(values, got)


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("phase", [0, 1, 2, 3, 4])
def test_a_phase_leaves_sequences_of_alternating_directions(
    rng: np.random.Generator, phase: int, ascending: bool
) -> None:
    values = distinct(rng)
    got = network(f"topk_local_sort(0, {int(ascending)}, {phase});", values)
    length = 2 << phase
    turned = ascending and phase > 2  # the early phases know one order only
    for i, up in enumerate(directions(length, turned)):
        part = np.s_[i * length : (i + 1) * length]
        expected = np.sort(values[part], 0)
        np.testing.assert_array_equal(got[0][part], expected if up else expected[::-1])
    check_pairs(values, got)


def test_phases_can_be_called_one_by_one(rng: np.random.Generator) -> None:
    values = distinct(rng)
    calls = "".join(f"topk_local_sort(0, 0, {phase}, {phase}, 4, 6);" for phase in range(4))
    calls += "topk_local_sort(0, 0, 4, 4, 4, 5); topk_local_sort(0, 0, 5, 5, 4, 6);"
    np.testing.assert_array_equal(network(calls, values)[0], np.sort(values, 0)[::-1])


@pytest.mark.parametrize("smallest", [False, True])
@pytest.mark.parametrize("k_values", [4, 8, 16, 32, 64])
def test_merges_and_rebuilds_find_the_first_values(
    rng: np.random.Generator, k_values: int, smallest: bool
) -> None:
    """The algorithm as a whole: sort sequences of k, keep the better half of each pair of them."""
    values = distinct(rng)
    log_k = k_values.bit_length() - 1
    up = int(smallest)
    calls = [f"topk_local_sort(0, {up}, {log_k - 1});"]
    for iteration in range(6 - log_k):
        last = int(iteration == 5 - log_k)
        calls.append(f"topk_merge<{'true' if smallest else 'false'}>(0, {iteration}, {k_values});")
        calls.append(f"topk_rebuild(0, {up}, {iteration}, {k_values}, {log_k}, {last});")
    got = network("\n".join(calls), values)
    expected = np.sort(values, 0)
    best = expected[:k_values] if smallest else expected[::-1][:k_values]
    first = got[0][:k_values]
    if k_values in (4, 8) and smallest:  # the early phases know one order only
        first = first[::-1]
    np.testing.assert_array_equal(first, best)
    np.testing.assert_array_equal(
        np.take_along_axis(values, got[1][:k_values], 0), got[0][:k_values]
    )


@pytest.mark.parametrize("largest", [True, False])
def test_equal_values_keep_the_order_of_their_indices(
    rng: np.random.Generator, largest: bool
) -> None:
    values = rng.integers(-3, 3, (64, 32)).astype(np.float32)
    order = "Descending" if largest else "Ascending"
    stable = f"true, DST_ACCUM_MODE, false, false, TopkTieOrder::{order}"
    body = f"topk_local_sort<{stable}>(0, {int(not largest)}, 5);"
    got = network(body, values)
    expected = np.argsort(-values if largest else values, 0, kind="stable")
    np.testing.assert_array_equal(got[1], expected)
    check_pairs(values, got)


def test_a_stable_merge_keeps_the_order_of_indices(rng: np.random.Generator) -> None:
    values = rng.integers(-3, 3, (64, 32)).astype(np.float32)
    stable = "true, DST_ACCUM_MODE, false, false, TopkTieOrder::Descending"
    got = network(
        f"topk_local_sort<{stable}>(0, 0, 4); topk_merge<false, {stable}>(0, 0, 32);"
        f"topk_rebuild<{stable}>(0, 0, 0, 32, 5, 1);",
        values,
    )
    expected = np.argsort(-values, 0, kind="stable")[:32]
    np.testing.assert_array_equal(got[1][:32], expected)


def test_equal_values_go_where_the_unit_swaps_them() -> None:
    """Where the second register gets the larger value, the unit swaps equal ones as well: phase 1
    turns every second group of four."""
    got = network("topk_local_sort(0, 0, 1, 1);", np.ones((64, 32), np.float32))
    groups = got[1][:, 0].reshape(-1, 4)
    np.testing.assert_array_equal(groups[0::2] % 4, np.tile([0, 1, 2, 3], (8, 1)))
    np.testing.assert_array_equal(groups[1::2] % 4, np.tile([3, 2, 1, 0], (8, 1)))


def test_equal_values_change_places_in_the_second_half_of_phase_two() -> None:
    """The routine exchanges two registers there, and then swaps them whatever they hold."""
    got = network("topk_local_sort(0, 0, 2, 2);", np.ones((64, 32), np.float32))
    expected = [*range(8), *range(15, 7, -1)]
    np.testing.assert_array_equal(got[1][:, 0].reshape(-1, 16) % 16, np.tile(expected, (4, 1)))


def test_registers_with_nothing_loaded_change_nothing() -> None:
    """Late rebuilds of four values load two registers of the four that are transposed."""
    got = network("topk_rebuild(0, 0, 2, 4, 2, 0);", np.ones((64, 32), np.float32))
    np.testing.assert_array_equal(got[1][:4, 0], [0, 1, 2, 3])
    np.testing.assert_array_equal(got[1][32:36, 0], [35, 34, 33, 32])


@pytest.mark.parametrize("wide", [False, True], ids=["16-bit", "32-bit"])
def test_minus_zero_is_less_than_zero_until_it_is_made_positive(wide: bool) -> None:
    values = np.zeros((64, 32), np.float32)
    values[::2] = -0.0
    sort = "topk_local_sort(0, 0, 5);"
    apart = network(sort, values, wide=wide)[0]
    assert not np.signbit(apart[:32]).any()
    assert np.signbit(apart[32:]).all()
    together = network("topk_canonicalize_negzero_values(0);" + sort, values, wide=wide)[0]
    assert np.signbit(together).any() == (not wide)


def test_a_left_out_tile_may_hold_nothing(rng: np.random.Generator) -> None:
    """The last rebuild of a top-k has one tile of values and one of indices."""
    values = distinct(rng)
    rebuild = "topk_rebuild(0, 0, 0, 32, 5, %d);"
    one = _COMPUTE
    for call in ("copy_tile(0, 1, 1);", "copy_tile(1, 1, 3);"):
        one = one.replace(call, "")
    one = one.replace("pack_tile(1, 16)", "pack_tile(0, 16)").replace(
        "pack_tile(3, 17)", "pack_tile(2, 17)"
    )
    whole = network(rebuild % 0, values)[0]
    got = network(rebuild % 1, values, compute=one)[0]
    np.testing.assert_array_equal(got[:32], whole[:32])
    with pytest.raises(mock.UndefinedBehavior, match="destination tile 1 is read before"):
        network(rebuild % 0, values, compute=one)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("topk_local_sort(0, 0, 6);", "the last phase, at most 5, is 6"),
        ("topk_local_sort(0, 0, 2, 3);", "the first phase, at most the last, is 3"),
        ("topk_local_sort(1, 0, 5);", "the first destination tile, which has to be 0, is 1"),
        ("topk_merge(0, 0, 12);", "k, a power of two from 4 to 64, is 12"),
        ("topk_merge(0, 10, 8);", "the iteration, at most 9, is 10"),
        ("topk_rebuild(0, 0, 0, 32, 4, 0);", "logk, of another k, is 4"),
        ("topk_rebuild(0, 0, 0, 2, 1, 0);", "k, a power of two from 4 to 64, is 2"),
        ("topk_rebuild(0, 0, 10, 32, 5, 0);", "the iteration, at most 9, is 10"),
        ("topk_finalize_uint16_indices(2);", "indices are moved in 16-bit destination registers"),
    ],
)
def test_arguments_that_the_routine_does_not_take(body: str, message: str) -> None:
    with pytest.raises(mock.UndefinedBehavior, match=message):
        network(body, np.ones((64, 32), np.float32))


def test_another_init_is_seen() -> None:
    with pytest.raises(mock.UndefinedBehavior, match="the last SFPU init is cumsum_tile_init"):
        network("cumsum_tile_init(); topk_local_sort(0, 0, 5);", np.ones((64, 32), np.float32))


@pytest.mark.parametrize(
    "body",
    [
        "topk_local_sort<false, DST_ACCUM_MODE, true>(0, 0, 5);",
        "topk_merge<false, false, DST_ACCUM_MODE, false, true>(0, 0, 32);",
        "topk_fuse_tile<true>(0);",
    ],
)
def test_words_with_an_index_beside_the_value_are_not_sorted(body: str) -> None:
    with pytest.raises(mock.Unsupported):
        network(body, np.ones((64, 32), np.float32))


def test_indices_have_to_be_integers(rng: np.random.Generator) -> None:
    body = "copy_init(0); reconfig_data_format_srca(0); copy_tile(0, 0, 2); " + (
        "topk_local_sort(0, 0, 5);"
    )
    with pytest.raises(mock.UndefinedBehavior, match="destination tile 2 holds floats"):
        network(body, distinct(rng))


def test_values_have_to_be_floats(rng: np.random.Generator) -> None:
    body = "copy_tile(1, 0, 0); topk_local_sort(0, 0, 5);"
    with pytest.raises(mock.Unsupported, match="sorts floats only"):
        network(body, distinct(rng))


def test_finished_indices_stay_what_they_are(rng: np.random.Generator) -> None:
    values = distinct(rng)
    sort = "topk_local_sort(0, 0, 5);"
    finish = "topk_finalize_uint16_indices(2); topk_finalize_uint16_indices(3);"
    np.testing.assert_array_equal(
        network(sort + finish, values, wide=True)[1], network(sort, values, wide=True)[1]
    )


def test_more_of_the_network_takes_longer() -> None:
    values = np.ones((64, 32), np.float32)

    def busy(body: str) -> float:
        return launch(body, values)[0].cores[(0, 0)].engines["math"].busy

    assert busy("topk_local_sort(0, 0, 4);") < busy("topk_local_sort(0, 0, 5);")
