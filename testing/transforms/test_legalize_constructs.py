"""LegalizeConstructs: hints are dropped, and what has no lowering is refused."""

import pytest
import tilelang
import tilelang.language as tl
from helpers import (
    assert_same,
    at,
    check,
    check_unchanged,
    copy,
    program,
    scripted,
    shared,
    tensor,
    until,
)
from tvm import IRModule, ir, tirx

from tilelang_tt import diagnostics as errors
from tilelang_tt.ir.script import T
from tilelang_tt.transforms.legalize_constructs import LegalizeConstructs

LEGALIZE = LegalizeConstructs()


def test_hints_are_dropped():
    @T.prim_func(private=True)
    def before(A: T.Buffer((64, 128), "bfloat16")):
        with T.sblock("tilelang_root"):
            T.sblock_attr({"tl.launch_threads": [128, 1, 1], "tl.min_blocks_per_sm": 2})
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            T.evaluate(T.tvm_storage_sync("shared"))
            with T.attr(0, "threadblock_swizzle_pattern", "row"):
                for k in T.serial(4, annotations={"num_stages": 3, "tl_pipeline_order": [0]}):
                    copy(A[0:64, k * 32 : k * 32 + 32], A_s)
                    T.evaluate(T.tvm_storage_sync("shared"))

    @T.prim_func(private=True)
    def expected(A: T.Buffer((64, 128), "bfloat16")):
        with T.sblock("tilelang_root"):
            A_s = T.sblock_alloc_buffer((64, 32), "bfloat16", scope="shared.dyn")
            for k in T.serial(4, annotations={"num_stages": 3}):
                copy(A[0:64, k * 32 : k * 32 + 32], A_s)

    check(LEGALIZE, before, expected)


UNTOUCHED = {
    "tile operations": "copy(S, S); transpose(S, S); gemm(S, S, S); fill(S, 0)",
    "reductions": (
        "reduce(S, S, 'sum', 1); reduce(S, S, 'abssum', 0); reduce(S, S, 'max', 0, clear=False)\n"
        "reduce(S, S, 'absmax', 1); reduce(S, S, 'min', 1)"
    ),
    "loops and branches": "for k in range(n):\n    if k == 0: copy(S, S)\n    else: fill(S, 1)",
    "element loops": (
        "for i in T.parallel(64):\n    for j in T.vectorized(64):\n        S[i, j] = S[i, j]"
    ),
    "unrolled loops": "for i in T.unroll(4): copy(S, S)",
}


@pytest.mark.parametrize("body", UNTOUCHED.values(), ids=UNTOUCHED)
def test_untouched(body):
    check_unchanged(LEGALIZE, scripted(body, scalars=["n"], S=shared(64, 64)))


ONE = tirx.const(1, "int32")
BUFFER = tirx.decl_buffer((64, 64), "float32", "S", scope="shared.dyn")
FILL = scripted("fill(S, 0)", S=shared(64, 64)).body.block.body


def call(name, *args, annotations=None):
    return tirx.Evaluate(tirx.Call("handle", ir.Op.get(name), list(args), annotations))


def rewritten(*stmts, **parts):
    return LEGALIZE.rewrite(program([*stmts, FILL], **parts))


@pytest.mark.parametrize(
    "name",
    [
        "tl.no_set_max_nreg",
        "tl.set_max_nreg",
        "tirx.tvm_storage_sync",
        "tirx.assume",
        "tl.launch_thread_idx",
    ],
)
def test_a_hint_operation_is_dropped(name):
    assert_same(rewritten(call(name)), program(FILL))


@pytest.mark.parametrize("key", ["threadblock_swizzle_pattern", "tirx.assume", "tl.assume"])
def test_a_hint_attribute_is_dropped(key):
    attr = tirx.AttrStmt(tirx.const(0, "int32"), key, tirx.const(0, "int32"), FILL)
    assert_same(LEGALIZE.rewrite(program(attr)), program(FILL))


