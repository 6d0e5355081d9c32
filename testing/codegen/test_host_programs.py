"""The generated host programs are well-formed; testing/silicon runs them."""

import ast
import dataclasses
import subprocess
from pathlib import Path

import pytest
from runtime.programs import add, compiled, gemm, scaled, unused

from testing.kernels.atomics import pairwise
from tilelang_tt.codegen import host_cpp, host_python
from tilelang_tt.mock.compiler import find_compiler
from tilelang_tt.partition import Partition, assign
from tilelang_tt.plan import Argument

STUBS = Path(__file__).parent / "host_stubs"
PROGRAMS = {
    "add": compiled(add()),
    "half": compiled(add("float16"), arch="blackhole"),
    "gemm": compiled(gemm(), fidelity="HiFi2", grid=(3, 2)),
    "scaled": compiled(scaled()),
    "unused": compiled(unused()),
    "pairwise": compiled(pairwise(2, 128, 3, 64, 32)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_cpp_host_program_parses(name, tmp_path):
    source = tmp_path / "host.cpp"
    source.write_text(host_cpp.print_host(PROGRAMS[name].plan))
    flags = ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{STUBS}"]
    command = [*find_compiler().command, *flags, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_python_host_program_needs_numpy_and_ttnn_alone(name):
    tree = ast.parse(host_python.print_host(PROGRAMS[name].plan))
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported == {"sys", "numpy", "ttnn", "partition", "tiles"}


def test_a_format_that_ttnn_cannot_name_is_refused_when_the_program_runs():
    text = host_python.print_host(PROGRAMS["half"].plan)
    assert 'raise NotImplementedError("ttnn has no name for a format; use host.cpp")' in text
    assert "NotImplementedError" not in host_python.print_host(PROGRAMS["add"].plan)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_python_host_program_refuses_tensors_of_another_shape(name):
    plan = PROGRAMS[name].plan
    text = host_python.print_host(plan)
    for tensor in plan.tensors:
        declared = "".join(f"{extent}, " for extent in tensor.shape)
        assert f"    check({tensor.name!r}, shapes[{tensor.name!r}], ({declared}))" in text


def test_both_hosts_say_how_tensors_on_the_device_are_padded():
    plan = PROGRAMS["add"].plan
    padding = "last tiles that lie outside of"
    assert padding in host_python.print_host(plan).split("def run(")[1]
    assert padding in host_cpp.print_host(plan).split("void run(")[0]


def test_every_format_is_named_in_cpp():
    text = host_cpp.print_host(PROGRAMS["half"].plan)
    assert "DataFormat::Float16);" not in text
    assert "DataFormat::Float16, 2048, 4);  // A_in" in text


def test_dynamic_extents_and_scalars_are_parameters_in_cpp():
    text = host_cpp.print_host(PROGRAMS["scaled"].plan)
    assert "float alpha" in text
    assert "int32_t m" in text
    assert "std::bit_cast<uint32_t>(alpha)" in text


def test_a_tensor_that_no_kernel_accesses_stays_on_the_host():
    plan = PROGRAMS["unused"].plan
    assert [tensor.name for tensor in plan.tensors] == ["A", "B", "C"]
    assert [tensor.name for tensor in plan.accessed] == ["A", "C"]
    assert "ttnn.generic_op([tensors[name] for name in ('A', 'C')]" in host_python.print_host(plan)
    text = host_cpp.print_host(plan)
    for name in ("const Tensor& B", "float alpha", "int32_t m"):
        assert f"[[maybe_unused]] {name}" in text
    assert "[[maybe_unused]] const Tensor& A" not in text


SHARES = {
    "runs": (Partition("runs"), (7,), (2, 2), []),
    "runs_of_few_blocks": (Partition("runs"), (3,), (3, 2), []),
    "snake": (Partition("snake"), (7,), (2, 2), []),
    "snake_back": (Partition("snake"), (5,), (3, 1), []),
    "lattice": (Partition("lattice", (1,), (0,)), (5, 9), (4, 3), ["row", "column"]),
    "lattice_of_one_group": (Partition("lattice", (0,), (1, 2)), (2, 2, 4), (2, 8), ["all"]),
    "line": (Partition("line"), (7,), (3, 2), ["all"]),
    "line_of_few_blocks": (Partition("line"), (4,), (3, 3), ["all"]),
    "teams": (Partition("teams", parts=8), (2,), (4, 3), ["parent", "children"]),
    "teams_that_leave_a_core": (Partition("teams", parts=5), (2,), (11, 1), ["parent", "children"]),
    "teams_of_one": (Partition("teams", parts=8), (7,), (2, 2), ["parent", "children"]),
}


def shared_out(name, partition, blocks, grid, groups):
    """The plan of a GEMM whose blocks are shared out in this way."""
    core = [Argument("core", each) for each in partition.core_args]
    plan = PROGRAMS["gemm"].plan
    kernels = [
        dataclasses.replace(kernel, core_args=(*core, *(Argument("group", g) for g in groups)))
        for kernel in plan.kernels
    ]
    return dataclasses.replace(
        plan, name=name, kernels=tuple(kernels), partition=partition, blocks=blocks, grid=grid
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What host.cpp tells each core, by plan, kernel and core."""
    plans = [shared_out(name, *shares) for name, shares in SHARES.items()]
    calls = [
        f'std::puts("plan {plan.name}"); {plan.name}_host::run(device, "", x, x, x);'
        for plan in plans
    ]
    body = "const auto x = std::make_shared<distributed::MeshBuffer>();\n" + "\n".join(calls)
    source = tmp_path_factory.mktemp("hosts") / "hosts.cpp"
    source.write_text(
        "".join(map(host_cpp.print_host, plans))
        + "#include <cstdio>\nusing namespace tt::tt_metal;\n"
        + f"int main() {{\ndistributed::MeshDevice device;\n{body}\n}}\n"
    )
    program = source.with_suffix("")
    flags = ["-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{STUBS}", "-o", str(program)]
    files = [str(source), str(STUBS / "record.cpp")]
    subprocess.run([*find_compiler().command, *flags, *files], check=True)
    words, names = {}, []
    done = subprocess.run([str(program)], check=True, capture_output=True, text=True)
    for kind, *rest in map(str.split, done.stdout.splitlines()):
        if kind == "plan":
            names, own = [], words.setdefault(rest[0], {})
        elif kind == "kernel":
            names.append(rest[0].removeprefix("/"))
        else:
            kernel, x, y, *values = map(int, rest)
            own.setdefault(names[kernel], {})[x, y] = values
    return words


@pytest.mark.parametrize("name", SHARES)
def test_the_cpp_host_tells_each_core_what_the_partition_says(name, told):
    plan = shared_out(name, *SHARES[name])
    assignment = assign(plan.partition, plan.blocks, plan.grid)
    for kernel in plan.kernels:
        arguments = [(argument.kind, argument.name) for argument in kernel.core_args]
        expected = assignment.words(
            arguments, kernel.noc, lambda core: (core[0] + 18, core[1] + 20)
        )
        assert told[name][kernel.file] == expected
