"""The programs of `mock_speed.py` in TT-Lang, for its functional simulator; prints CPU seconds.

Run by `tt-lang-sim peer_tt_lang.py SIZE RUNS`, which provides `ttl` and `ttnn`. Blocks and their
order are those of our programs; the grid is the simulator's own.
"""

# pyright: reportMissingImports=false

import json
import sys
import time

import torch
import ttl
import ttnn

TILE = 32
SIZE, RUNS = int(sys.argv[1]), int(sys.argv[2])


def blocks_of_this_node(block_tiles):
    """Rows and columns of the blocks that the running node works on."""
    columns, rows = ttl.grid_size(dims=2)
    column, row = ttl.node(dims=2)
    count = SIZE // TILE // block_tiles
    return [(m, n) for m in range(row, count, rows) for n in range(column, count, columns)]


def span(block, tiles):
    return slice(block * tiles, (block + 1) * tiles)


def copy_both(first, first_block, second, second_block):
    """Two transfers at a time."""
    transfers = ttl.copy(first, first_block), ttl.copy(second, second_block)
    for transfer in transfers:
        transfer.wait()


def write_blocks(buffer, tensor, tiles):
    for m, n in blocks_of_this_node(tiles):
        with buffer.wait() as block:
            ttl.copy(block, tensor[span(m, tiles), span(n, tiles)]).wait()


@ttl.operation(grid="full")
def add(a: ttnn.Tensor, b: ttnn.Tensor, c: ttnn.Tensor) -> None:
    tiles = 2
    a_buffer, b_buffer, c_buffer = (
        ttl.make_dataflow_buffer_like(tensor, shape=(tiles, tiles), block_count=2)
        for tensor in (a, b, c)
    )

    @ttl.datamovement()
    def read():
        for m, n in blocks_of_this_node(tiles):
            with a_buffer.reserve() as a_block, b_buffer.reserve() as b_block:
                where = span(m, tiles), span(n, tiles)
                copy_both(a[where], a_block, b[where], b_block)

    @ttl.compute()
    def compute():
        for _ in blocks_of_this_node(tiles):
            with (
                a_buffer.wait() as a_block,
                b_buffer.wait() as b_block,
                c_buffer.reserve() as c_block,
            ):
                c_block.store(a_block + b_block)

    @ttl.datamovement()
    def write():
        write_blocks(c_buffer, c, tiles)


def add_product(a_buffer, b_buffer, sum_buffer):
    """One step over K."""
    with (
        a_buffer.wait() as a_block,
        b_buffer.wait() as b_block,
        sum_buffer.wait() as before,
        sum_buffer.reserve() as after,
    ):
        after.store(before + a_block @ b_block)


@ttl.operation(grid="full")
def gemm(a: ttnn.Tensor, b: ttnn.Tensor, c: ttnn.Tensor) -> None:
    tiles, k_tiles = 4, 2
    steps = SIZE // TILE // k_tiles
    a_buffer = ttl.make_dataflow_buffer_like(a, shape=(tiles, k_tiles), block_count=3)
    b_buffer = ttl.make_dataflow_buffer_like(b, shape=(k_tiles, tiles), block_count=3)
    sum_buffer = ttl.make_dataflow_buffer_like(c, shape=(tiles, tiles), block_count=2)
    c_buffer = ttl.make_dataflow_buffer_like(c, shape=(tiles, tiles), block_count=2)

    @ttl.datamovement()
    def read():
        for m, n in blocks_of_this_node(tiles):
            for k in range(steps):
                with a_buffer.reserve() as a_block, b_buffer.reserve() as b_block:
                    left = a[span(m, tiles), span(k, k_tiles)]
                    right = b[span(k, k_tiles), span(n, tiles)]
                    copy_both(left, a_block, right, b_block)

    @ttl.compute()
    def compute():
        for _ in blocks_of_this_node(tiles):
            with sum_buffer.reserve() as zero:
                zero.store(ttl.block.fill(0, shape=zero.shape))
            for _ in range(steps):
                add_product(a_buffer, b_buffer, sum_buffer)
            with sum_buffer.wait() as total, c_buffer.reserve() as c_block:
                c_block.store(total)

    @ttl.datamovement()
    def write():
        write_blocks(c_buffer, c, tiles)


def on_device(tensor, device):
    return ttnn.from_torch(
        tensor,
        dtype=ttnn.bfloat16,
        layout=ttnn.TILE_LAYOUT,
        device=device,
        memory_config=ttnn.DRAM_MEMORY_CONFIG,
    )


def measure(operation, expected, inputs, device):
    """CPU seconds of each run after the first, whose result is checked."""
    result = on_device(torch.zeros(SIZE, SIZE, dtype=torch.bfloat16), device)
    times = []
    for _ in range(1 + RUNS):
        start = time.process_time()
        operation(*inputs, result)
        times.append(time.process_time() - start)
    error = (ttnn.to_torch(result).float() - expected).abs().max() / expected.abs().max()
    assert error < 0.05, f"the peer's result is off by {error}"
    return times[1:]


def main():
    torch.set_num_threads(1)
    device = ttnn.open_device(device_id=0)
    values = [torch.randn(SIZE, SIZE).bfloat16() for _ in range(2)]
    first, second = (value.float() for value in values)
    inputs = [on_device(value, device) for value in values]
    times = {
        "add": measure(add, first + second, inputs, device),
        "gemm": measure(gemm, first @ second, inputs, device),
    }
    print(json.dumps(times))


main()