@pytest.mark.parametrize(
    "key",
    [
        "tl.launch_threads",
        "layout_map",
        "l2_hit_ratio_map",
        "tl.non_restrict_params",
        "tl.min_blocks_per_sm",
    ],
)
def test_a_hint_of_the_block_is_dropped(key):
    assert_same(rewritten(annotations={key: 1}), program([FILL]))


@pytest.mark.parametrize(
    "key, kept",
    [
        ("num_stages", True),
        ("coalesced_width", False),
        ("parallel_loop_layout", False),
        ("parallel_prefer_async", False),
        ("parallel_async_without_async_commit_wait", False),
        ("pragma_unroll_explicit", False),
        ("pragma_unroll_factor", False),
        ("tl_pipeline_order", False),
        ("tl_pipeline_stage", False),
    ],
)
def test_only_the_number_of_stages_of_a_loop_is_kept(key, kept):
    def loop(annotations):
        var = tirx.Var("k", "int32")
        return program(tirx.For(var, 0, 4, tirx.ForKind.SERIAL, FILL, annotations=annotations))

    annotation = {key: ONE}
    assert_same(LEGALIZE.rewrite(loop(annotation)), loop(annotation if kept else {}))


@pytest.mark.parametrize(
    "key",
    [
        "coalesced_width",
        "parallel_loop_layout",
        "disable_tma",
        "eviction_policy",
        "prefer_instruction",
    ],
)
def test_a_hint_of_an_operation_is_accepted(key):
    region = FILL.value.args[0]
    rewritten(call("tl.tileop.copy", region, region, annotations={key: ONE}))


OPERATIONS = {
    "tl.tileop.atomicmax": (errors.UnsupportedAtomic, "TT1003: T.atomicmax"),
    "tl.atomic_min_elem_op": (errors.UnsupportedAtomic, "TT1003: T.atomic_min_elem_op"),
    "tl.tileop.wgmma_gemm": (errors.UnsupportedGemmForm, "TT1005: T.wgmma_gemm"),
    "tl.tileop.gemm_blockscaled": (errors.UnsupportedGemmForm, "TT1005: T.gemm_blockscaled"),
    "tl.tileop.async_copy": (errors.UnsupportedAsync, "TT1004: T.async_copy"),
    "tl.tileop.tma_copy": (errors.UnsupportedAsync, "TT1004: T.tma_copy"),
    "tl.mbarrier_wait_parity": (errors.UnsupportedAsync, "TT1004: T.mbarrier_wait_parity"),
    "tl.sync_grid": (errors.UnsupportedAsync, "TT1004: T.sync_grid"),
    "tl.fence_proxy_async": (errors.UnsupportedAsync, "TT1004: T.fence_proxy_async"),
    "tirx.ptx_arrive_barrier": (errors.UnsupportedAsync, "TT1004: T.ptx_arrive_barrier"),
    "tirx.call_extern": (errors.ExternCode, "TT1015: T.call_extern"),
    "tirx.call_pure_extern": (errors.ExternCode, "TT1015: T.call_pure_extern"),
    "tl.tileop.im2col": (errors.UnsupportedTileOp, "TT1001: T.im2col has no lowering"),
    "tirx.break_loop": (errors.UnsupportedTileOp, "TT1001: T.break_loop has no lowering"),
}


@pytest.mark.parametrize("name, error, message", [(k, *v) for k, v in OPERATIONS.items()])
def test_an_operation_without_lowering_is_refused(name, error, message):
    with pytest.raises(error, match=message):
        rewritten(call(name))


@pytest.mark.parametrize("kind", ["bitand", "bitor", "bitxor"])
def test_a_reduction_without_lowering_is_refused(kind):
    func = scripted(f"reduce(S, S, '{kind}', 1)", S=shared(64, 64))
    with pytest.raises(errors.UnsupportedReduction, match=f"TT1002: T.reduce_{kind} is"):
        LEGALIZE.rewrite(func)


