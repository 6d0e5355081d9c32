"""The backend's manifest for TileLang.

Target, pipeline, code generation and execution. Assembles, defines nothing.
"""

from __future__ import annotations

import tvm_ffi
from tilelang.backend import (
    BackendModule,
    DeviceCodegen,
    ExecutionBackendSpec,
    PassPipeline,
    list_backends,
    register_backend,
    register_target_normalizer,
)
from tilelang.backend.host_codegen import STANDARD_HOST_CODEGENS
from tvm.target import Target, register_tag

from tilelang_tt import device, host, target
from tilelang_tt.options import Options
from tilelang_tt.runtime import launch

NAME = "tenstorrent"


def register() -> None:
    """Make `target="tenstorrent"` known to TileLang; a second call does nothing."""
    if NAME in list_backends():
        return
    tvm_ffi.register_global_func(host.LAUNCH, launch.launch, override=True)
    register_target_normalizer(NAME, target.normalize, override=True)
    _register_tags()
    register_backend(
        BackendModule(
            name=NAME,
            target_kinds=(target.KIND,),
            supports_target=target.is_ours,
            pipelines={target.KIND: PassPipeline(target.KIND, host.lower)},
            device_codegens={
                target.KIND: DeviceCodegen(
                    target.KIND, build=host.device_module, build_without_compile=host.device_module
                )
            },
            host_codegens=STANDARD_HOST_CODEGENS,
            execution_backends=(
                ExecutionBackendSpec(
                    "tvm_ffi", enable_host_codegen=True, enable_device_compile=True
                ),
            ),
        )
    )


def _register_tags() -> None:
    """Let TVM's own `Target("tenstorrent")` resolve.

    TileLang's normalizer does not see that spelling.
    """
    known = Target.list_kinds()
    assert target.KIND in known, known
    register_tag(NAME, target.description(Options()))
    for arch in device.ARCHS:
        register_tag(f"{NAME}/{arch}", target.description(Options(arch=arch)))
