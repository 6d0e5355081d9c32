"""Hand-written kernels that must pass, and one mistake in each of them that must not."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance import wheel
from conformance.__main__ import main
from conformance.checker import Finding, check, check_units
from conformance.kernel import KernelSource, Role, load_records
from conformance.unit import ARCHS, descriptors

CONTROLS = Path(__file__).parent / "controls"
COMPILERS = ("auto", "zig")
BFLOAT16, TILE_BYTES = 5, 2048
INTERLEAVED = (2, TILE_BYTES)


def kernel(role: Role, file: str, *compile_time_args: int) -> KernelSource:
    cbs = (0, 1, 16)
    return KernelSource(
        role,
        file,
        (CONTROLS / file).read_text(),
        compile_time_args,
        cb_formats=dict.fromkeys(cbs, BFLOAT16),
        cb_tile_bytes=dict.fromkeys(cbs, TILE_BYTES),
    )


ADD_READER = kernel("reader", "add_reader.cpp", 0, 1, *INTERLEAVED, *INTERLEAVED)
ADD_COMPUTE = kernel("compute", "add_compute.cpp", 8)
MATMUL_READER = kernel("reader", "matmul_reader.cpp", 0, 1, *INTERLEAVED, *INTERLEAVED)
MATMUL_COMPUTE = kernel("compute", "matmul_compute.cpp", 8)
SFPU_COMPUTE = kernel("compute", "sfpu_compute.cpp")
WRITER = kernel("writer", "writer.cpp", 16, *INTERLEAVED)

FP32_COMPUTE = dataclasses.replace(
    ADD_COMPUTE,
    name="fp32_compute.cpp",
    cb_formats=dict.fromkeys((0, 1, 16), 0),
    cb_tile_bytes=dict.fromkeys((0, 1, 16), 4096),
    fidelity="LoFi",
    fp32_dest_acc=True,
    dst_full_sync=True,
)
DEFINES = {"BUFFER": "0", "PAGES": "1 + 1"}
WITH_DEFINES = [
    dataclasses.replace(
        base,
        name=f"defines_{base.name}",
        source=base.source.replace("cb_wait_front(0, 1)", "cb_wait_front(BUFFER, PAGES)").replace(
            "cb_reserve_back(cb_a, 1)", "cb_reserve_back(BUFFER, PAGES)"
        ),
        defines=DEFINES,
    )
    for base in (ADD_READER, ADD_COMPUTE)
]
GOOD = [
    *(ADD_READER, ADD_COMPUTE, MATMUL_READER, MATMUL_COMPUTE, SFPU_COMPUTE, WRITER, FP32_COMPUTE),
    *WITH_DEFINES,
]


@dataclass(frozen=True)
class Mistake:
    """`old` becomes `new` in a good kernel, and a finding at that line has to say `message`."""

    what: str
    base: KernelSource
    old: str
    new: str
    message: str

    def kernel(self) -> KernelSource:
        assert self.base.source.count(self.old) == 1, self.what
        source = self.base.source.replace(self.old, self.new)
        return dataclasses.replace(self.base, name=self.what, source=source)

    @property
    def line(self) -> int:
        return self.base.source[: self.base.source.index(self.old)].count("\n") + 1


MISTAKES = [
    Mistake(
        "misspelt call in compute",
        ADD_COMPUTE,
        "add_tiles(0",
        "add_tilez(0",
        "undeclared identifier 'add_tilez'",
    ),
    Mistake(
        "misspelt call in the reader",
        ADD_READER,
        "noc_async_read_barrier()",
        "noc_async_barrier()",
        "undeclared identifier 'noc_async_barrier'",
    ),
    Mistake(
        "name of an older release",
        ADD_COMPUTE,
        "add_init(0, 1)",
        "add_tiles_init(0, 1)",
        "undeclared identifier 'add_tiles_init'",
    ),
    Mistake(
        "too few arguments",
        ADD_COMPUTE,
        "add_tiles(0, 1, 0, 0, 0)",
        "add_tiles(0, 1, 0, 0)",
        "no matching function for call to 'add_tiles'",
    ),
    Mistake(
        "too many arguments",
        MATMUL_COMPUTE,
        "matmul_tiles(0, 1, 0, 0, 0)",
        "matmul_tiles(0, 1, 0, 0, 0, 0)",
        "no matching function for call to 'matmul_tiles'",
    ),
    Mistake(
        "string for a buffer",
        ADD_COMPUTE,
        "pack_tile(0, 16)",
        'pack_tile(0, "16")',
        "no matching function for call to 'pack_tile'",
    ),
    Mistake(
        "swapped accessor arguments",
        WRITER,
        "TensorAccessor(out_args, get_arg_val<uint32_t>(0))",
        "TensorAccessor(get_arg_val<uint32_t>(0), out_args)",
        "no viable constructor",
    ),
    Mistake(
        "wrong template argument",
        MATMUL_COMPUTE,
        "<SrcOrder::Reverse>",
        "<DataFormat::Float32>",
        "no matching function for call to 'compute_kernel_hw_startup'",
    ),
    Mistake(
        "missing include",
        MATMUL_COMPUTE,
        '#include "api/compute/matmul.h"\n',
        "\n",
        "undeclared identifier 'matmul_init'",
    ),
    Mistake(
        "include that does not exist",
        ADD_COMPUTE,
        "api/compute/eltwise_binary.h",
        "compute_kernel_api/eltwise_binary.h",
        "file not found",
    ),
    Mistake(
        "read in compute",
        ADD_COMPUTE,
        "tile_regs_commit();",
        "noc_async_read(uint64_t(0), 0u, 32u);",
        "undeclared identifier 'noc_async_read'",
    ),
    Mistake(
        "matmul in the reader",
        MATMUL_READER,
        "noc_async_read_barrier();",
        "matmul_tiles(0, 1, 0, 0, 0);",
        "undeclared identifier 'matmul_tiles'",
    ),
    Mistake(
        "registers in the writer",
        WRITER,
        "noc_async_write_barrier();",
        "tile_regs_acquire();",
        "undeclared identifier 'tile_regs_acquire'",
    ),
    Mistake(
        "compile-time argument out of range",
        ADD_COMPUTE,
        "get_compile_time_arg_val(0)",
        "get_compile_time_arg_val(1)",
        "Index out of range",
    ),
    Mistake(
        "accessor offset out of range",
        WRITER,
        "TensorAccessorArgs<1>()",
        "TensorAccessorArgs<3>()",
        "Index out of range",
    ),
    Mistake(
        "static_assert inside the API",
        SFPU_COMPUTE,
        "where_tile<DataFormat::Float16_b>",
        "where_tile<DataFormat::Bfp8_b>",
        "static assertion failed",
    ),
    Mistake(
        "unused value",
        ADD_READER,
        "noc_async_read_barrier();",
        "tile + 1;",
        "-Wunused-value",
    ),
    Mistake(
        "signed and unsigned compared",
        ADD_COMPUTE,
        "(uint32_t tile = 0;",
        "(int tile = 0;",
        "-Wsign-compare",
    ),
    Mistake(
        "uninitialised variable",
        ADD_READER,
        "noc_async_read_barrier();",
        "uint32_t x; cb_push_back(x, 1);",
        "-Wuninitialized",
    ),
    Mistake(
        "uint32_t taken for unsigned int",
        ADD_READER,
        "noc_async_read_barrier();",
        "cb_push_back(std::min(tile, 5u), 1);",
        "no matching function for call to 'min'",
    ),
    Mistake(
        "C++20 in a kernel",
        ADD_READER,
        "noc_async_read_barrier();",
        "[]<typename T>(T) {}(tile);",
        "before C++20",
    ),
    Mistake(
        "deprecated call in compute",
        ADD_COMPUTE,
        "tile_regs_acquire()",
        "acquire_dst()",
        "'acquire_dst' is deprecated",
    ),
    Mistake(
        "deprecated call in the reader",
        ADD_READER,
        "noc_async_read_page(tile, a,",
        "noc_async_read_tile(tile, a,",
        "deprecated",
    ),
]

# What the JIT lets pass has to pass here.
ALLOWED = [
    Mistake("unused variable", ADD_COMPUTE, "add_init(0, 1);", "add_init(0, 1); int x = 3;", ""),
    Mistake(
        "unused function",
        ADD_COMPUTE,
        "void kernel_main() {",
        "static int unused() { return 0; } void kernel_main() {",
        "",
    ),
    Mistake(
        "variable only set",
        ADD_READER,
        "noc_async_read_barrier();",
        "int x; x = 1; noc_async_read_barrier();",
        "",
    ),
    Mistake(
        "parentheses around a comparison",
        ADD_READER,
        "noc_async_read_barrier();",
        "if ((tile == 0)) { noc_async_read_barrier(); }",
        "",
    ),
    Mistake(
        "designated initialiser",
        ADD_READER,
        "noc_async_read_barrier();",
        "struct P { uint32_t x; }; P p{.x = tile}; cb_push_back(p.x, 1);",
        "",
    ),
]

Verdicts = dict[str, list[Finding]]


@pytest.fixture(scope="module", params=COMPILERS)
def compiler(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=ARCHS)
def arch(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def verdicts(arch: str, compiler: str) -> Verdicts:
    """The findings of every control by the name of its kernel, from one run for speed."""
    kernels = [*GOOD, *(each.kernel() for each in (*MISTAKES, *ALLOWED))]
    found: Verdicts = {kernel.name: [] for kernel in kernels}
    for finding in check(kernels, arch, compiler=compiler):
        found[finding.kernel].append(finding)
    return found


@pytest.mark.parametrize("good", GOOD, ids=lambda kernel: kernel.name)
def test_a_correct_kernel_passes(good: KernelSource, verdicts: Verdicts) -> None:
    assert verdicts[good.name] == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_a_mistake_is_found_at_its_line(mistake: Mistake, verdicts: Verdicts) -> None:
    found = verdicts[mistake.what]
    assert any(mistake.message in finding.message for finding in found), found
    assert mistake.line in {finding.line for finding in found} or "include" in mistake.what


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda allowed: allowed.what)
def test_what_the_jit_allows_passes(allowed: Mistake, verdicts: Verdicts) -> None:
    assert verdicts[allowed.what] == []


def test_a_compute_mistake_is_found_on_each_processor(verdicts: Verdicts) -> None:
    processors = {finding.processor for finding in verdicts["misspelt call in compute"]}
    assert processors == {"unpack", "math", "pack"}


def test_deprecated_calls_can_be_allowed(arch: str, compiler: str) -> None:
    kernels = [each.kernel() for each in MISTAKES if each.what.startswith("deprecated")]
    assert len(kernels) == 2
    assert check(kernels, arch, compiler=compiler, allow_deprecated=True) == []


def is_usable(header: str) -> bool:
    """Experimental headers want files nobody generates; reverseops.h one the wheel lacks."""
    return "/experimental/" not in header and not header.endswith("/reverseops.h")


def test_every_header_of_the_compute_api_parses(arch: str, compiler: str) -> None:
    root = wheel.headers() / "tt_metal/hw/inc"
    headers = sorted(str(path.relative_to(root)) for path in root.glob("api/compute/**/*.h"))
    includes = [f'#include "{header}"\n' for header in headers if is_usable(header)]
    assert len(includes) > 100
    # common.h first, as in every kernel: some of the others need it and do not say so.
    source = f'#include "api/compute/common.h"\n{"".join(includes)}void kernel_main() {{}}\n'
    everything = KernelSource("compute", "every_header.cpp", source)
    assert check([everything], arch, compiler=compiler) == []


@pytest.fixture
def empty_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that has the headers and no verdicts."""
    (tmp_path / "headers").symlink_to(wheel.headers().parents[1])
    monkeypatch.setenv("TILELANG_TT_CACHE_DIR", str(tmp_path))


