"""The statements of a program: domains, order, blocks, costs."""

import dataclasses

import islpy as isl
import pytest
from helpers import DEVICE, fragment, scripted, shared, tensor

from tilelang_tt.analysis.schedule import Machine, schedule
from tilelang_tt.ir.frame import Frame
from tilelang_tt.plan import Unknown
from tilelang_tt.transforms.assign_engines import AssignEngines

MACHINE = Machine(DEVICE, phases=4, cores=64)
NEST = "for i in T.parallel(64):\n    for j in T.parallel(64): {}\n"
TENSORS = {"A": tensor(64, 64), "C": tensor(64, 64)}
BUFFERS = {**TENSORS, "S": shared(64, 64), "L": shared(64, 64), "O": shared(64, 64)}


def statements(body, machine=MACHINE, **changes):
    func = AssignEngines().rewrite(scripted(body, **{**BUFFERS, **changes}))
    return schedule(Frame.of(func), machine)


def domains(body, **changes):
    return [isl.Set(each.domain) for each in statements(body, **changes).statements]


def test_statements_have_engines_results_and_places():
    body = "copy(A, S)\nfor k in T.serial(3):\n    transpose(S, O)\n    copy(O, C)\ncopy(S, C)"
    found = statements(body).statements
    assert [(each.name, each.engine, each.result) for each in found] == [
        ("S0", "reader", "S"),
        ("S1", "compute", "O"),
        ("S2", "writer", "C"),
        ("S3", "writer", "C"),
    ]
    assert [each.place for each in found] == [(0,), (1, 0), (1, 1), (2,)]
    assert [each.loops for each in found] == [(), ("k",), ("k",), ()]
    assert found[1].order(2) == "{ S1[k] -> [1, k, 0, 0, 0] }"


@pytest.mark.parametrize(
    "loop, domain",
    [
        ("T.serial(4)", "{ S0[k] : 0 <= k < 4 }"),
        ("T.serial(n)", "[n] -> { S0[k] : 0 <= k < n }"),
        ("T.serial(2, n)", "[n] -> { S0[k] : 0 <= k < n - 2 }"),
        ("T.serial((n + 31) // 32)", "[n] -> { S0[k] : 0 <= k < floor((n + 31)/32) }"),
        ("T.serial(T.min(n, 7))", "[n] -> { S0[k] : 0 <= k < n and k < 7 }"),
        ("T.serial(T.max(n % 3, 1))", "[n] -> { S0[k] : 0 <= k < n mod 3 or k = 0 }"),
    ],
)
def test_extents(loop, domain):
    (found,) = domains(f"for k in {loop}:\n    copy(A, S)", scalars=["n"])
    assert found == isl.Set(domain)


@pytest.mark.parametrize(
    "condition, domain",
    [
        ("k < 2", "k < 2"),
        ("k + n == 5", "k + n = 5"),
        ("k != 3 and k % 2 == 1", "k != 3 and k mod 2 = 1"),
        ("k >= n or k <= 1", "(k >= n or k <= 1)"),
        ("T.Not(k > 2)", "k <= 2"),
        ("k * 3 - 2 * n > 0", "3k - 2n > 0"),
    ],
)
def test_conditions(condition, domain):
    body = f"for k in T.serial(4):\n    if {condition}:\n        copy(A, S)\n"
    then, other = domains(f"{body}    else:\n        copy(A, O)", scalars=["n"])
    assert then == isl.Set(f"[n] -> {{ S0[k] : 0 <= k < 4 and {domain} }}")
    assert other == isl.Set(f"[n] -> {{ S1[k] : 0 <= k < 4 and not ({domain}) }}")


def test_an_inner_loop_may_depend_on_an_outer_one():
    body = "for i in T.serial(4):\n    for j in T.serial(i, 4):\n        copy(A, S)"
    assert domains(body) == [isl.Set("{ S0[i, j] : 0 <= i < 4 and 0 <= j < 4 - i }")]


def test_iterations_count_from_zero():
    body = "for k in T.serial(5, 9):\n    if k > 6:\n        copy(A, S)"
    assert domains(body) == [isl.Set("{ S0[k] : 0 <= k < 4 and k + 5 > 6 }")]


def test_what_is_not_affine_is_an_unknown_number():
    body = (
        "for t in T.serial(4):\n"
        "    for k in T.serial(t * n // 8 + 1):\n"
        "        if k - t * m < 0:\n"
        "            copy(A, S)\n"
    )
    found = statements(body, scalars=["n", "m"])
    assert found.unknowns == (
        Unknown("unknown", "t * n // 8 + 1", ("t",)),
        Unknown("unknown_1", "t * m", ("t",)),
    )
    (domain,) = [isl.Set(each.domain) for each in found.statements]
    assert domain == isl.Set(
        "[unknown, unknown_1] -> { S0[t, k] : 0 <= t < 4 and 0 <= k < unknown and k < unknown_1 }"
    )


