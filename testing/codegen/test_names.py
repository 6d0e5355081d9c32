"""Names in generated C++."""

import re

import pytest

from tilelang_tt.codegen.names import Scope


@pytest.mark.parametrize("name", ["A", "A_s", "k", "x1", "rows", "_hidden", "cb", "packed"])
def test_a_good_name_stays(name):
    assert Scope().fresh(name) == name


@pytest.mark.parametrize(
    "name, fresh",
    [
        ("int", "v_int"),
        ("kernel_main", "v_kernel_main"),
        ("noc", "v_noc"),
        ("cb_A", "v_cb_A"),
        ("get_tile_size", "v_get_tile_size"),
        ("noc_async_read", "v_noc_async_read"),
        ("pack_tile", "v_pack_tile"),
        ("my_x", "v_my_x"),
        ("NUM_TILES", "v_NUM_TILES"),
        ("1st", "v_1st"),
        ("a.b", "a_b"),
        ("a b", "a_b"),
        ("", "value"),
    ],
)
def test_a_name_that_means_something_is_changed(name, fresh):
    assert Scope().fresh(name) == fresh


def test_names_are_unique():
    scope = Scope()
    assert [scope.fresh("a") for _ in range(3)] == ["a", "a_1", "a_2"]
    assert scope.fresh("a_1") == "a_1_1"


def test_a_taken_name_is_not_given_again():
    scope = Scope()
    assert scope.take("cb_A") == "cb_A"
    scope.take("x")
    assert scope.fresh("x") == "x_1"


def test_a_nested_scope_sees_its_parents_and_not_its_siblings():
    scope = Scope()
    scope.fresh("a")
    inner = scope.nested()
    assert inner.fresh("a") == "a_1"
    assert inner.nested().fresh("a_1") == "a_1_1"
    assert scope.nested().fresh("a_1") == "a_1"
    assert scope.fresh("b") == inner.fresh("b").removesuffix("_1")


@pytest.mark.parametrize("name", ["a-b", "T.x", "while", "a\nb"])
def test_every_name_is_an_identifier(name):
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", Scope().fresh(name))