def test_a_reduction_of_a_place_that_depends_on_data_is_refused():
    body = "reduce(S[T.Cast('int32', S[0, 0]), 0:64], V, 'sum', 0)"
    with pytest.raises(errors.DataDependent, match="TT1016: a region depends on the value of 'S'"):
        LEGALIZE.rewrite(scripted(body, S=shared(64, 64), V=shared(1)))


INFINITE = {
    "infinity": ("T.infinity('float32')", "T.float32('inf')"),
    "its negation": ("T.infinity('float32') * T.float32(-1)", "T.float32('-inf')"),
    "inside an expression": (
        "T.max(S[i, j], T.infinity('float32') * T.float32(-1))",
        "T.max(S[i, j], T.float32('-inf'))",
    ),
    "products that are no constants": ("S[i, j] * T.float32(2)", "S[i, j] * T.float32(2)"),
}


@pytest.mark.parametrize("before, expected", INFINITE.values(), ids=INFINITE)
def test_infinities_become_literals(before, expected):
    store = "for i in T.parallel(64):\n    for j in T.parallel(64): S[i, j] = {}"
    buffers = {"S": shared(64, 64, dtype="float32")}
    check(
        LEGALIZE,
        scripted(store.format(before), **buffers),
        scripted(store.format(expected), **buffers),
    )


def test_an_operation_inside_a_parallel_loop_is_refused():
    loop = tirx.For(
        tirx.Var("i", "int32"), 0, 4, tirx.ForKind.PARALLEL, call("tl.atomic_max_elem_op")
    )
    with pytest.raises(errors.UnsupportedAtomic, match="TT1003"):
        rewritten(loop)


def test_the_value_that_an_atomic_returns_is_refused():
    value = tirx.Call("float32", ir.Op.get("tl.atomic_add_ret_elem_op"), [])
    buffer = tirx.decl_buffer((64,), "float32", "S", scope="shared")
    with pytest.raises(errors.UnsupportedAtomic, match="TT1003: the value that an atomic returns"):
        rewritten(tirx.BufferStore(buffer, value, [ONE]), buffers=[buffer])


@pytest.mark.parametrize("name", ["tensor_take", "tensor_give"])
def test_what_the_compiler_inserted_stays(name):
    func = scripted(f"T.{name}(A.data)", A=tensor(64, 64))
    check(LEGALIZE, func, func)


def test_a_statement_without_lowering_is_refused():
    with pytest.raises(errors.UnsupportedStatement, match="TT1006: a While statement"):
        rewritten(tirx.While(tirx.const(True, "bool"), FILL))


def test_a_thread_bound_loop_is_refused():
    body = 'for t in T.thread_binding(4, thread="threadIdx.x"): fill(S, 0)'
    with pytest.raises(errors.UnsupportedStatement, match="TT1006: a thread-bound loop over t"):
        LEGALIZE.rewrite(scripted(body, S=shared(64, 64)))


@pytest.mark.parametrize("scope", ["local", "shared.barrier", "shared.tmem", "global"])
def test_a_scope_without_counterpart_is_refused(scope):
    buffer = tirx.decl_buffer((64, 64), "float32", "S", scope=scope)
    with pytest.raises(errors.UnsupportedScope, match=f"TT1008: buffer 'S' has scope '{scope}'"):
        rewritten(buffers=[buffer])


