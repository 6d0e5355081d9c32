"""Say which engine of a core runs each statement.

A core has a reader and a writer, which move data over the NoC, and a compute engine. Every
statement is wrapped in the engine that runs it, with a comment that names the line of the program
it comes from.

    before:  T.copy(A[...], A_s)                     after:   with T.attr(0, "tt.engine", "reader"):
                                                                  T.comment("add.py:12:
                                                                  T.copy(A[...], A_s)")
                                                                  T.copy(A[...], A_s)

Needs:    `MapGrid`.
Leaves:   every statement inside a `tt.engine` attribute.
"""

from __future__ import annotations

import linecache
from pathlib import PurePath

from tvm import tirx

from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.attrs import COMPUTE, READER, WRITER, on_engine
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Elementwise, Leaf, is_global, leaf


class AssignEngines:
    """See the module docstring."""

    name = "tt.AssignEngines"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        return frame.build(body=_assign(frame.body))


def engine_for(view: Leaf) -> str:
    """Where a statement runs: what moves data in on the reader, what moves it out on the writer.

    The reader, which can write single elements, also makes tiles of indices.
    """
    if isinstance(view, Copy):
        return view.engine or (READER if is_global(view.src.buffer) else WRITER)
    if isinstance(view, Elementwise) and view.is_index_map:
        return READER
    return COMPUTE


_HANDOVERS: dict[ops.OpDef | None, str] = {ops.TENSOR_TAKE: READER, ops.TENSOR_GIVE: WRITER}


def _assign(stmt: tirx.Stmt) -> tirx.Stmt:
    if (engine := _HANDOVERS.get(ops.definition(stmt))) is not None:
        return tree.located(on_engine(engine, stmt), stmt)
    view = leaf(stmt)
    if view is None:
        return tree.map_bodies(stmt, _assign)
    text = _source_text(stmt)
    inside = stmt if text is None else tirx.SeqStmt([ops.COMMENT.stmt(tirx.StringImm(text)), stmt])
    return tree.located(on_engine(engine_for(view), inside), stmt)


def _source_text(stmt: tirx.Stmt) -> str | None:
    """File, line and text of the user's statement."""
    line = tree.line_of(stmt)
    if line is None:
        return None
    text = linecache.getline(*line).strip()
    return f"{PurePath(line[0]).name}:{line[1]}: {text}".rstrip(": ")
