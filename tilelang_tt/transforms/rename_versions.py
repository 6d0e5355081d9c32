"""Give every value of an on-chip buffer a buffer of its own.

A TileLang buffer is storage that may hold one value after another. Two writes belong to one value
if some read may see either: an accumulator before and in a loop, or what the two branches of an if
leave behind. Each such web gets a buffer, which then is a circular buffer that hands over one block
after another.

    before:  T.copy(A[...], S)                       after:   T.copy(A[...], S)
             for k in range(8):                               for k in range(8):
                 m[i] = T.max(m[i], S[i, 0])                      m[i] = T.max(m[i], S[i, 0])
             T.copy(B[...], S)                                T.copy(B[...], S_1)
             T.gemm(S, S, C_l, clear_accum=True)              T.gemm(S_1, S_1, C_l, ...)

What may be read before it is written, because a loop may not run or a branch not be taken, starts
as zeros. What certainly is, is refused.

Needs:    `MaterializeViews`, `CompleteWrites`.
Leaves:   buffers in the form above.
Errors:   TT3001, TT3004.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from tvm import tirx

from tilelang_tt.analysis import access, webs
from tilelang_tt.analysis.webs import NOTHING, Site, Webs
from tilelang_tt.diagnostics import OutputReadBack, ReadBeforeWrite
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import (
    Elementwise,
    Leaf,
    Region,
    is_global,
    leaf,
    rebuffered,
)
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import fill_over


class RenameVersions:
    """See the module docstring."""

    name = "tt.RenameVersions"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        _check_outputs(frame)
        found = webs.find(frame.body)
        for site in found.sites:
            assert _is_whole(site.view), site.stmt
            _check_defined(site)
        renaming = _Renaming(found, iter(found.sites))
        children = [renaming.visit(child) for child in tree.statements(frame.body)]
        new = frame.build(body=tree.sequence(children), buffers=list(renaming.buffers.values()))
        return attrs.with_renamed_directives(new, renaming.names())


@dataclass
class _Renaming:
    webs: Webs
    sites: Iterator[Site]
    buffers: dict[int, tirx.Buffer] = field(default_factory=dict)

    def names(self) -> dict[str, list[str]]:
        """The names of the buffers that each one becomes."""
        found: dict[str, list[str]] = {}
        for web, buffer in self.buffers.items():
            found.setdefault(self.webs.buffer_of[web].name, []).append(buffer.name)
        return found

    def visit(self, stmt: tirx.Stmt) -> tirx.Stmt:
        """A statement of the outermost sequence, after the start of what it leaves half defined."""
        known = set(self.buffers)
        renamed = self._visit(stmt)
        starts = [
            tree.located(_zeros(buffer), stmt)
            for web, buffer in self.buffers.items()
            if web not in known and self.webs.needs_start(web)
        ]
        return tree.sequence([*starts, renamed])

    def _visit(self, stmt: tirx.Stmt) -> tirx.Stmt:
        if leaf(stmt) is None:
            return tree.map_bodies(stmt, self._visit)
        site = next(self.sites)
        assert site.stmt.same_as(stmt), stmt

        def source(buffer: tirx.Buffer) -> tirx.Buffer:
            return buffer if is_global(buffer) else self._buffer(self.webs.read_by(site, buffer))

        def target(buffer: tirx.Buffer) -> tirx.Buffer:
            return buffer if is_global(buffer) else self._buffer(self.webs.written_by(site))

        return tree.located(rebuffered(site.view, source, target), stmt)

    def _buffer(self, web: int) -> tirx.Buffer:
        if web not in self.buffers:
            original = self.webs.buffer_of[web]
            others = list(self.buffers.values())
            is_first = all(other.name != original.name for other in others)
            new = original if is_first else fresh_buffer(original.name, original, others)
            self.buffers[web] = new
        return self.buffers[web]


def _zeros(buffer: tirx.Buffer) -> tirx.Stmt:
    return fill_over(Region.whole(buffer), tirx.const(0, buffer.dtype))


def _check_defined(site: Site) -> None:
    for buffer, reaching in site.reaching.items():
        if reaching == {NOTHING}:
            raise ReadBeforeWrite.at(site.stmt, buffer=buffer.name)


def _check_outputs(frame: Frame) -> None:
    views = access.leaves(frame.body)
    owned = attrs.added(frame.func)
    outputs = (access.writes(view) for _, view in views)
    written = [buffer for buffer in outputs if buffer.name not in owned]
    for stmt, view in views:
        for buffer in access.reads(view):
            if is_global(buffer) and any(buffer.same_as(out) for out in written):
                raise OutputReadBack.at(stmt, buffer=buffer.name)


def _is_whole(view: Leaf) -> bool:
    """Whether a statement is about whole on-chip buffers."""
    if isinstance(view, Elementwise):
        return view.covers_dst
    regions = [getattr(view, item.name) for item in fields(view)]
    return all(
        region.is_whole
        for region in regions
        if isinstance(region, Region) and not is_global(region.buffer)
    )
