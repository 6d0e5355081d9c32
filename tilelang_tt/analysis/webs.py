"""Which writes of a buffer belong together because some read may see any of them.

The statements of a tile program are structured, so one walk with a fixed point at each loop finds
the definitions that reach each read. Definitions with a common read form a web: one value, as it
changes from iteration to iteration or differs between branches. Buffers whose webs differ only
happen to share storage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tvm import tirx

from tilelang_tt.analysis import access
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.tileops import Accumulation, Gemm, Leaf, is_global, leaf

NOTHING = -1
"""The definition that stands for no definition at all."""

Environment = dict[tirx.Buffer, frozenset[int]]


@dataclass
class Site:
    """One statement: the definition it makes, and those that reach the buffers it uses."""

    stmt: tirx.Stmt
    view: Leaf
    defines: int | None
    reaching: dict[tirx.Buffer, frozenset[int]] = field(default_factory=dict)


@dataclass
class Webs:
    """The sites of a program, in order, and the webs of their definitions."""

    sites: list[Site]
    buffer_of: list[tirx.Buffer]
    parent: list[int]
    undefined: set[int]

    def web(self, definition: int) -> int:
        while self.parent[definition] != definition:
            definition = self.parent[definition]
        return definition

    def read_by(self, site: Site, buffer: tirx.Buffer) -> int:
        """The web that `site` reads `buffer` from."""
        return self.web(next(d for d in site.reaching[buffer] if d != NOTHING))

    def written_by(self, site: Site) -> int:
        """The web that `site` writes its destination to."""
        if site.defines is not None:
            return self.web(site.defines)
        return self.read_by(site, access.writes(site.view))

    def needs_start(self, web: int) -> bool:
        """Whether a read may come before any definition of the web."""
        return any(self.web(definition) == web for definition in self.undefined)


def find(body: tirx.Stmt) -> Webs:
    """The webs of the on-chip buffers of a block."""
    walk = _Walk()
    walk.visit(_number(body, walk), {})
    webs = Webs(walk.sites, walk.buffers, list(range(len(walk.buffers))), set())
    for site in walk.sites:
        for reaching in site.reaching.values():
            known = sorted(reaching - {NOTHING})
            for other in known[1:]:
                webs.parent[webs.web(other)] = webs.web(known[0])
            if known and NOTHING in reaching:
                webs.undefined.add(known[0])
    return webs


@dataclass
class _Node:
    """A statement with the numbers of the sites inside."""

    stmt: tirx.Stmt
    site: Site | None
    children: list[_Node]


@dataclass
class _Walk:
    sites: list[Site] = field(default_factory=list)
    buffers: list[tirx.Buffer] = field(default_factory=list)
    open: set[tirx.Buffer] = field(default_factory=set)

    def visit(self, node: _Node, env: Environment) -> Environment:
        if node.site is not None:
            return self._leaf(node.site, env)
        if isinstance(node.stmt, tirx.IfThenElse):
            ends = [self.visit(child, dict(env)) for child in node.children]
            return _merged([*ends, env] if node.stmt.else_case is None else ends)
        if isinstance(node.stmt, tirx.For):
            (child,) = node.children
            while (wider := _merged([env, self._iteration(node.stmt, child, env)])) != env:
                env = wider
            return env
        for child in node.children:
            env = self.visit(child, env)
        return env

    def _iteration(self, loop: tirx.For, body: _Node, env: Environment) -> Environment:
        """What an iteration leaves to the next; one over blocks of the grid begins, like the block
        that it is, with nothing but what was there before the loop."""
        after = self.visit(body, dict(env))
        if attrs.GRID_AXIS not in loop.annotations:
            return after
        return {buffer: reaching for buffer, reaching in after.items() if buffer in env}

    def _leaf(self, site: Site, env: Environment) -> Environment:
        for buffer in _used(site):
            reaching = env.get(buffer, frozenset((NOTHING,)))
            site.reaching[buffer] = site.reaching.get(buffer, frozenset()) | reaching
        if site.defines is None:
            return env
        return {**env, self.buffers[site.defines]: frozenset((site.defines,))}


def _used(site: Site) -> Iterator[tirx.Buffer]:
    """The on-chip buffers whose current value the site uses or goes on making."""
    dst = access.writes(site.view)
    yield from (buffer for buffer in access.reads(site.view) if not is_global(buffer))
    if site.defines is None and not is_global(dst):
        yield dst


def _number(stmt: tirx.Stmt, walk: _Walk) -> _Node:
    view = leaf(stmt)
    if view is not None:
        site = Site(stmt, view, _definition(view, walk))
        walk.sites.append(site)
        return _Node(stmt, site, [])
    children: list[_Node] = []

    def descend(child: tirx.Stmt) -> tirx.Stmt:
        children.append(_number(child, walk))
        return child

    tree.map_bodies(stmt, descend)
    return _Node(stmt, None, children)


def _definition(view: Leaf, walk: _Walk) -> int | None:
    """A new definition where the statement makes one.

    An accumulation is defined where it begins.
    """
    dst = access.writes(view)
    if isinstance(view, Accumulation) and not view.is_fresh:
        (walk.open.discard if view.kind == "end" else walk.open.add)(dst)
        return None
    if is_global(dst) or (isinstance(view, Gemm) and dst in walk.open):
        return None
    if isinstance(view, Accumulation):
        walk.open.add(dst)
    walk.buffers.append(dst)
    return len(walk.buffers) - 1


def _merged(environments: list[Environment]) -> Environment:
    nothing = frozenset((NOTHING,))
    buffers = {buffer for env in environments for buffer in env}
    return {
        buffer: frozenset().union(*(env.get(buffer, nothing) for env in environments))
        for buffer in buffers
    }
