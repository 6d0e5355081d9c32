"""A module may import only rooms of a lower layer, and never a neighbour of its own layer."""

import ast
from pathlib import Path

import pytest

import tilelang_tt
from tilelang_tt import version

ROOT = Path(tilelang_tt.__file__).parent
LAYERS = [
    {"diagnostics", "partition", "tiles", "version"},
    {"plan"},
    {"device", "formats", "ir"},
    {"directives", "mock", "options", "recurrences"},
    {"analysis", "summary"},
    {"transforms"},
    {"codegen"},
    {"pipeline", "runtime", "target", "toolchain"},
    {"api", "host"},
    {"backend", "demo"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")
DATA = "data"  # a room without code


def room(path):
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path):
    """The modules that a file imports, anywhere in it, by full name."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module="tilelang_tt"):
                yield from (f"tilelang_tt.{alias.name}" for alias in node.names)
            case ast.ImportFrom():
                assert node.level == 0, f"{path} has a relative import"
                yield node.module


def rooms(path):
    """The rooms of this package that a file imports."""
    names = (name.split(".") for name in imports(path))
    return {name[1] for name in names if name[0] == "tilelang_tt" and len(name) > 1}


def test_every_room_has_a_layer():
    assert {room(path) for path in MODULES} - {DATA} == set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    own = room(path)
    for used in rooms(path) - {own}:
        assert RANK[used] < RANK[own], f"{own} must not import {used}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_the_package_itself(path):
    assert "tilelang_tt" not in set(imports(path))


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if room(path) == "mock"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_mock_knows_only_the_device(path):
    assert rooms(path) <= {"mock", "device", "formats", "tiles"}
    assert not {name.split(".")[0] for name in imports(path)} & {"tvm", "tilelang", "tvm_ffi"}


@pytest.mark.parametrize("name", ["plan", "formats", "tiles", "device", "version", "summary"])
def test_what_a_launch_needs_does_not_need_the_compiler(name):
    """Neither by itself nor through what it imports."""
    pending, seen = [ROOT / f"{name}.py"], set()
    while pending:
        path = pending.pop()
        seen.add(path)
        assert not {used.split(".")[0] for used in imports(path)} & {"tvm", "tilelang", "tvm_ffi"}
        pending += [new for used in rooms(path) if (new := ROOT / f"{used}.py") not in seen]
    assert ROOT / f"{name}.py" in seen


@pytest.mark.parametrize(
    "code, found",
    [
        ("import tilelang_tt.ir.ops", {"ir"}),
        ("from tilelang_tt import plan, device", {"plan", "device"}),
        ("from tilelang_tt.mock.errors import X", {"mock"}),
        ("def f():\n    from tilelang_tt.host import x", {"host"}),
        ("import numpy", set()),
    ],
)
def test_the_test_sees_every_kind_of_import(code, found, tmp_path):
    path = tmp_path / "module.py"
    path.write_text(code)
    assert rooms(path) == found


def test_the_fingerprint_covers_all_that_decides_what_is_generated():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert set(version._GENERATING) == folders - {"mock"}
