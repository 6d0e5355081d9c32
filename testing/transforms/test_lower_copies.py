"""LowerCopies: copies become loops over pages."""

import pytest
from helpers import (
    assert_same,
    check,
    check_unchanged,
    copy,
    planned,
    scripted,
    shared,
    tensor,
    tiled,
    way,
)

from tilelang_tt.ir.script import T
from tilelang_tt.transforms.lower_copies import LowerCopies


def test_a_read_is_a_loop_over_its_tiles():
    @T.prim_func(private=True)
    def before(A: T.Buffer((128, 256), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            for by in range(2):
                for k in range(8):
                    copy(A[by * 64 : by * 64 + 64, k * 32 : k * 32 + 32], A_s)

    @T.prim_func(private=True)
    def expected(A: T.Buffer((128, 256), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            for by in range(2):
                for k in range(8):
                    for r in range(2):
                        T.noc_read(A.data, by * 16 + r * 8 + k, A_s.data, r)

    assert_same(LowerCopies().rewrite(planned(tiled(before))), planned(tiled(expected)))


COPIES = {
    "a write": (
        "copy(S, A[0:64, 64:128])",
        "for r in range(2):\n"
        "    for c in range(2): T.noc_write(A.data, r * 4 + c + 2, S.data, r * 2 + c)",
        {"A": tensor(64, 128), "S": shared(64, 64)},
        "row",
    ),
    "one tile": (
        "copy(A[32:64, 64:96], S)",
        "T.noc_read(A.data, 6, S.data, 0)",
        {"A": tensor(64, 128), "S": shared(32, 32)},
        "row",
    ),
    "a buffer kept by columns": (
        "copy(A, S)",
        "for r in range(2):\n"
        "    for c in range(3): T.noc_read(A.data, r * 3 + c, S.data, c * 2 + r)",
        {"A": tensor(64, 96), "S": shared(64, 96)},
        "column",
    ),
    "rows from an axis before the others": (
        "copy(A[0, 0:64, n, 0:64], S)",
        "for r in range(2):\n"
        "    for c in range(2): T.noc_read(A.data, n * 4 + r * 2 + c, S.data, r * 2 + c)",
        {"A": tensor(1, 64, 3, 64), "S": shared(64, 64)},
        "row",
        (1, 3),
    ),
    "blocks of an axis before the others": (
        "copy(A[n, 64:128, 1, 32:64], S)",
        "for r in range(2): T.noc_read(A.data, n * 24 + r * 2 + 13, S.data, r)",
        {"A": tensor(4, 128, 3, 64), "S": shared(64, 32)},
        "row",
        (1, 3),
    ),
    "a leading dimension between the tiled ones": (
        "copy(A[0:64, 1:3, 0:32], S)",
        "for b in range(2):\n    for r in range(2):\n"
        "        T.noc_read(A.data, b * 2 + r + 2, S.data, b * 2 + r)",
        {"A": tensor(64, 4, 32), "S": shared(2, 64, 32)},
        "row",
        (0, 2),
    ),
    "a column": (
        "copy(A[32:96], S)",
        "for r in range(2): T.noc_read(A.data, r + 1, S.data, r)",
        {"A": tensor(96), "S": shared(64, 1)},
        "row",
        (0, None),
    ),
    "a column of a tensor that is tiled in columns only": (
        "copy(A[n, 32:96, 1], S)",
        "for r in range(2): T.noc_read(A.data, n * 6 + r + 4, S.data, r)",
        {"A": tensor(4, 96, 2), "S": shared(64, 1)},
        "row",
        (1, None),
    ),
    "a row of a tensor that is tiled in rows only": (
        "copy(A[n, 5, 32:96], S)",
        "for c in range(2): T.noc_read(A.data, n * 21 + c + 16, S.data, c)",
        {"A": tensor(4, 7, 96), "S": shared(1, 64)},
        "row",
        (None, 2),
    ),
    "a read that may reach past the end": (
        "copy(A[n * 64 : n * 64 + 64, 0:32], S, 0)",
        "for r in range(2):\n    if T.And(n * 2 + r >= 0, n * 2 + r < 4):\n"
        "        T.noc_read(A.data, n * 2 + r, S.data, r)\n"
        "    else: T.zero_page(S.data, r)",
        {"A": tensor(100, 32), "S": shared(64, 32)},
        "row",
    ),
    "a write that may reach past the end": (
        "copy(S, A[64:128, 0:32], 0)",
        "for r in range(2):\n    if r + 2 < 4: T.noc_write(A.data, r + 2, S.data, r)",
        {"A": tensor(100, 32), "S": shared(64, 32)},
        "row",
    ),
    "a read past the end of a leading dimension": (
        "copy(A[3:5, 0:32, 0:32], S, 0)",
        "for b in range(2):\n    if b + 3 < 4: T.noc_read(A.data, b + 3, S.data, b)\n"
        "    else: T.zero_page(S.data, b)",
        {"A": tensor(4, 32, 32), "S": shared(2, 32, 32)},
        "row",
    ),
    "a read past two ends": (
        "copy(A[32:96, 32:96], S, 0, 1)",
        "for r in range(2):\n    for c in range(2):\n"
        "        if T.And(r + 1 < 2, c + 1 < 3):\n"
        "            T.noc_read(A.data, r * 3 + c + 4, S.data, r * 2 + c)\n"
        "        else: T.zero_page(S.data, r * 2 + c)",
        {"A": tensor(60, 70), "S": shared(64, 64)},
        "row",
    ),
    "a batch": (
        "copy(A[n, 0:64, 0:32], S)",
        "for r in range(2): T.noc_read(A.data, n * 2 + r, S.data, r)",
        {"A": tensor(4, 64, 32), "S": shared(64, 32)},
        "row",
    ),
    "leading dimensions pair up in order": (
        "copy(A[2:4, n, 0:64, 0:32], S)",
        "for b in range(2):\n    for r in range(2):\n"
        "        T.noc_read(A.data, b * 10 + n * 2 + r + 20, S.data, b * 2 + r)",
        {"A": tensor(4, 5, 64, 32), "S": shared(2, 64, 32)},
        "row",
    ),
    "leading dimensions of one": (
        "copy(A[1, 0:32, 0:32], S)",
        "T.noc_read(A.data, 1, S.data, 0)",
        {"A": tensor(4, 32, 32), "S": shared(1, 32, 32)},
        "row",
    ),
    "a vector": (
        "copy(A[32:96], S)",
        "for c in range(2): T.noc_read(A.data, c + 1, S.data, c)",
        {"A": tensor(96), "S": shared(1, 64)},
        "row",
    ),
    "a row of a matrix": (
        "copy(A[32, 0:64], S)",
        "for c in range(2): T.noc_read(A.data, c + 2, S.data, c)",
        {"A": tensor(64, 64), "S": shared(1, 64)},
        "row",
    ),
    "a tensor whose last tiles are partly filled": (
        "copy(A[32:64, 0:32], S)",
        "T.noc_read(A.data, 3, S.data, 0)",
        {"A": tensor(64, 80), "S": shared(32, 32)},
        "row",
    ),
    "a dynamic tensor": (
        "copy(A[32:64, 0:32], S)",
        "T.noc_read(A.data, (n + 31) // 32, S.data, 0)",
        {"A": tensor(64, "n"), "S": shared(32, 32)},
        "row",
    ),
}


@pytest.mark.parametrize("case", COPIES.values(), ids=COPIES)
def test_pages(case):
    before, expected, buffers, order, *axes = case

    def laid_out(body):
        func = scripted(body, scalars=["n"], **buffers)
        return planned(tiled(func, **({"A": axes[0]} if axes else {})), S={"order": order})

    func, after = laid_out(before), laid_out(expected)
    assert_same(LowerCopies().rewrite(func), after)
    assert_same(LowerCopies().rewrite(after), after)


@pytest.mark.parametrize(
    "body",
    [
        "gemm(S, S, S)",
        "transpose(S, S)",
        "for i in T.parallel(64):\n    for j in T.parallel(64): S[i, j] = S[i, j]",
    ],
)
def test_untouched(body):
    check_unchanged(LowerCopies(), planned(tiled(scripted(body, S=shared(64, 64)))))


def test_the_engine_stays_around_the_loop():
    buffers = {"A": tensor(32, 64), "S": shared(32, 64)}
    text = 'with T.attr(0, "tt.engine", "reader"):\n    {}'
    after = text.format("for c in range(2): T.noc_read(A.data, c, S.data, c)")
    assert_same(
        LowerCopies().rewrite(planned(tiled(scripted(text.format("copy(A, S)"), **buffers)))),
        planned(tiled(scripted(after, **buffers))),
    )


def lattice(body):
    cores = ["column", "columns", "row", "rows"]
    buffers = {"A": tensor(64, 64), "S": shared(64, 32)}
    func = scripted(body, scalars=cores, attributes={"tt.core_args": cores}, **buffers)
    return planned(tiled(func), S={"pages": 2})


SENDERS = {
    "row": "column == row % columns",
    "column": "row == column % rows",
    "all": "column == 0 and row == 0",
}


@pytest.mark.parametrize("group", SENDERS)
def test_one_core_of_a_group_reads_and_sends(group):
    before = lattice(f"copy(A[0:64, 32:64], S, {group!r}, 'reader')")
    expected = lattice(
        f"if {SENDERS[group]}:\n"
        "    for r in range(2): T.noc_read(A.data, r * 2 + 1, S.data, r)\n"
        "    T.noc_read_barrier()\n"
        f"    T.multicast_send({group!r}, S.data, 2)\n"
        "    T.noc_writes_flushed()\n"
        f"else: T.multicast_receive({group!r})"
    )
    check(LowerCopies(), before, expected)


def test_the_first_core_of_a_line_reads_and_sends():
    cores = ["core", "cores"]
    buffers = {"A": tensor(64, 64), "S": shared(32, 32)}

    def line(body):
        func = scripted(body, scalars=cores, attributes={"tt.core_args": cores}, **buffers)
        return planned(tiled(func))

    expected = line(
        "if core == 0:\n"
        "    T.noc_read(A.data, 0, S.data, 0)\n"
        "    T.noc_read_barrier()\n"
        "    T.multicast_send('all', S.data, 1)\n"
        "    T.noc_writes_flushed()\n"
        "else: T.multicast_receive('all')"
    )
    check(LowerCopies(), line("copy(A[0:32, 0:32], S, 'all', 'reader')"), expected)


def test_the_cores_of_a_team_hand_blocks_over():
    own = ["part", "parts", "children"]
    buffers = {name: shared(64, 32) for name in "PQSR"}
    ways = {"up": way(64, 32), "down": way(64, 32)}

    def team(body, **ways):
        func = scripted(body, scalars=own, attributes={"tt.core_args": own}, **buffers, **ways)
        pages = {name: {"pages": 2, "depth": 1} for name in buffers}
        return planned(tiled(func), **pages)

    before = team(
        "for c in range(children): copy(up[c, 0:64, 0:32], P, 'children')\n"
        "copy(S, up[0, 0:64, 0:32], 'parent')\n"
        "copy(down[0, 0:64, 0:32], Q, 'parent')\n"
        "for c in range(children): copy(R, down[c, 0:64, 0:32], 'children')",
        **ways,
    )
    expected = team(
        "for c in range(children): T.part_receive('children', c, P.data)\n"
        "T.part_send('parent', 0, 1, S.data, P.data, 2)\n"
        "T.part_receive('parent', 0, Q.data)\n"
        "for c in range(children): T.part_send('children', c, children, R.data, Q.data, 2)"
    )
    check(LowerCopies(), before, expected)


def test_what_is_handed_over_piece_by_piece_is_stored_piece_by_piece():
    buffers = {"C": tensor(128, 64), "S": shared(128, 64)}
    parts = {"producer": "compute", "consumer": "writer", "parts": 2}

    def program(body):
        return planned(tiled(scripted(body, **buffers)), S=parts)

    expected = program(
        "for part in range(2):\n"
        "    T.cb_wait_front(S.data, 4)\n"
        "    for r in range(2):\n"
        "        for c in range(2):\n"
        "            T.noc_write(C.data, part * 4 + r * 2 + c, S.data, r * 2 + c)\n"
        "    T.noc_writes_flushed()\n"
        "    T.cb_pop_front(S.data, 4)"
    )
    check(LowerCopies(), program("copy(S, C[0:128, 0:64])"), expected)