@pytest.mark.parametrize("scope", ["shared", "shared.dyn", "local.fragment", "local.var"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int32", "int8", "uint8"])
def test_a_buffer_is_accepted(scope, dtype):
    rewritten(buffers=[tirx.decl_buffer((64, 64), dtype, "S", scope=scope)])


@pytest.mark.parametrize(
    "dtype, reason",
    [
        ("uint16", "is not supported yet"),
        ("float64", "Tensix has no tile format for"),
        ("int64", "Tensix has no tile format for"),
    ],
)
def test_a_dtype_without_lowering_is_refused(dtype, reason):
    buffer = tirx.decl_buffer((64, 64), dtype, "S", scope="shared.dyn")
    with pytest.raises(errors.UnsupportedDtype, match=f"TT1009: buffer 'S' .* {dtype}, .*{reason}"):
        rewritten(buffers=[buffer])
    tensor = tirx.decl_buffer((64, 64), dtype, "A")
    with pytest.raises(errors.UnsupportedDtype, match=f"TT1009: tensor 'A' .* {dtype}, .*{reason}"):
        rewritten(tensors=[tensor])


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_a_scalar_is_accepted(dtype):
    rewritten(scalars=[tirx.Var("n", dtype)])


@pytest.mark.parametrize("dtype", ["int64", "float16", "bool", "handle"])
def test_a_parameter_that_cannot_be_passed_is_refused(dtype):
    with pytest.raises(
        errors.UnsupportedParameter, match=f"TT1013: parameter 'n' is of type {dtype}"
    ):
        rewritten(scalars=[tirx.Var("n", dtype)])


def test_a_name_means_one_thing():
    first, second = tl.dynamic("m"), tl.dynamic("m")

    @tl.prim_func
    def kernel(A: tl.Tensor((first, 32), "bfloat16"), C: tl.Tensor((second, 32), "bfloat16")):
        with tl.Kernel(1):
            tl.copy(A[0:32, 0:32], C[0:32, 0:32])

    with pytest.raises(errors.UnsupportedParameter, match="'m' is the name of two different"):
        until(kernel, "tt.FoldClears")


@pytest.mark.parametrize(
    "strides, accepted", [((64, 1), True), ((128, 1), False), ((1, 64), False)]
)
def test_only_contiguous_tensors_are_accepted(strides, accepted):
    tensor = tirx.decl_buffer((64, 64), "float32", "A", strides=strides)
    if accepted:
        rewritten(tensors=[tensor])
        return
    with pytest.raises(errors.UnsupportedParameter, match="TT1013: parameter 'A' is a strided"):
        rewritten(tensors=[tensor])


def test_annotations_that_change_the_program_are_refused():
    region = FILL.value.args[0]
    loop = tirx.For(
        tirx.Var("k", "int32"), 0, 4, tirx.ForKind.SERIAL, FILL, annotations={"what": ONE}
    )
    attr = tirx.AttrStmt(tirx.const(0, "int32"), "warp_specialize", tirx.const(0, "int32"), FILL)
    for stmt, what in (
        (
            call("tl.tileop.copy", region, region, annotations={"cluster_mask": ONE}),
            "'cluster_mask'",
        ),
        (loop, "the loop annotation 'what'"),
        (attr, "the attribute 'warp_specialize'"),
    ):
        with pytest.raises(errors.UnsupportedSemantics, match=f"TT1014: .*{what} changes"):
            rewritten(stmt)
    with pytest.raises(errors.UnsupportedSemantics, match="TT1014: the block annotation 'safe_va"):
        rewritten(annotations={"safe_value_map": 1})


@pytest.mark.parametrize(
    "kernel",
    ["store value", "store index", "loop extent", "condition", "operand"],
)
def test_a_thread_index_is_refused(kernel):
    index = tirx.call_intrin("int32", ir.Op.get("tl.launch_thread_idx"), 0)
    zero = tirx.const(0, "int32")
    var = tirx.Var("k", "int32")
    stmt = {
        "store value": tirx.BufferStore(BUFFER, tirx.Cast("float32", index), [zero, zero]),
        "store index": tirx.BufferStore(BUFFER, tirx.const(0, "float32"), [index, zero]),
        "loop extent": tirx.For(var, zero, index, tirx.ForKind.SERIAL, FILL),
        "condition": tirx.IfThenElse(index == 0, FILL, None),
        "operand": call("tl.tileop.fill", FILL.value.args[0], index),
    }[kernel]
    with pytest.raises(errors.ThreadIndexUsed, match="TT1011"):
        rewritten(stmt)


DEPENDENT = {
    "a loop": "for k in range(V[0]): fill(S, 0)",
    "a branch": "if V[1] == 0: fill(S, 0)",
    "a region": "copy(A[V[0] : V[0] + 64, 0:64], S)",
    "clear_accum": "gemm(S, S, S, clear=V[2] == 0)",
}


@pytest.mark.parametrize("what, body", DEPENDENT.items())
def test_control_that_depends_on_data_is_refused(what, body):
    func = scripted(body, A=tensor(128, 64), S=shared(64, 64), V=shared(4, dtype="int32"))
    with pytest.raises(errors.DataDependent, match=f"TT1016: {what} depends on the value of 'V'"):
        LEGALIZE.rewrite(func)


def test_a_serial_loop_of_one_iteration_is_its_body():
    body = (
        "for k in T.serial(3, 4, annotations={'num_stages': 2}): copy(A[k * 32 : k * 32 + 32], S)\n"
        "for i in T.parallel(1):\n    S[i] = S[i] + S[i]"
    )
    after = "copy(A[96:128], S)\nfor i in T.parallel(1):\n    S[0] = S[0] + S[0]"
    buffers = {"A": tensor(128), "S": shared(32)}
    actual = tilelang.transform.Simplify()(
        IRModule({"main": LEGALIZE.rewrite(scripted(body, **buffers))})
    )["main"]
    assert_same(actual, scripted(after, **buffers))


@pytest.mark.parametrize(
    "nothing",
    [
        "T.evaluate(0)",
        "for k in range(2): T.evaluate(0)",
        "for k in range(2):\n    for l in range(2): T.evaluate(T.tvm_storage_sync('shared'))",
    ],
)
def test_what_does_nothing_is_dropped(nothing):
    buffers = {"A": tensor(64, 64), "S": shared(64, 64)}
    before = scripted(f"{nothing}\ncopy(A, S)\n{nothing}", **buffers)
    check(LEGALIZE, before, scripted("copy(A, S)", **buffers))


def test_errors_point_at_the_users_line():
    @tl.prim_func
    def atomic(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            A_l = tl.alloc_fragment((64, 64), "float32")
            tl.atomic_max(A, A_l)  # <- atomic

    @tl.prim_func
    def extern(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):
            tl.call_extern("handle", "f", A.data)  # <- extern

    @tl.prim_func
    def annotated(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1):  # <- annotated
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.annotate_safe_value({A: 1.0})
            tl.copy(A, A_s)

    for kernel, error, text, marker in (
        (atomic, errors.UnsupportedAtomic, "TT1003", "# <- atomic"),
        (extern, errors.ExternCode, "TT1015", "# <- extern"),
        (annotated, errors.UnsupportedSemantics, "TT1014", "# <- annotated"),
    ):
        with pytest.raises(error, match=at(text, __file__, marker)):
            LEGALIZE.rewrite(until(kernel, LEGALIZE.name))


def test_what_is_about_the_whole_function_points_at_the_kernel():
    @tl.prim_func
    def double(A: tl.Tensor((64, 64), "float64")):
        with tl.Kernel(1):  # <- double
            tl.evaluate(0)

    @tl.prim_func
    def long(A: tl.Tensor((64, 64), "float32"), n: tl.int64):
        with tl.Kernel(1):  # <- long
            tl.evaluate(n)

    @tl.prim_func
    def thread(A: tl.Tensor((64, 64), "float32")):
        with tl.Kernel(1, threads=64):
            tx = tl.get_thread_binding()
            A_s = tl.alloc_shared((64, 64), "float32")
            for i in tl.serial(64):
                A_s[tx, i] = 1  # <- thread

    for kernel, error, text, marker in (
        (double, errors.UnsupportedDtype, "TT1009", "# <- double"),
        (long, errors.UnsupportedParameter, "TT1013", "# <- long"),
        (thread, errors.ThreadIndexUsed, "TT1011", "# <- thread"),
    ):
        with pytest.raises(error, match=at(text, __file__, marker)):
            LEGALIZE.rewrite(until(kernel, LEGALIZE.name))
