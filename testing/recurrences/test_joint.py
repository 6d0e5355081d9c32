"""Schedules of all statements together, checked by hand."""

import islpy as isl
import pytest

import tilelang_tt
from testing.kernels import programs
from testing.kernels.programs import compiled
from testing.recurrences.statements import ALSO, END, LOAD, START, UPDATE, USE, statement, system
from tilelang_tt import cli
from tilelang_tt.recurrences import joint
from tilelang_tt.recurrences.joint import OBJECTIVES, forbidding, joint_schedule

HANDED = system(LOAD, statement("S1", "compute", (0, 1), takes="A", loops=("k",), domain="0<=k<n"))


def names(wave):
    return [f"{each.statement.name}{list(each.iterations)}" for each in wave.instances]


@pytest.mark.parametrize(
    "depth, waves",
    [
        (1, [["S0[0]"], ["S1[0]"], ["S0[1]"], ["S1[1]"], ["S0[2]"], ["S1[2]"]]),
        (2, [["S0[0]"], ["S1[0]", "S0[1]"], ["S1[1]", "S0[2]"], ["S1[2]"]]),
    ],
)
def test_with_two_blocks_the_next_load_runs_beside_a_use(depth, waves):
    found = joint_schedule(HANDED, {"A": depth}, "latency")
    assert [sorted(names(wave)) for wave in found.waves(3)] == [sorted(wave) for wave in waves]
    assert found.in_flight(3) == {"A": depth}


def test_locality_keeps_a_load_and_its_use_together():
    found = joint_schedule(HANDED, {"A": 2}, "locality")
    assert [names(wave) for wave in found.waves(2)] == [["S0[0]"], ["S1[0]"], ["S0[1]"], ["S1[1]"]]
    assert found.in_flight(3) == {"A": 1}


def test_an_engine_runs_one_instance_after_the_other():
    found = joint_schedule(system(LOAD, USE, ALSO), {"A": 2, "B": 2, "D": 2}, "latency")
    for wave in found.waves(3):
        engines = [each.statement.engine for each in wave.instances]
        assert len(set(engines)) == len(engines)


def test_a_value_that_is_carried_is_made_step_by_step():
    found = joint_schedule(system(START, UPDATE, END), {"A": 2}, "latency")
    flat = [name for wave in found.waves(3) for name in names(wave)]
    assert flat == ["S0[]", "S1[0]", "S1[1]", "S1[2]", "S2[]"]
    assert found.in_flight(3) == {"A": 2}


def test_a_statement_that_never_runs_has_no_time():
    never = statement("S1", "compute", (0, 1), "0 <= k < 0", loops=("k",), takes="A")
    found = joint_schedule(system(LOAD, never), {"A": 1}, "latency")
    assert found.text(never) == "never"
    assert "S0[k]" in found.text(LOAD)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_options_of_isl_are_as_before(objective):
    context = isl.DEFAULT_CONTEXT
    before = context.get_schedule_algorithm(), context.get_schedule_whole_component()
    joint_schedule(HANDED, {"A": 2}, objective)
    assert before == (context.get_schedule_algorithm(), context.get_schedule_whole_component())


def test_a_schedule_that_breaks_a_dependence_is_noticed():
    times = {
        "S0": isl.Map("[n] -> { S0[k] -> [k] }"),
        "S1": isl.Map("[n] -> { S1[k] -> [k] }"),
    }
    flow = HANDED.flow("A")
    assert not joint._goes_forward(flow, times)
    assert joint._goes_forward(flow, {**times, "S1": isl.Map("[n] -> { S1[k] -> [k + 1] }")})


def test_dimensions_that_tell_nothing_apart_are_left_out():
    times = {
        "S0": isl.Map("{ S0[k] -> [3, k, 0] }"),
        "S1": isl.Map("{ S1[k] -> [3, k, 1] }"),
    }
    assert joint._without_constants(times)["S1"] == isl.Map("{ S1[k] -> [k, 1] }")


@pytest.fixture
def kernel():
    return compiled(programs.gemm, (192, 160, 192), (64, 32, 64))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_waves_of_a_kernel(kernel, objective):
    text = tilelang_tt.wavefronts(kernel, objective)
    for each in tilelang_tt.artifact(kernel).plan.schedule.statements:
        assert f"{each.name} " in text
    assert "A_s" in text.split("blocks in flight")[1]