@pytest.mark.usefixtures("empty_memory")
def test_a_verdict_is_remembered_until_the_kernel_changes(arch: str) -> None:
    wrong = MISTAKES[0].kernel()
    first = check_units([wrong, ADD_READER], arch)
    again = check_units([wrong, ADD_READER], arch)
    assert [result.is_cached for result in first] == [False] * 4
    assert [result.is_cached for result in again] == [True] * 4
    assert [result.findings for result in again] == [result.findings for result in first]
    changed = dataclasses.replace(ADD_READER, compile_time_args=(0, 1))
    (result,) = check_units([changed], arch)
    assert not result.is_cached
    assert result.findings


@pytest.mark.usefixtures("empty_memory")
def test_equal_kernels_are_parsed_once_and_progress_is_told() -> None:
    twin = dataclasses.replace(WRITER, name="twin.cpp")
    told: list[tuple[int, int, str]] = []
    results = check_units(
        [WRITER, twin, ADD_READER],
        "wormhole_b0",
        progress=lambda done, of, result: told.append((done, of, result.processor)),
    )
    assert told == [(1, 2, "brisc"), (2, 2, "ncrisc")]
    assert all(result.seconds > 0 for result in results)


def test_the_command_prints_findings_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    WRITER.save(tmp_path)
    monkeypatch.setattr("sys.argv", ["conformance", str(tmp_path), "--arch", "blackhole"])
    assert main() == 0
    MISTAKES[0].kernel().save(tmp_path)
    assert main() == 1
    printed = capsys.readouterr()
    assert f"{MISTAKES[0].what}:{MISTAKES[0].line}: use of undeclared" in printed.out
    assert "blackhole: 4 units, 3 failed" in printed.err