def test_an_unknown_number_is_one_wherever_it_stands():
    loop = "for {0} in T.serial(n * n):\n    copy(A, S)\n"
    found = statements(loop.format("k") + loop.format("j"), scalars=["n"])
    assert found.unknowns == (Unknown("unknown", "n * n", ()),)


def test_loops_of_one_name_have_unknown_numbers_of_their_own():
    loop = "for k in T.serial(4):\n    if k * k > n:\n        copy(A, S)\n"
    found = statements(loop + loop, scalars=["n"])
    assert [each.loops for each in found.unknowns] == [("k",), ("k_1",)]


def test_a_truth_that_is_no_comparison_is_unknown():
    flag = "if T.Cast('bool', n):\n    copy(A, S)"
    assert domains(flag, scalars=["n"]) == [isl.Set("[unknown] -> { S0[] : unknown != 0 }")]


def test_loops_of_one_name_are_told_apart():
    body = "for k in T.serial(2):\n    copy(A, S)\nfor k in T.serial(3):\n    copy(A, O)"
    assert [each.loops for each in statements(body).statements] == [("k",), ("k_1",)]


def test_what_is_read_may_be_another_number_in_each_iteration():
    body = "for k in T.serial(2):\n    if I[0, 0] > 0:\n        copy(A, S)"
    found = statements(body, I=shared(32, 32, dtype="int32"))
    assert [each.loops for each in found.unknowns] == [("k",)]


@pytest.mark.parametrize("name", ["mod", "Min"])
def test_a_name_of_isl_is_changed(name):
    (found,) = statements(f"for {name} in T.serial(2):\n    copy(A, S)").statements
    assert found.loops == (f"{name}_",)
    assert isl.Set(found.domain) == isl.Set("{ S0[i] : 0 <= i < 2 }")


# Blocks. ------------------------------------------------------------------------------------------


def blocks(body, **changes):
    """What statements reserve, publish and read."""
    found = statements(body, **changes).statements
    return [
        tuple("".join(names) for names in (each.reserves, each.publishes, each.reads))
        for each in found
    ]


def test_a_statement_reserves_and_publishes_what_it_writes():
    body = "copy(A, S)\n" + NEST.format("O[i, j] = S[i, j] + S[i, j]") + "copy(O, C)"
    assert blocks(body) == [("S", "S", ""), ("O", "O", "S"), ("", "", "O")]


def test_an_accumulation_reserves_at_its_beginning_and_publishes_at_its_end():
    body = "begin(L)\nfor k in T.serial(3):\n    copy(A, S)\n    gemm(S, S, L)\nend(L)\ncopy(L, C)"
    assert blocks(body, L=fragment(64, 64)) == [
        ("L", "", ""),
        ("S", "S", ""),
        ("", "", "S"),
        ("", "L", ""),
        ("", "", "L"),
    ]


def test_an_accumulation_onto_a_value_begins_where_that_is_made():
    body = NEST.format("L[i, j] = L[i, j] + S[i, j]") + "onto(L)\ngemm(S, S, L)\nend(L)"
    assert blocks(body) == [("L", "", "LS"), ("", "", ""), ("", "", "S"), ("", "L", "")]


def test_both_branches_may_begin_an_accumulation():
    body = (
        "if n > 0:\n    transpose(S, L)\nelse:\n    transpose(O, L)\nonto(L)\ngemm(S, S, L)\nend(L)"
    )
    assert blocks(body, scalars=["n"])[:2] == [("L", "", "S"), ("L", "", "O")]


# Costs. -------------------------------------------------------------------------------------------


def test_costs_grow_with_the_work_and_the_cores():
    load, product, store = statements(
        "copy(A, S)\ngemm(S, S, O, clear=True)\ncopy(O, C)"
    ).statements
    assert min(each.cycles for each in (load, product, store)) > 0
    assert (load.send_cycles, store.send_cycles) == (0, 0)
    fewer = dataclasses.replace(MACHINE, cores=2, phases=1)
    other = statements("copy(A, S)\ngemm(S, S, O, clear=True)", fewer).statements
    assert other[0].cycles < load.cycles
    assert other[1].cycles == product.cycles / 4


def test_what_is_read_for_others_is_also_sent():
    own, shared_load = statements("copy(A, S)\ncopy(A, O, 'row', 'writer')").statements
    assert shared_load.engine == "writer"
    assert shared_load.send_cycles > 0
    assert shared_load.cycles < own.cycles
