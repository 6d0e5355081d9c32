"""Programs that numbers in tensors steer: branches, loops, and where blocks lie."""

import re

import pytest
import tilelang
import tilelang.language as T
import torch

import tilelang_tt

ARCHS = ("wormhole_b0", "blackhole")
GRIDS = {"wormhole_b0": [None, (1, 1), (2, 3)], "blackhole": [None]}
TARGETS = [(arch, grid) for arch, grids in GRIDS.items() for grid in grids]


def compiled(program, arch="wormhole_b0", grid=None, **options):
    target = {"kind": "tenstorrent", "arch": arch, "execution": "mock", **options}
    if grid is not None:
        target["grid"] = grid
    return tilelang.compile(program, target=target, out_idx=[-1])


def close(actual, expected, limit=2**-7):
    scale = max(expected.abs().max().item(), 1.0)
    return (actual.double() - expected).abs().max().item() <= limit * scale


def blocksparse(M, N, K, mask_dtype, block_M=64, block_N=64, block_K=32):
    shape = (-(-M // block_M), -(-N // block_N), -(-K // block_K))

    @T.prim_func
    def main(
        A: T.Tensor((M, K), "bfloat16"),
        B: T.Tensor((K, N), "bfloat16"),
        Mask: T.Tensor(shape, mask_dtype),
        C: T.Tensor((M, N), "bfloat16"),
    ):
        with T.Kernel(shape[1], shape[0]) as (bx, by):
            A_s = T.alloc_shared((block_M, block_K), "bfloat16")
            B_s = T.alloc_shared((block_K, block_N), "bfloat16")
            C_l = T.alloc_fragment((block_M, block_N), "float32")
            T.clear(C_l)
            for k in T.Pipelined(shape[2], num_stages=2):
                if Mask[by, bx, k]:
                    T.copy(A[by * block_M, k * block_K], A_s)
                    T.copy(B[k * block_K, bx * block_N], B_s)
                    T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[by * block_M, bx * block_N])

    return main, shape


def check_blocksparse(M, N, K, mask_dtype, mask_of, target, **options):
    program, shape = blocksparse(M, N, K, mask_dtype)
    torch.manual_seed(0)
    a, b, mask = torch.randn(M, K).bfloat16(), torch.randn(K, N).bfloat16(), mask_of(shape)
    result = compiled(program, *target, **options)(a, b, mask.to(getattr(torch, mask_dtype)))
    dense = mask.bool().repeat_interleave(64, 0).repeat_interleave(64, 1)[:M, :N]
    expected = sum(
        dense[:, :, k] * (a[:, k * 32 : k * 32 + 32].double() @ b[k * 32 : k * 32 + 32].double())
        for k in range(shape[2])
    )
    assert close(result, expected)


MASKS = {
    "all": torch.ones,
    "none": torch.zeros,
    "some": lambda shape: (torch.rand(shape) < 0.5).int(),
}


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_chooses_the_products(mask, target):
    check_blocksparse(128, 192, 256, "bool", MASKS[mask], target)


@pytest.mark.parametrize("dtype", ["int32", "int8", "uint8"])
def test_a_mask_of_integers(dtype):
    check_blocksparse(64, 128, 96, dtype, lambda shape: torch.randint(-1, 2, shape), TARGETS[0])


def test_more_blocks_than_cores_and_more_steps_than_a_page_of_the_mask_has_columns():
    check_blocksparse(192, 128, 33 * 32, "bool", MASKS["some"], ("wormhole_b0", (2, 1)))


@pytest.mark.parametrize("arch", ARCHS)
def test_ragged_shapes_under_a_mask(arch):
    check_blocksparse(100, 130, 70, "bool", MASKS["some"], (arch, None))


def test_a_mask_where_blocks_are_cut():
    check_blocksparse(128, 128, 256, "bool", MASKS["some"], TARGETS[0], cut=True)


def counted(count, most, width):
    """Sums of blocks of rows that a table names, as many as it says."""

    @T.prim_func
    def main(
        A: T.Tensor((256, width), "bfloat16"),
        Count: T.Tensor((count,), "int32"),
        Rows: T.Tensor((count, most), "int32"),
        C: T.Tensor((count * 32, width), "bfloat16"),
    ):
        with T.Kernel(count) as b:
            A_s = T.alloc_shared((32, width), "bfloat16")
            S = T.alloc_fragment((32, width), "float32")
            T.clear(S)
            for i in T.Pipelined(Count[b], num_stages=2):
                T.copy(A[Rows[b, i] * 32, 0], A_s)
                for r, c in T.Parallel(32, width):
                    S[r, c] += A_s[r, c]
            T.copy(S, C[b * 32, 0])

    return main


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_tensor_says_how_often_a_loop_runs_and_which_blocks_it_loads(target):
    count, most, width = 40, 6, 64
    torch.manual_seed(0)
    a = torch.randn(256, width).bfloat16()
    times = torch.randint(0, most + 1, (count,), dtype=torch.int32)
    rows = torch.randint(0, 8, (count, most), dtype=torch.int32)
    result = compiled(counted(count, most, width), *target)(a, times, rows)
    blocks = a.double().reshape(8, 32, width)
    expected = torch.cat([blocks[rows[b, : times[b]].long()].sum(0) for b in range(count)])
    assert close(result, expected)


def test_a_number_that_is_no_element_is_reported():
    """Blocks outside of a tensor are zeros; a number outside of one is nothing."""

    @T.prim_func
    def main(
        A: T.Tensor((256, 64), "bfloat16"),
        At: T.Tensor((4,), "int32"),
        Rows: T.Tensor((4,), "int32"),
        C: T.Tensor((128, 64), "bfloat16"),
    ):
        with T.Kernel(4) as b:
            A_s = T.alloc_shared((32, 64), "bfloat16")
            T.copy(A[Rows[At[b]] * 32, 0], A_s)
            T.copy(A_s, C[b * 32, 0])

    kernel = compiled(main)
    a = torch.randn(256, 64).bfloat16()
    at, rows = torch.arange(4).int(), torch.tensor([1, 8, -1, 0], dtype=torch.int32)
    result = kernel(a, at, rows)
    zeros = torch.zeros(32, 64).bfloat16()
    assert torch.equal(result, torch.cat([a[32:64], zeros, zeros, a[:32]]))
    with pytest.raises(RuntimeError, match="noc_out_of_bounds"):
        kernel(a, torch.full((4,), 1_000_000).int(), rows)


def grouped(sizes, N, K, block_M=64, block_N=64, block_K=64, spare=0):
    M, G = sum(sizes), len(sizes)
    blocks = sum(-(-size // block_M) for size in sizes) + spare

    @T.prim_func
    def main(
        A: T.Tensor((M, K), "bfloat16"),
        B: T.Tensor((G, K, N), "bfloat16"),
        Sizes: T.Tensor((G,), "int32"),
        Offsets: T.Tensor((G,), "int32"),
        Firsts: T.Tensor((G,), "int32"),
        C: T.Tensor((M, N), "bfloat16"),
    ):
        with T.Kernel(blocks, -(-N // block_N)) as (bx, by):
            A_s = T.alloc_shared((block_M, block_K), "bfloat16")
            B_s = T.alloc_shared((block_K, block_N), "bfloat16")
            C_l = T.alloc_fragment((block_M, block_N), "float32")
            group = T.alloc_var("int32")
            size = T.alloc_var("int32")
            group = 0
            for g in range(G):
                is_here = bx >= Firsts[g]
                group = T.if_then_else(is_here, g, group)
            T.assume(Sizes[group] % 32 == 0)
            T.assume(Offsets[group] % 32 == 0)
            size = Sizes[group]
            inside = (bx - Firsts[group]) * block_M
            row = Offsets[group] + inside
            rows = T.max(0, T.min(block_M, Sizes[group] - inside))
            T.clear(C_l)
            for k in T.Pipelined(-(-K // block_K), num_stages=2):
                T.copy(A[row, k * block_K], A_s)
                T.copy(B[group, k * block_K, by * block_N], B_s)
                T.gemm(A_s, B_s, C_l)
            for i, j in T.Parallel(block_M, block_N):
                if i < rows and size > 0:
                    C[row + i, by * block_N + j] = C_l[i, j]

    return main


def check_grouped(sizes, N, K, target, spare=0, **options):
    torch.manual_seed(0)
    a, b = torch.randn(sum(sizes), K).bfloat16(), torch.randn(len(sizes), K, N).bfloat16()
    counts = [-(-size // 64) for size in sizes]
    starts = [sum(sizes[:g]) for g in range(len(sizes))]
    firsts = [sum(counts[:g]) for g in range(len(sizes))]
    tables = [torch.tensor(each, dtype=torch.int32) for each in (sizes, starts, firsts)]
    kernel = compiled(grouped(sizes, N, K, spare=spare), *target, **options)
    result = kernel(a, b, *tables)
    parts = a.double().split(sizes)
    assert close(result, torch.cat([part @ m.double() for part, m in zip(parts, b, strict=True)]))
    return kernel


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_blocks_search_for_their_group(target):
    check_grouped([64, 96, 32, 128], 128, 128, target)


def test_an_empty_group_and_blocks_after_the_last():
    check_grouped([64, 0, 160], 64, 64, TARGETS[0], spare=2)


def test_blocks_of_a_group_share_what_they_load():
    """What a block reads of its group depends on the axis of the groups alone."""
    kernel = check_grouped([128, 64, 64], 256, 128, TARGETS[0], multicast=True)
    source = kernel.get_kernel_source()
    assert "multicast_send" in source
    artifact = tilelang_tt.artifact(kernel)
    assert artifact.plan.partition.kind == "lattice"


def test_a_mask_that_differs_keeps_cores_from_sharing():
    program, _ = blocksparse(256, 256, 256, "bool")
    assert "multicast_send" not in compiled(program, multicast=True).get_kernel_source()


def test_numbers_are_elements_of_blocks_that_are_only_copied():
    """A row of the mask on the chip is read from the tensor itself."""

    @T.prim_func
    def main(
        A: T.Tensor((128, 256), "bfloat16"),
        Mask: T.Tensor((4, 8), "bool"),
        C: T.Tensor((128, 32), "bfloat16"),
    ):
        with T.Kernel(4) as b:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            S = T.alloc_fragment((32, 32), "float32")
            row = T.alloc_fragment((8,), "bool")
            T.copy(Mask[b, :], row)
            T.clear(S)
            for k in T.serial(8):
                if row[k] != 0:
                    T.copy(A[b * 32, k * 32], A_s)
                    for i, j in T.Parallel(32, 32):
                        S[i, j] += A_s[i, j]
            T.copy(S, C[b * 32, 0])

    a, mask = torch.randn(128, 256).bfloat16(), torch.rand(4, 8) < 0.5
    kept = mask.repeat_interleave(32, 0)[:, :, None]
    expected = (a.double().reshape(128, 8, 32) * kept).sum(1)
    assert close(compiled(main)(a, mask), expected)


def test_a_variable_that_counts():
    """What a variable is at each of its uses: it changes between them, and starts anew in every
    block."""

    @T.prim_func
    def main(
        A: T.Tensor((256, 32), "bfloat16"),
        Kept: T.Tensor((8,), "int32"),
        C: T.Tensor((3, 256, 32), "bfloat16"),
    ):
        with T.Kernel(3) as b:
            A_s = T.alloc_shared((32, 32), "bfloat16")
            at = T.alloc_var("int32", init=0)
            for i in T.serial(8):
                if Kept[i] > b:
                    T.copy(A[i * 32, 0], A_s)
                    T.copy(A_s, C[b, at * 32, 0])
                    at = at + 1
            for i in T.serial(8 - at):
                T.clear(A_s)
                T.copy(A_s, C[b, (at + i) * 32, 0])

    a, kept = torch.randn(256, 32).bfloat16(), torch.tensor([0, 3, 1, 2, 0, 3, 1, 1]).int()
    result = compiled(main, grid=(1, 1))(a, kept)
    for b in range(3):
        chosen = torch.cat([a.reshape(8, 32, 32)[kept > b].reshape(-1, 32), torch.zeros(256, 32)])
        assert torch.equal(result[b], chosen[:256].bfloat16())


def test_a_number_in_a_mask_of_elements():
    @T.prim_func
    def main(
        A: T.Tensor((128, 64), "bfloat16"),
        Ends: T.Tensor((4,), "int32"),
        C: T.Tensor((128, 64), "bfloat16"),
    ):
        with T.Kernel(4) as b:
            A_s = T.alloc_shared((32, 64), "bfloat16")
            end = T.alloc_var("int32")
            end = Ends[b]
            T.copy(A[b * 32, 0], A_s)
            for i, j in T.Parallel(32, 64):
                A_s[i, j] = T.if_then_else(j < end, A_s[i, j], 0)
            T.copy(A_s, C[b * 32, 0])

    a, ends = torch.randn(128, 64).bfloat16(), torch.tensor([0, 64, 5, 33]).int()
    kept = torch.arange(64) < ends.repeat_interleave(32)[:, None]
    assert torch.equal(compiled(main)(a, ends), torch.where(kept, a, torch.zeros(()).bfloat16()))


def test_what_is_needed_where():
    """Loads are the reader's, so the compute engine is told nothing of them."""
    source = compiled(grouped([64, 64], 64, 64)).get_kernel_source()
    reader, compute, writer = re.split(r"void kernel_main", source)[1:]
    assert "read_scalar" in reader
    assert "read_scalar" in writer
    assert compute.count("take_scalar") == reader.count("give_scalar") == 4


def permuted(size, blocks, place=True):
    """Products of blocks that tables choose along K, stored where another one says."""
    M, N, K = size
    block_M, block_N, block_K = blocks

    @T.prim_func
    def main(
        A: T.Tensor((M, K), "bfloat16"),
        B: T.Tensor((K, N), "bfloat16"),
        Steps: T.Tensor((K // block_K,), "int32"),
        Places: T.Tensor((M // block_M,), "int32"),
        C: T.Tensor((M, N), "bfloat16"),
    ):
        with T.Kernel(N // block_N, M // block_M) as (bx, by):
            A_s = T.alloc_shared((block_M, block_K), "bfloat16")
            B_s = T.alloc_shared((block_K, block_N), "bfloat16")
            C_l = T.alloc_fragment((block_M, block_N), "float32")
            T.clear(C_l)
            for k in T.Pipelined(K // block_K, num_stages=3):
                T.copy(A[by * block_M, (Steps[k] if place else k) * block_K], A_s)
                T.copy(B[(Steps[k] if place else k) * block_K, bx * block_N], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[Places[by] * block_M, bx * block_N])

    return main


@pytest.mark.parametrize(
    "options", [{"multicast": True}, {"multicast": False}, {"split": True}], ids=str
)
@pytest.mark.parametrize("place", [True, False])
def test_loads_that_are_shared_and_stores_that_wait_have_the_numbers_of_their_step(options, place):
    size, blocks = (256, 256, 256), (64, 64, 32)
    torch.manual_seed(0)
    a, b = torch.randn(256, 256).bfloat16(), torch.randn(256, 256).bfloat16()
    steps = torch.tensor([3, 3, 0, 7, 1, 2, 2, 5]).int()
    places = torch.tensor([2, 0, 3, 1]).int()
    kernel = compiled(permuted(size, blocks, place), grid=(2, 2), **options)
    assert ("multicast_send" in kernel.get_kernel_source()) == options.get("multicast", False)
    result = kernel(a, b, steps, places)
    used = steps.long() if place else torch.arange(8)
    columns = (used[:, None] * 32 + torch.arange(32)).flatten()
    expected = (a[:, columns].double() @ b[columns].double()).reshape(4, 64, 256)
    assert close(result.reshape(4, 64, 256)[places.long()], expected)


def test_a_store_that_waits_for_the_next_turn_goes_where_it_belongs():
    """The writer computes where by itself; it loads what the cores of a column share."""
    M, N, K = 256, 256, 128

    @T.prim_func
    def main(
        A: T.Tensor((M, K), "bfloat16"),
        B: T.Tensor((K, N), "bfloat16"),
        C: T.Tensor((M, N), "bfloat16"),
    ):
        with T.Kernel(4, 4) as (bx, by):
            A_s = T.alloc_shared((64, 32), "bfloat16")
            B_s = T.alloc_shared((32, 64), "bfloat16")
            C_l = T.alloc_fragment((64, 64), "float32")
            at = T.alloc_var("int32")
            at = 0
            for _ in T.serial(by):
                at = (at + 3) % 4
            T.clear(C_l)
            for k in T.Pipelined(4, num_stages=3):
                T.copy(A[by * 64, k * 32], A_s)
                T.copy(B[k * 32, bx * 64], B_s)
                T.gemm(A_s, B_s, C_l)
            T.copy(C_l, C[at * 64, bx * 64])

    a, b = torch.randn(M, K).bfloat16(), torch.randn(K, N).bfloat16()
    result = compiled(main, grid=(2, 2), multicast=True)(a, b)
    expected = (a.double() @ b.double()).reshape(4, 64, N)
    assert close(result.reshape(4, 64, N)[[0, 3, 2, 1]], expected)


def test_what_is_made_of_a_sum_waits_for_its_numbers():
    @T.prim_func
    def main(
        A: T.Tensor((128, 256), "bfloat16"),
        B: T.Tensor((256, 64), "bfloat16"),
        N: T.Tensor((2,), "int32"),
        C: T.Tensor((128, 64), "bfloat16"),
    ):
        with T.Kernel(2) as by:
            A_s = T.alloc_shared((64, 64), "bfloat16")
            B_s = T.alloc_shared((64, 64), "bfloat16")
            C_l = T.alloc_fragment((64, 64), "float32")
            factor = T.alloc_var("int32", init=0)
            T.clear(C_l)
            for k in T.Pipelined(4, num_stages=2):
                T.copy(A[by * 64, k * 64], A_s)
                T.copy(B[k * 64, 0], B_s)
                T.gemm(A_s, B_s, C_l)
                factor = factor + N[by]
            for i, j in T.Parallel(64, 64):
                C_l[i, j] = C_l[i, j] * factor
            T.copy(C_l, C[by * 64, 0])

    a, b = torch.randn(128, 256).bfloat16(), torch.randn(256, 64).bfloat16()
    factors = torch.tensor([4 * 3, 4 * -5]).repeat_interleave(64)[:, None]
    for split in (False, True):
        result = compiled(main, split=split)(a, b, torch.tensor([3, -5]).int())
        assert close(result, a.double() @ b.double() * factors)


def test_a_promise_that_is_not_kept_is_reported():
    program = grouped([64, 64], 64, 64)
    a, b = torch.randn(128, 64).bfloat16(), torch.randn(2, 64, 64).bfloat16()
    tables = [torch.tensor(each).int() for each in ([60, 68], [0, 60], [0, 1])]
    with pytest.raises(RuntimeError, match="assertion_failed"):
        compiled(program)(a, b, *tables)


def test_a_mask_of_a_dtype_that_no_kernel_reads_is_refused():
    program, _ = blocksparse(64, 64, 64, "int64")
    with pytest.raises(Exception, match="TT1009: tensor 'Mask' has dtype int64"):
        compiled(program)


def test_an_unaligned_start_is_refused_without_a_promise():
    @T.prim_func
    def main(
        A: T.Tensor((256, 64), "bfloat16"),
        At: T.Tensor((4,), "int32"),
        C: T.Tensor((128, 64), "bfloat16"),
    ):
        with T.Kernel(4) as b:
            A_s = T.alloc_shared((32, 64), "bfloat16")
            T.copy(A[At[b], 0], A_s)
            T.copy(A_s, C[b * 32, 0])

    with pytest.raises(Exception, match="TT2003: the region of 'A' starts at"):
        compiled(main)
