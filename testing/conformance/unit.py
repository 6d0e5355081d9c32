"""The translation unit that tt-metal's JIT makes of a kernel for one processor of a Tensix core.

What is here mirrors `tt_metal/jit_build/{build,genfiles,data_format}.cpp` of release 0.81.1: a
firmware file includes generated files, one of which holds the kernel. The tables stand here and are
not read from `tilelang_tt`, so that a mistake in the compiler's own data cannot hide itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.kernel import FIDELITIES, KernelSource, Role
from conformance.toolchain import STUBS, isystem


@dataclass(frozen=True)
class Processor:
    """A RISC-V processor, with the firmware file around its kernels, the generated file which that
    includes, and its macros.
    """

    name: str
    firmware: str
    generated: str
    defines: tuple[str, ...]
    is_compute: bool


def _data_movement(name: str, index: int, noc: int) -> Processor:
    defines = (
        f"COMPILE_FOR_{name.upper()}",
        f"PROCESSOR_INDEX={index}",
        f"NOC_INDEX={noc}",
        "NOC_MODE=0",
    )
    return Processor(name, f"{name}k.cc", "kernel_includes.hpp", defines, is_compute=False)


def _compute(name: str, trisc: int) -> Processor:
    defines = (
        f"COMPILE_FOR_TRISC={trisc}",
        f"PROCESSOR_INDEX={trisc + 2}",
        f"UCK_CHLKC_{name.upper()}",
        f"NAMESPACE=chlkc_{name}",
    )
    return Processor(name, "trisck.cc", f"chlkc_{name}.cpp", defines, is_compute=True)


PROCESSORS: Mapping[Role, tuple[Processor, ...]] = {
    "reader": (_data_movement("ncrisc", 1, noc=0),),
    "writer": (_data_movement("brisc", 0, noc=1),),
    "compute": (_compute("unpack", 0), _compute("math", 1), _compute("pack", 2)),
}

_COMMON_DEFINES = (
    "TENSIX_FIRMWARE",
    "LOCAL_MEM_EN=0",
    "KERNEL_BUILD",
    "ROUTING_FW_ENABLED",
    "DISPATCH_MESSAGE_ADDR=0",
    "PROGRAMMABLE_CORE_TYPE=0",
)


@dataclass(frozen=True)
class Arch:
    """An architecture: the folder of its hardware headers, its circular buffers and its macros."""

    name: str
    family: str
    cb_count: int
    defines: tuple[str, ...]


ARCHS = {
    "wormhole_b0": Arch(
        "wormhole_b0",
        "wormhole",
        32,
        (
            "ARCH_WORMHOLE",
            "NUM_DRAM_BANKS=12",
            "IS_NOT_POW2_NUM_DRAM_BANKS=1",
            "NUM_L1_BANKS=72",
            "IS_NOT_POW2_NUM_L1_BANKS=1",
            "PCIE_NOC_X=0",
            "PCIE_NOC_Y=3",
        ),
    ),
    "blackhole": Arch(
        "blackhole",
        "blackhole",
        64,
        (
            "ARCH_BLACKHOLE",
            "NUM_DRAM_BANKS=8",
            "LOG_BASE_2_OF_NUM_DRAM_BANKS=3",
            "NUM_L1_BANKS=140",
            "IS_NOT_POW2_NUM_L1_BANKS=1",
            "PCIE_NOC_X=19",
            "PCIE_NOC_Y=24",
        ),
    ),
}

WARNINGS = (
    "-Wall",
    "-Wsign-compare",  # in GCC's -Wall, not in clang's
    "-Wpre-c++20-compat",  # SFPI parses kernels as C++17
    "-Werror",
    "-Wno-unused-variable",
    "-Wno-unused-function",
    "-Wno-parentheses",  # warnings that the JIT does not make errors
    "-Wno-unused-but-set-variable",
)


@dataclass(frozen=True)
class Unit:
    """One kernel as one processor of one architecture gets it."""

    kernel: KernelSource
    arch: Arch
    processor: Processor

    def write(self, folder: Path) -> Path:
        """Write the files that the JIT generates, and the file to compile, which it returns."""
        # Included by a system header a file is one too, and free of warnings, unless a line marker
        # says otherwise; #line does not.
        lines = [f"# 1 {json.dumps(self.kernel.name)}", self.kernel.source, ""]
        if self.processor.is_compute:
            trisc = f"#define TRISC_{self.processor.name.upper()}"
            lines = [trisc, '#include "defines_generated.h"', *lines]
        (folder / self.processor.generated).write_text("\n".join(lines))
        defines = (f"#define {name} {value}\n" for name, value in self.kernel.defines.items())
        (folder / "defines_generated.h").write_text("".join(defines))
        (folder / "chlkc_descriptors.h").write_text(descriptors(self.kernel, self.arch))
        # The firmware's file becomes a system header by being included.
        main = folder / "main.cc"
        main.write_text(f"#include <{self.processor.firmware}>\n")
        return main

    def flags(self, headers: Path, folder: Path) -> list[str]:
        """The JIT's warnings, search path and macros; `folder` holds the generated files."""
        folders = _include_dirs(headers, self.arch, self.processor)
        defines = (f"-D{define}" for define in self._defines())
        return [*WARNINGS, f"-I{folder}", *isystem(*folders, STUBS), *defines]

    def _defines(self) -> Iterator[str]:
        yield from (*_COMMON_DEFINES, *self.arch.defines, *self.processor.defines)
        yield f"FULL_KERNEL_NAME={json.dumps(self.kernel.name)}"
        if not self.processor.is_compute:  # compute has them in defines_generated.h
            yield from (f"{name}={value}" for name, value in self.kernel.defines.items())
        if self.kernel.compile_time_args:
            yield f"KERNEL_COMPILE_TIME_ARGS={','.join(map(str, self.kernel.compile_time_args))}"