def test_records_are_read_back_once_per_content(tmp_path: Path) -> None:
    for each in (FP32_COMPUTE, ADD_READER, dataclasses.replace(ADD_READER, name="twin.cpp")):
        each.save(tmp_path)
    read, compute = sorted(load_records(tmp_path), key=lambda kernel: kernel.role, reverse=True)
    assert compute == FP32_COMPUTE
    assert dataclasses.replace(read, name=ADD_READER.name) == ADD_READER


def test_an_unknown_field_of_a_record_is_an_error() -> None:
    text = ADD_READER.to_json().replace('"role"', '"rule"')
    with pytest.raises(TypeError, match="rule"):
        KernelSource.from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [("role", "brisc"), ("fidelity", "HiFi1"), ("cb_tile_bytes", {0: 2048})],
)
def test_a_kernel_that_contradicts_itself_is_an_error(field: str, value: object) -> None:
    with pytest.raises(ValueError, match="add_compute"):
        dataclasses.replace(ADD_COMPUTE, **{field: value})


def test_a_circular_buffer_that_the_arch_lacks_is_an_error() -> None:
    high = dataclasses.replace(ADD_COMPUTE, cb_formats={40: BFLOAT16}, cb_tile_bytes={40: 2048})
    assert "unpack_src_format[64]" in descriptors(high, ARCHS["blackhole"])
    with pytest.raises(ValueError, match="no circular buffer 40"):
        descriptors(high, ARCHS["wormhole_b0"])


def test_an_unlisted_circular_buffer_has_no_format() -> None:
    text = descriptors(ADD_COMPUTE, ARCHS["wormhole_b0"])
    assert "unpack_src_format[32] = {5,5,255," in text