def test_loads_run_beside_products(kernel):
    lines = tilelang_tt.wavefronts(kernel, "latency").splitlines()
    statements = tilelang_tt.artifact(kernel).plan.schedule.statements
    load = next(each.name for each in statements if each.result == "A_s")
    product = next(each.name for each in statements if "A_s" in each.reads)
    assert any(f"{load}[0, 1]" in line and f"{product}[0, 0]" in line for line in lines)


def test_an_unknown_objective_is_refused(kernel):
    with pytest.raises(ValueError, match="latency, locality"):
        tilelang_tt.wavefronts(kernel, "energy")


def test_the_command_line_prints_the_waves_of_what_was_saved(kernel, tmp_path, capsys):
    tilelang_tt.save(kernel, tmp_path)
    capsys.readouterr()
    assert cli.main(["waves", str(tmp_path), "--objective", "locality"]) == 0
    assert capsys.readouterr().out == tilelang_tt.wavefronts(kernel, "locality") + "\n"
    assert cli.main(["waves", str(tmp_path / "nothing")]) == 1
    assert "TT6004" in capsys.readouterr().err


STORE = statement("S3", "writer", (0, 3), takes="B", loops=("k",), domain="0 <= k < n")
CHAIN = system(LOAD, USE, STORE)
FUSED = "S0[k] -> [0, k, 0]; S1[k] -> [0, k, 1]; S3[k] -> [0, k, 2]"
ONE_LOOP_EACH = "S0[k] -> [0, k, 0]; S1[k] -> [1, k, 0]; S3[k] -> [2, k, 0]"
PIPELINED = "S0[k] -> [0, k, 0]; S1[k] -> [0, k + 1, 0]; S3[k] -> [0, k + 2, 0]"
TOO_EARLY = "S0[k] -> [0, k + 1, 0]; S1[k] -> [0, k, 1]; S3[k] -> [0, k, 2]"
BACKWARDS = "S0[k] -> [0, -k, 0]; S1[k] -> [0, -k, 1]; S3[k] -> [0, -k, 2]"


@pytest.mark.parametrize(
    "order, depth, forbids",
    [
        (FUSED, 1, "{ }"),
        (
            ONE_LOOP_EACH,
            2,
            "[n] -> { S1[k] -> S0[k + 2] : 0 <= k < n - 2; S3[k] -> S1[k + 2] : 0 <= k < n - 2 }",
        ),
        (PIPELINED, 2, "{ }"),
        (
            PIPELINED,
            1,
            "[n] -> { S1[k] -> S0[k + 1] : 0 <= k < n - 1; S3[k] -> S1[k + 1] : 0 <= k < n - 1 }",
        ),
        (TOO_EARLY, 2, "[n] -> { S0[k] -> S1[k] : 0 <= k < n }"),
        (
            BACKWARDS,
            9,
            "[n] -> { S0[k] -> S0[k + 1] : 0 <= k < n - 1; S1[k] -> S1[k + 1] : 0 <= k < n - 1;"
            " S1[k] -> S0[k + 9] : 0 <= k < n - 9; S3[k] -> S1[k + 9] : 0 <= k < n - 9 }",
        ),
    ],
)
def test_what_forbids_another_order(order, depth, forbids):
    times = isl.UnionMap(f"{{ {order} }}")
    found = forbidding(CHAIN, {"A": depth, "B": depth}, times)
    assert found == isl.UnionMap(forbids)


def test_an_update_cannot_be_run_in_another_order():
    times = isl.UnionMap("{ S0[] -> [0]; S1[k] -> [1]; S2[] -> [2] }")
    found = forbidding(system(START, UPDATE, END), {"A": 2}, times)
    assert found == isl.UnionMap("[n] -> { S1[k] -> S1[k + 1] : 0 <= k < n - 1 }")


def test_the_steps_of_an_accumulation_keep_their_order():
    begin = statement("S0", "compute", (0,), makes="A", publishes=())
    loop = {"loops": ("k",), "domain": "0 <= k < n"}
    step = statement("S1", "compute", (1, 0), makes="A", reserves=(), publishes=(), **loop)
    end = statement("S2", "compute", (2,), makes="A", reserves=())
    times = isl.UnionMap("{ S0[] -> [0]; S1[k] -> [0]; S2[] -> [0] }")
    assert forbidding(system(begin, step, end), {"A": 1}, times) == isl.UnionMap(
        "[n] -> { S0[] -> S1[0] : n > 0; S1[k] -> S1[k + 1] : 0 <= k < n - 1;"
        " S1[n - 1] -> S2[] : n > 0; S0[] -> S2[] : n <= 0 }"
    )
