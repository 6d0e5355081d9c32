"""The launch plan: its JSON form, its schema, its expressions, the shares of the cores."""

import json
from importlib import resources

import jsonschema
import pytest

from tilelang_tt import plan as plans
from tilelang_tt.plan import Plan


@pytest.fixture(scope="module")
def schema():
    return json.loads(resources.files("tilelang_tt.data").joinpath("plan.schema.json").read_text())


def test_a_plan_keeps_to_its_schema(artifacts, schema):
    for artifact in artifacts.values():
        jsonschema.validate(json.loads(artifact.plan.to_json()), schema)


def test_the_schema_refuses_what_it_does_not_know(artifacts, schema):
    plan = json.loads(artifacts["gemm"].plan.to_json())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**plan, "colour": "green"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**plan, "kernels": plan["kernels"][:2]}, schema)


def test_json_round_trip(artifacts):
    for artifact in artifacts.values():
        assert Plan.from_json(artifact.plan.to_json()) == artifact.plan


@pytest.mark.parametrize("text", ["{}", "[]", '{"version": 99}', '{"version": 2}'])
def test_another_version_is_refused(text):
    with pytest.raises(ValueError, match="plan"):
        Plan.from_json(text)


def test_a_plan_with_a_strange_field_is_refused(artifacts):
    data = json.loads(artifacts["add"].plan.to_json())
    with pytest.raises(ValueError, match="malformed"):
        Plan.from_json(json.dumps({**data, "colour": "green"}))


@pytest.mark.parametrize(
    "text, value",
    [("(m + 63) // 64", 2), ("m % 7", 2), ("-m + 1", -99), ("min(m, 3) * n", 30)],
)
def test_expressions(text, value):
    assert plans.evaluate(text, {"m": 100, "n": 10}) == value


@pytest.mark.parametrize(
    "text", ["__import__('os')", "m.real", "[m]", "'a'", "m if m else 1", "m < n"]
)
def test_an_expression_is_arithmetic_and_nothing_else(text):
    with pytest.raises((ValueError, KeyError)):
        plans.evaluate(text, {"m": 1})
