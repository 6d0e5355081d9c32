"""The passes, in order, and what holds after each stage."""

from __future__ import annotations

from collections.abc import Sequence

import tilelang.transform
from tvm import IRModule, tirx
from tvm.ir.transform import Pass

from tilelang_tt.analysis.schedule import Machine
from tilelang_tt.ir import attrs, verify
from tilelang_tt.options import Options
from tilelang_tt.transforms.accumulate_in_place import AccumulateInPlace
from tilelang_tt.transforms.align_reads import AlignReads
from tilelang_tt.transforms.assign_engines import AssignEngines
from tilelang_tt.transforms.bind_scalars import BindScalars
from tilelang_tt.transforms.canonicalize_reductions import CanonicalizeReductions
from tilelang_tt.transforms.check_regions import CheckRegions
from tilelang_tt.transforms.choose_dst_mode import ChooseDstMode
from tilelang_tt.transforms.choose_partition import ChoosePartition
from tilelang_tt.transforms.choose_tiled_axes import ChooseTiledAxes
from tilelang_tt.transforms.close_transfers import CloseTransfers
from tilelang_tt.transforms.coalesce_reads import CoalesceReads
from tilelang_tt.transforms.complete_writes import CompleteWrites
from tilelang_tt.transforms.cut_blocks import CutBlocks
from tilelang_tt.transforms.defer_stores import DeferStores
from tilelang_tt.transforms.deliver_scalars import deliver_scalars
from tilelang_tt.transforms.expand_math import ExpandMath
from tilelang_tt.transforms.finalize_arguments import FinalizeArguments
from tilelang_tt.transforms.finish_products import FinishProducts
from tilelang_tt.transforms.fold_clears import FoldClears
from tilelang_tt.transforms.function_pass import Rewrite, as_tvm_pass
from tilelang_tt.transforms.fuse_elementwise import FuseElementwise
from tilelang_tt.transforms.guard_copies import GuardCopies
from tilelang_tt.transforms.inline_bindings import InlineBindings
from tilelang_tt.transforms.insert_cb_protocol import InsertCbProtocol
from tilelang_tt.transforms.insert_dst_protocol import InsertDstProtocol
from tilelang_tt.transforms.insert_inits import InsertInits
from tilelang_tt.transforms.isolate_elementwise import IsolateElementwise
from tilelang_tt.transforms.legalize_constructs import LegalizeConstructs
from tilelang_tt.transforms.limit_stores import LimitStores
from tilelang_tt.transforms.lower_atomics import LowerAtomics
from tilelang_tt.transforms.lower_copies import LowerCopies
from tilelang_tt.transforms.lower_elementwise import LowerElementwise
from tilelang_tt.transforms.lower_gemms import LowerGemms
from tilelang_tt.transforms.lower_index_arithmetic import LowerIndexArithmetic
from tilelang_tt.transforms.lower_reducers import LowerReducers
from tilelang_tt.transforms.lower_reductions import LowerReductions
from tilelang_tt.transforms.lower_scans import LowerScans
from tilelang_tt.transforms.map_grid import MapGrid
from tilelang_tt.transforms.materialize_broadcasts import MaterializeBroadcasts
from tilelang_tt.transforms.materialize_indices import MaterializeIndices
from tilelang_tt.transforms.materialize_scalers import MaterializeScalers
from tilelang_tt.transforms.materialize_transposes import MaterializeTransposes
from tilelang_tt.transforms.materialize_views import MaterializeViews
from tilelang_tt.transforms.merge_steps import MergeSteps
from tilelang_tt.transforms.orient_vectors import OrientVectors
from tilelang_tt.transforms.pad_buffers import PadBuffers
from tilelang_tt.transforms.peel_last_steps import PeelLastSteps
from tilelang_tt.transforms.place_accumulators import PlaceAccumulators
from tilelang_tt.transforms.plan_circular_buffers import PlanCircularBuffers
from tilelang_tt.transforms.read_ahead import ReadAhead
from tilelang_tt.transforms.rename_versions import RenameVersions
from tilelang_tt.transforms.select_elements import SelectElements
from tilelang_tt.transforms.separate_consumers import SeparateConsumers
from tilelang_tt.transforms.separate_operands import SeparateOperands
from tilelang_tt.transforms.share_buffers import ShareBuffers
from tilelang_tt.transforms.split_expressions import SplitExpressions
from tilelang_tt.transforms.split_kernels import split_kernels
from tilelang_tt.transforms.split_loops import SplitLoops
from tilelang_tt.transforms.split_masks import SplitMasks
from tilelang_tt.transforms.stage_transfers import StageTransfers
from tilelang_tt.transforms.take_directives import TakeDirectives
from tilelang_tt.transforms.widen_vectors import WidenVectors

