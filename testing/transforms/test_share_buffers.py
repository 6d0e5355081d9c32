"""ShareBuffers: values that are never needed at the same time share a buffer."""

import itertools

import pytest
from helpers import asked, check, check_unchanged, fragment, scripted, tensor

from tilelang_tt.ir.frame import Frame
from tilelang_tt.transforms.share_buffers import ShareBuffers

L = fragment(32, 32, dtype="float32")
BUFFERS = {"A": tensor(32, 32, dtype="float32"), "D": tensor(32, 32, dtype="float32")}


def nest(dst, value):
    return f"for i in T.parallel(32):\n    for j in T.parallel(32): {dst}[i, j] = {value}\n"


def program(body, *names, **more):
    return scripted(body, **BUFFERS, **dict.fromkeys(names, L), **more)


def chain(*names):
    """Each value made of the one before."""
    pairs = itertools.pairwise(names)
    links = "".join(nest(new, f"{old}[i, j] * T.float32(2)") for old, new in pairs)
    return f"copy(A, {names[0]})\n{links}copy({names[-1]}, D)"


def test_the_third_value_of_a_chain_takes_the_place_of_the_first():
    before = program(chain("In", "X", "Y", "Z", "Out"), "In", "X", "Y", "Z", "Out")
    expected = program(chain("In", "X", "Y", "X", "Out"), "In", "X", "Y", "Out")
    check(ShareBuffers(), before, expected)


def test_a_value_whose_depth_is_chosen_keeps_its_buffer():
    wish = asked(("depth", "Z", 2))
    func = program(chain("In", "X", "Y", "Z", "Out"), "In", "X", "Y", "Z", "Out", attributes=wish)
    check_unchanged(ShareBuffers(), func)


def test_a_value_that_is_needed_later_keeps_its_buffer():
    body = chain("In", "X", "Y", "Z", "Out").replace(
        "copy(Out, D)", nest("Out", "X[i, j] + Z[i, j]") + "copy(Out, D)"
    )
    check_unchanged(ShareBuffers(), program(body, "In", "X", "Y", "Z", "Out"))


def test_a_value_carried_through_a_loop_keeps_its_buffer():
    loop = "for k in range(3):\n" + "".join(
        f"    {line}\n"
        for text in (nest("Y", "X[i, j] + T.float32(1)"), nest("Z", "Y[i, j] * T.float32(2)"),
                     nest("X", "X[i, j] + Z[i, j]"))
        for line in text.splitlines()
    )  # fmt: skip
    body = f"{nest('X', 'T.float32(0)')}{loop}{nest('Out', 'X[i, j]')}copy(Out, D)"
    check_unchanged(ShareBuffers(), program(body, "X", "Y", "Z", "Out"))


def test_buffers_of_other_engines_are_their_own():
    after = ShareBuffers().rewrite(program(chain("In", "X", "Out"), "In", "X", "Out"))
    assert [buffer.name for buffer in Frame.of(after).buffers] == ["In", "X", "Out"]


@pytest.mark.parametrize(
    "other", [fragment(32, 32), fragment(64, 32, dtype="float32")], ids=["dtype", "shape"]
)
def test_only_buffers_of_one_kind_are_shared(other):
    value = nest("Z", "Y[i, j]").replace("32", str(other.shape[0]), 1)
    body = (
        f"copy(A, In)\n{nest('X', 'In[i, j]')}{nest('Y', 'X[i, j]')}{value}{nest('W', 'Z[i, j]')}"
    )
    func = program(body + "copy(W, D)", "In", "X", "Y", "W", Z=other)
    kept = [buffer.name for buffer in Frame.of(ShareBuffers().rewrite(func)).buffers]
    assert "Z" in kept


def test_what_the_matrix_unit_reads_is_not_shared_with_what_it_does_not():
    body = (
        f"copy(A, In)\n{nest('X', 'In[i, j]')}{nest('Y', 'X[i, j]')}"
        f"{nest('Z', 'Y[i, j]')}gemm(Z, Z, Out, clear=True)\ncopy(Out, D)"
    )
    check_unchanged(ShareBuffers(), program(body, "In", "X", "Y", "Z", "Out"))
