"""Let matrix products add up on a value that was just made, in L1, instead of beside it.

Online softmax scales its accumulator in each iteration, when the running maximum has grown, and
adds a product. A product computed by itself is packed, read again and added; where the accumulator
is written anyway, just before, the packer adds the product to it.

    before:  for k in range(8):                      after:   for k in range(8):
                 O_l[i, j] = O_l[i, j] * s[i]                     O_l[i, j] = O_l[i, j] * s[i]
                 T.gemm(P, V, O_l)                                T.accumulate_onto(O_l)
                                                                  T.gemm(P, V, O_l)
                                                                  T.accumulate_end(O_l)

This holds for any value of the accumulator that is made of its old one, and for one that products
are added to more than once. A new value that takes one product is left alone: an addition may be
fused with what follows.

Needs:    `MergeSteps`.
Leaves:   an `accumulate_onto` after the nest, an `accumulate_end` after the last product.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.analysis import access
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Accumulation, Elementwise, Gemm, Region, leaf
from tilelang_tt.transforms.place_accumulators import only_updates


class AccumulateInPlace:
    """See the module docstring."""

    name = "tt.AccumulateInPlace"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        return frame.build(body=tree.rewrite_sequences(frame.body, _bracketed))


def _bracketed(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
    after: list[list[tirx.Stmt]] = [[] for _ in stmts]
    for position, stmt in enumerate(stmts):
        nest = leaf(stmt)
        if not isinstance(nest, Elementwise):
            continue
        if count := _products(nest, stmts[position + 1 :]):
            last = position + count
            buffer = Region.whole(nest.dst)
            after[position].append(tree.located(Accumulation(buffer, "onto").stmt(), stmts[last]))
            after[last].append(tree.located(Accumulation(buffer, "end").stmt(), stmts[last]))
    return [each for stmt, marks in zip(stmts, after, strict=True) for each in (stmt, *marks)]


def _products(nest: Elementwise, following: list[tirx.Stmt]) -> int:
    """How many of the statements after the nest the packer is to add products in, 0 for none."""
    buffer = nest.dst
    places: list[int] = []
    for place, stmt in enumerate(following, start=1):
        if not access.touches(stmt, buffer):
            continue
        if not only_updates(stmt, buffer) or not _adds(stmt, buffer):
            break
        places.append(place)
    is_made_of_old = any(buffer.same_as(load.buffer) for load in nest.loads)
    is_repeated = len(places) > 1 or any(leaf(following[place - 1]) is None for place in places)
    return places[-1] if places and (is_made_of_old or is_repeated) else 0


def _adds(stmt: tirx.Stmt, buffer: tirx.Buffer) -> bool:
    """Whether none of the products into the buffer overwrites it."""
    views = [view for _, view in access.leaves(stmt) if buffer.same_as(access.writes(view))]
    return all(isinstance(view, Gemm) and view.never_clears for view in views)