Step = Pass | Rewrite | verify.Stage


def tile_program(options: Options) -> Sequence[Step]:
    """Front-end IR to a tile program: stages 1 and 2."""
    return (
        InlineBindings(),
        TakeDirectives(),  # while loops of one iteration still have their variables
        tilelang.transform.Simplify(),
        # Grid dimensions become plain loops; no thread dimension is made.
        tilelang.transform.MaterializeKernelLaunch(False, False, None),
        ExpandMath(),
        BindScalars(),
        LowerReducers(),
        LowerAtomics(),
        LegalizeConstructs(),
        LowerScans(),
        FoldClears(),  # before fills lose their form
        LimitStores(),
        IsolateElementwise(),
        CanonicalizeReductions(),
        StageTransfers(),
        MaterializeViews(),
        CutBlocks(options),
        MergeSteps(options),
        AccumulateInPlace(),
        PlaceAccumulators(),
        CompleteWrites(),
        AlignReads(),
        SelectElements(),
        RenameVersions(),
        OrientVectors(),
        FuseElementwise(options.device.dst_tiles(fp32=options.fp32_acc is not False)),
        SplitExpressions(options.device.dst_tiles(fp32=options.fp32_acc is not False)),
        MaterializeTransposes(),
        SeparateConsumers(),  # after fusion, which removes consumers
        ChooseTiledAxes(),
        PadBuffers(),
        CheckRegions(),  # while the grid's loops still have their ranges
        GuardCopies(),
        SplitLoops(options),
        SeparateConsumers(),  # of parts that are handed over
        verify.TILE_PROGRAM,
        ChooseDstMode(options.fp32_acc),
        SeparateOperands(),
        WidenVectors(),
        ChoosePartition(options),
        MapGrid(),
        SplitMasks(),
        MaterializeIndices(),
        MaterializeBroadcasts(),  # its tile of zeros is made once, before the loop over blocks
        MaterializeScalers(),
        ShareBuffers(),
        verify.BLOCK_PROGRAM,
    )


def streams(options: Options) -> Sequence[Step]:
    """A planned block program to tile instructions and the circular-buffer protocol: stages 3 to
    5."""
    return (
        AssignEngines(),
        PlanCircularBuffers(Machine.of(options), options.depths),
        FinishProducts(options),
        verify.STREAMS,
        LowerCopies(),
        LowerGemms(options),
        LowerReductions(options.device),
        LowerElementwise(options.device),
        verify.TILE_INSTRUCTIONS,
        InsertCbProtocol(),
    )


KERNELS: dict[str, Sequence[Step]] = {
    attrs.READER: (CoalesceReads(), ReadAhead(), CloseTransfers()),
    attrs.COMPUTE: (PeelLastSteps(), InsertDstProtocol(), InsertInits()),
    attrs.WRITER: (CoalesceReads(), DeferStores(), ReadAhead(), CloseTransfers()),
}
"""What is done to each kernel after the split."""

FINISH: Sequence[Step] = (LowerIndexArithmetic(), FinalizeArguments(), verify.METALIUM)


def lower(func: tirx.PrimFunc, options: Options) -> IRModule:
    """The reader, compute and writer kernels of a front-end function."""
    func = _run(func, [*tile_program(options), *streams(options)])
    kernels = deliver_scalars(split_kernels(func))
    return IRModule(
        {role: _run(kernels[role], [*steps, *FINISH]) for role, steps in KERNELS.items()}
    )


def _run(func: tirx.PrimFunc, steps: Sequence[Step]) -> tirx.PrimFunc:
    name = "the front end"
    for step in steps:
        if isinstance(step, verify.Stage):
            verify.check(func, step, after=name)
            continue
        pass_: Pass = step if isinstance(step, Pass) else as_tvm_pass(step)
        name = str(pass_.info.name)
        (func,) = pass_(IRModule({"main": func})).functions.values()
    return func