def _include_dirs(headers: Path, arch: Arch, processor: Processor) -> list[Path]:
    """The JIT's search path, in its order."""
    metal = headers / "tt_metal"
    internal = metal / "hw/inc/internal/tt-1xx"
    ckernels = metal / "hw/ckernels" / arch.name / "metal"
    llk = metal / "tt-llk" / f"tt_llk_{arch.name}"
    folders = [
        headers,
        metal / "hw/inc",
        metal / "tt-llk/common",
        metal / "tt-llk/tools/include",
        metal / "hostdevcommon/api",
        metal / "api",
        ckernels / "common",
        ckernels / "llk_io",
        internal,
        internal / arch.family,
        internal / arch.family / f"{arch.name}_defines",
        internal / arch.family / "noc",
        llk / "common/inc",
        llk / "llk_lib",
        llk / "llk_lib/hal",
    ]
    if processor.is_compute:
        folders += [ckernels / "llk_api", ckernels / "llk_api/llk_sfpu"]
    return [*folders, metal / "hw/firmware/src/tt-1xx"]


FLOAT32, TF32, FLOAT16_B, INVALID = 0, 4, 5, 255
UNUSED_TILE_BYTES = 1088

_TILE_SHAPE = {
    "tile_num_faces": 4,
    "partial_face": 0,
    "tile_face_r_dim": 16,
    "narrow_tile": 0,
    "tile_r_dim": 32,
    "tile_c_dim": 32,
    "num_faces_r_dim": 2,
    "num_faces_c_dim": 2,
}


def descriptors(kernel: KernelSource, arch: Arch) -> str:
    """`chlkc_descriptors.h`: formats and tile shapes by circular buffer, and the math settings."""
    beyond = [index for index in kernel.cb_formats if index not in range(arch.cb_count)]
    if beyond:
        raise ValueError(f"{kernel.name}: {arch.name} has no circular buffer {beyond[0]}")
    memory = [kernel.cb_formats.get(index, INVALID) for index in range(arch.cb_count)]
    sizes = [kernel.cb_tile_bytes.get(index, UNUSED_TILE_BYTES) for index in range(arch.cb_count)]
    # Float32 in memory is narrowed on its way through the registers.
    unpacked = TF32 if kernel.fp32_dest_acc else FLOAT16_B
    packed = FLOAT32 if kernel.fp32_dest_acc else FLOAT16_B
    sync = "SyncFull" if kernel.dst_full_sync else "SyncHalf"
    return "\n".join(
        (
            "#pragma once",
            "#if defined(UCK_CHLKC_MATH) || defined(UCK_CHLKC_PACK)",
            '#include "llk_defs.h"',
            f"constexpr auto MATH_FIDELITY = ckernel::MathFidelity({FIDELITIES[kernel.fidelity]});",
            f"constexpr bool APPROX = {_cpp(kernel.math_approx)};",
            "#endif",
            _array("uint8_t", "unpack_src_format", memory),
            "#if !defined(UCK_CHLKC_PACK)",
            _array("uint8_t", "unpack_dst_format", _narrowed(memory, unpacked)),
            _tile_shapes("unpack", sizes),
            "#endif",
            "#if !defined(UCK_CHLKC_MATH) && !defined(UCK_CHLKC_UNPACK)",
            _array("unsigned char", "pack_src_format", _narrowed(memory, packed)),
            _array("unsigned char", "pack_dst_format", memory),
            _tile_shapes("pack", sizes),
            "#endif",
            "#if defined(UCK_CHLKC_MATH) || defined(UCK_CHLKC_PACK) || defined(UCK_CHLKC_UNPACK)",
            f"constexpr bool DST_ACCUM_MODE = {_cpp(kernel.fp32_dest_acc)};",
            f"#define DST_SYNC_MODE DstSync::{sync}",
            "#endif\n",
        )
    )


def _narrowed(formats: Iterable[int], float32_becomes: int) -> list[int]:
    return [float32_becomes if code == FLOAT32 else code for code in formats]


def _tile_shapes(side: str, sizes: list[int]) -> str:
    arrays = [
        _array("uint8_t", f"{side}_{name}", [value] * len(sizes))
        for name, value in _TILE_SHAPE.items()
    ]
    return "\n".join([*arrays, _array("uint16_t", f"{side}_tile_size", sizes)])


def _array(ctype: str, name: str, values: list[int]) -> str:
    return f"constexpr {ctype} {name}[{len(values)}] = {{{','.join(map(str, values))}}};"


def _cpp(value: bool) -> str:
    return "true" if value else "false"
