"""The two ends of a compilation in TileLang's engine: the host function, and the device module that
shows the sources.

The host function checks its arguments, as TileLang's always do, and then calls `tilelang_tt.launch`
with the compiled programs as text and, for each tensor, its address and extents.
"""

from __future__ import annotations

import tilelang
import tvm_ffi
from tvm import IRModule, ir, tirx
from tvm.target import Target

from tilelang_tt import pipeline, target, toolchain
from tilelang_tt.codegen import artifact
from tilelang_tt.codegen.workload import Workload, unpack
from tilelang_tt.diagnostics import ReadBeforeWrite, UnknownBuffer
from tilelang_tt.options import Options
from tilelang_tt.transforms.split_launches import Launches, split_launches

LAUNCH = "tilelang_tt.launch"
_ARTIFACT = "tt.artifact"
_DEVICE_KERNEL_LAUNCH = 2  # tvm::CallingConv::kDeviceKernelLaunch


def lower(mod: IRModule, tvm_target: Target) -> IRModule:
    """TileLang's pipeline hook.

    One front-end function to a host function and a stand-in for the device.
    """
    toolchain.require()
    (func,) = mod.functions.values()
    options = target.options_of(tvm_target)
    name = str(func.attrs["global_symbol"])
    built = _build(split_launches(func), name, options)
    host = _packed(_host_function(func, built), name)
    host.update_func(ir.GlobalVar(f"{name}_tenstorrent"), _device_function(name, built))
    return host


def _build(launches: Launches, name: str, options: Options) -> Workload:
    steps = tuple(
        artifact.build(pipeline.lower(func, options), str(func.attrs["global_symbol"]), options)
        for func in launches.functions
    )
    _check_depths(steps, options)
    for buffer in launches.workspaces:
        _check_workspace(buffer.name, steps, launches)
    return Workload(name, steps, tuple(buffer.name for buffer in launches.workspaces))


def _check_depths(steps: tuple[artifact.Artifact, ...], options: Options) -> None:
    """The option `depths` may name the circular buffers of any step."""
    known = {cb.name: None for step in steps for cb in step.plan.circular_buffers}
    for name, _ in options.depths:
        if name not in known:
            raise UnknownBuffer.because(name=name, known=", ".join(known))


def _check_workspace(name: str, steps: tuple[artifact.Artifact, ...], launches: Launches) -> None:
    """The first step that uses a workspace must write it: nobody else can have done so."""
    for step, func in zip(steps, launches.functions, strict=True):
        used = [tensor for tensor in step.plan.accessed if tensor.name == name]
        if used:
            if not used[0].is_written:
                raise ReadBeforeWrite.at(func.body, buffer=name)
            return


def _host_function(func: tirx.PrimFunc, built: Workload) -> tirx.PrimFunc:
    arguments: list[tirx.PrimExpr] = [tirx.StringImm(built.pack())]
    for param in func.params:
        buffer = func.buffer_map.get(param)
        if buffer is None:
            arguments.append(param)
        else:
            arguments += [buffer.data, *(tirx.Cast("int64", extent) for extent in buffer.shape)]
    body = tirx.Evaluate(tirx.call_packed(LAUNCH, *arguments))
    host = tirx.PrimFunc(func.params, body, func.ret_type, func.buffer_map, func.attrs)
    return host.with_attr(
        "target", Target("c", host="c")
    )  # its tensors are in the memory of the CPU


def _packed(host: tirx.PrimFunc, name: str) -> IRModule:
    module = tirx.transform.AnnotateEntryFunc()(IRModule({name: host}))
    return tilelang.transform.MakePackedAPI()(module)


def _device_function(name: str, built: Workload) -> tirx.PrimFunc:
    """An empty function that carries the artifact, which TileLang's generic device passes leave
    alone."""
    return tirx.PrimFunc([], tirx.Evaluate(0)).with_attr(
        {
            "global_symbol": f"{name}_tenstorrent",
            "calling_conv": _DEVICE_KERNEL_LAUNCH,
            "target": Target({"kind": target.KIND}),
            _ARTIFACT: built.pack(),
        }
    )


def device_module(mod: IRModule, _target: Target) -> object:
    """TileLang's codegen hook.

    A module that shows the kernel sources and compiles to nothing on the host.
    """
    (func,) = mod.functions.values()
    text = unpack(str(func.attrs[_ARTIFACT])).listing()
    return tvm_ffi.get_global_func("runtime.CSourceModuleCreate")(text, "c", [], [])
