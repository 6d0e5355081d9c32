"""Statements as the tests of systems write them."""

from tilelang_tt.plan import Schedule, Statement
from tilelang_tt.recurrences.system import System


def statement(name, engine, place, domain="", *, loops=(), makes="", takes=(), **changes):
    where = f" : {domain}" if domain else ""
    values = {
        "name": name,
        "engine": engine,
        "source": "",
        "result": makes,
        "loops": loops,
        "place": place,
        "domain": f"[n, unknown] -> {{ {name}[{', '.join(loops)}]{where} }}",
        "reserves": (makes,) if makes else (),
        "publishes": (makes,) if makes else (),
        "reads": tuple(takes),
        "cycles": 10.0,
        "send_cycles": 0.0,
    }
    return Statement(**{**values, **changes})


def system(*statements, unknowns=()):
    return System(Schedule(statements, unknowns))


LOOP = {"loops": ("k",), "domain": "0 <= k < n"}
LOAD = statement("S0", "reader", (0, 0), makes="A", **LOOP)
USE = statement("S1", "compute", (0, 1), makes="B", takes="A", **LOOP)
ALSO = statement("S2", "compute", (0, 2), makes="D", takes="A", **LOOP)
START = statement("S0", "compute", (0,), makes="A")
UPDATE = statement("S1", "compute", (1, 0), makes="A", takes="A", **LOOP)
END = statement("S2", "writer", (2,), takes="A")
