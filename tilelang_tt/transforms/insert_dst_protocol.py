"""Hand the destination registers from the matrix unit to the packer and back.

    before:  with T.attr(0, "tt.dst_section", ...):  after:   T.tile_regs_acquire()
                 T.add_tiles(...)                             T.add_tiles(...)
                 T.pack_tile(...)                             T.tile_regs_commit()
                                                              T.tile_regs_wait()
                                                              T.pack_tile(...)
                                                              T.tile_regs_release()

Needs:    `split_kernels`; sections that compute first and pack then.
Leaves:   no `tt.dst_section` attributes.
"""

from __future__ import annotations

from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.attrs import SECTION
from tilelang_tt.ir.frame import Frame


class InsertDstProtocol:
    """See the module docstring."""

    name = "tt.InsertDstProtocol"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        return frame.build(body=ir_transform(frame.body, None, _expand, ["tirx.AttrStmt"]))


def _expand(stmt: tirx.AttrStmt) -> tirx.Stmt | None:
    if stmt.attr_key != SECTION:
        return None
    stmts = tree.statements(stmt.body)
    first_pack = next(i for i, inner in enumerate(stmts) if _packs(inner))
    assert not any(_computes(inner) for inner in stmts[first_pack:]), stmt
    expanded = tree.sequence(
        [
            ops.TILE_REGS_ACQUIRE.stmt(),
            *stmts[:first_pack],
            ops.TILE_REGS_COMMIT.stmt(),
            ops.TILE_REGS_WAIT.stmt(),
            *stmts[first_pack:],
            ops.TILE_REGS_RELEASE.stmt(),
        ]
    )
    return tree.located(expanded, stmt)


def _computes(stmt: tirx.Stmt) -> bool:
    called = (ops.definition(inner) for inner in tree.collect(stmt, tirx.Evaluate))
    return any(op is not None and op.unit in ("fpu", "sfpu") for op in called)


def _packs(stmt: tirx.Stmt) -> bool:
    return any(
        ops.definition(inner) is ops.PACK_TILE for inner in tree.collect(stmt, tirx.Evaluate)
    )
