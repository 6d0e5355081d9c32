"""AssignEngines: every statement runs on an engine, under a comment that names its line."""

import pytest
import tilelang.language as tl
from helpers import assert_same, calls, fragment, line_marked, scripted, shared, tensor, until

from tilelang_tt.ir import ops
from tilelang_tt.transforms.assign_engines import AssignEngines

BUFFERS = {
    "A": tensor(64, 64),
    "C": tensor(64, 64),
    "S": shared(64, 64),
    "L": fragment(64, 64),
}
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64): L[i, j] = S[i, j]"
ENGINES = {
    "a copy in": ("copy(A, S)", "reader"),
    "a copy out": ("copy(S, C)", "writer"),
    "a nest": (NEST, "compute"),
    "a product": ("gemm(S, S, L)", "compute"),
    "taking a tensor": ("T.tensor_take(A.data)", "reader"),
    "giving it back": ("T.tensor_give(A.data)", "writer"),
    "a transposition": ("transpose(S, L)", "compute"),
}


def on(engine, body):
    text = "\n".join("    " + line for line in body.splitlines())
    return f'with T.attr(0, "tt.engine", "{engine}"):\n{text}\n'


@pytest.mark.parametrize("body, engine", ENGINES.values(), ids=ENGINES)
def test_engine(body, engine):
    after = AssignEngines().rewrite(scripted(body, **BUFFERS))
    assert_same(after, scripted(on(engine, body), **BUFFERS))


def test_control_flow_stays_around_the_engines():
    before = "for k in range(4):\n    if k == n: copy(A, S)\n    else: copy(S, C)"
    after = (
        "for k in range(4):\n    if k == n:\n        with T.attr(0, 'tt.engine', 'reader'):\n"
        "            copy(A, S)\n    else:\n        with T.attr(0, 'tt.engine', 'writer'):\n"
        "            copy(S, C)"
    )
    assert_same(
        AssignEngines().rewrite(scripted(before, scalars=["n"], **BUFFERS)),
        scripted(after, scalars=["n"], **BUFFERS),
    )


def test_a_comment_names_the_users_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, A_s)  # <- in
            tl.copy(A_s, C)  # <- out

    after = AssignEngines().rewrite(until(kernel, AssignEngines.name))
    texts = [call.args[0].value for call in calls(after, ops.COMMENT)]
    assert texts == [
        f"test_assign_engines.py:{line_marked(__file__, '# <- in')}: tl.copy(A, A_s)  # <- in",
        f"test_assign_engines.py:{line_marked(__file__, '# <- out')}: tl.copy(A_s, C)  # <- out",
    ]
