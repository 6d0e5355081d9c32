"""split_kernels: each engine gets its own statements and the control flow around them."""

import pytest
from helpers import assert_same, scripted, shared, tensor

from tilelang_tt.ir import attrs
from tilelang_tt.transforms.split_kernels import ROLE, split_kernels

BUFFERS = {"A": tensor(64, 64), "C": tensor(64, 64), "S": shared(32, 32)}
STATEMENTS = {
    "reader": "T.noc_read(A.data, 0, S.data, 0)",
    "compute": "T.copy_tile(S.data, 0, 0)",
    "writer": "T.noc_write(C.data, 0, S.data, 0)",
}


def on(engine):
    return f'with T.attr(0, "tt.engine", "{engine}"): {STATEMENTS[engine]}'


def split(body):
    return split_kernels(scripted(body, scalars=["n"], **BUFFERS))


def check_split(body, **expected):
    kernels = split(body)
    for engine in attrs.ENGINES:
        kernel = kernels[engine]
        assert kernel.attrs["global_symbol"] == kernel.attrs[ROLE] == engine
        text = expected.get(engine, "T.evaluate(0)")
        assert_same(kernel.without_attr(ROLE), scripted(text, scalars=["n"], **BUFFERS))


SPLIT = {
    "a sequence": (
        "\n".join(on(engine) for engine in STATEMENTS),
        STATEMENTS,
    ),
    "a loop that two engines share": (
        f"for k in range(4):\n    {on('reader')}\n    {on('compute')}\n{on('writer')}",
        {
            "reader": f"for k in range(4): {STATEMENTS['reader']}",
            "compute": f"for k in range(4): {STATEMENTS['compute']}",
            "writer": STATEMENTS["writer"],
        },
    ),
    "a section of the registers around a loop": (
        "with T.attr(0, 'tt.dst_section', 'math, then pack'):\n"
        f"    for k in range(4):\n        {on('reader')}\n        {on('compute')}",
        {
            "reader": f"for k in range(4): {STATEMENTS['reader']}",
            "compute": "with T.attr(0, 'tt.dst_section', 'math, then pack'):\n"
            f"    for k in range(4): {STATEMENTS['compute']}",
        },
    ),
    "a branch": (
        f"if n == 0:\n    {on('reader')}\nelse:\n    {on('compute')}",
        {
            "reader": f"if n == 0: {STATEMENTS['reader']}",
            "compute": f"if not (n == 0): {STATEMENTS['compute']}",
        },
    ),
    "both sides of a branch": (
        f"if n == 0:\n    {on('reader')}\nelse:\n    {on('reader')}",
        {"reader": f"if n == 0: {STATEMENTS['reader']}\nelse: {STATEMENTS['reader']}"},
    ),
    "nothing": ("T.evaluate(0)", {}),
}


@pytest.mark.parametrize("body, expected", SPLIT.values(), ids=SPLIT)
def test_split(body, expected):
    check_split(body, **expected)


def test_the_annotations_of_a_loop_stay():
    body = f"for k in T.serial(4, annotations={{'num_stages': 3}}):\n    {on('reader')}"
    expected = f"for k in T.serial(4, annotations={{'num_stages': 3}}): {STATEMENTS['reader']}"
    check_split(body, reader=expected)


def test_an_operation_without_an_engine_is_a_fault_of_the_compiler():
    with pytest.raises(AssertionError):
        split(STATEMENTS["reader"])
